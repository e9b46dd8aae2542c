import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { StoreLockedError, type StoreOperation } from '../../../src/env/ports.ts';
import { NewerFormatError } from '../../../src/metadata/metadata-record-codec.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { encodeSnapshotMeta } from '../../../src/quorum/configuration-codec.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import type { StoredHardState } from '../../../src/quorum/hard-state.ts';
import { MetadataStore, type StoreChange } from '../../../src/quorum/metadata-store.ts';
import type { LinkedEntry } from '../../../src/quorum/quorum-entry.ts';
import { encodeSnapshot } from '../../../src/quorum/snapshot-chunks.ts';
import type { SnapshotMeta } from '../../../src/raft/entry.ts';

const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };

const voter = { id: nodeId(1), directoryId: 'd' };
const configuration = { voters: [voter], learners: [] };

const entry = (index: number, epoch = 1, previous = epoch): LinkedEntry => ({
  entry: { kind: 'command', index, epoch: leaderEpoch(epoch), bytes: Uint8Array.of(index) },
  previousEpoch: leaderEpoch(index === 1 ? 0 : previous),
});
const state = (lastIndex: number, epoch = 1): StoredHardState => ({
  epoch: leaderEpoch(epoch),
  votedFor: voter,
  batch: lastIndex,
  last: { index: lastIndex, epoch: leaderEpoch(epoch) },
  changedFrom: lastIndex,
});
const meta = (lastIndex: number, epoch = 1): SnapshotMeta => ({
  last: { index: lastIndex, epoch: leaderEpoch(epoch) },
  configuration,
  configurationIndex: 1,
});
const records = [Uint8Array.of(0xaa)];

const appended = (hardState: StoredHardState, ...entries: LinkedEntry[]): StoreChange => ({
  hardState,
  deleted: null,
  entries,
  snapshot: null,
});
const snapshot = (lastIndex: number, state = records): StoreChange => ({
  hardState: null,
  deleted: { from: 1, through: lastIndex },
  entries: [],
  snapshot: {
    meta: meta(lastIndex),
    chunks: encodeSnapshot({ lastIndex, epoch: leaderEpoch(1), records: state }),
  },
});
const SYNC = { sync: true };

async function opened() {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  let store = await MetadataStore.open(env.stores, '/data');
  /** The content as `e3 e4 h s0`, after `change` on the bare store. */
  const raw = async (...change: StoreOperation[]) => {
    await store.close();
    const bare = await env.stores.open('/data/metadata');
    await bare.batch(change, { sync: true });
    const keys: string[] = [];
    for await (const [key] of bare.entries(EVERYTHING)) {
      keys.push(`${String.fromCharCode(key[0]!)}${key.length > 1 ? key.at(-1) : ''}`);
    }
    await bare.close();
    store = await MetadataStore.open(env.stores, '/data');
    return keys.join(' ');
  };
  const value = async (key: Uint8Array) => {
    await store.close();
    const bare = await env.stores.open('/data/metadata');
    const found = await bare.get(key);
    await bare.close();
    store = await MetadataStore.open(env.stores, '/data');
    return found!;
  };
  return { env, raw, value, store: () => store };
}

const entryKey = (index: number) => Uint8Array.of(0x65, 0, 0, 0, 0, 0, 0, 0, index);
const chunkKey = (number: number) => Uint8Array.of(0x73, 0, 0, 0, number);
const hardStateKey = Uint8Array.of(0x68);
const membersKey = Uint8Array.of(0x63);
const put = (key: Uint8Array, value: Uint8Array): StoreOperation => ({ type: 'put', key, value });
const drop = (key: Uint8Array): StoreOperation => ({ type: 'delete', key });

test('an empty store has nothing to load', async () => {
  const { store } = await opened();
  expect(await store().load()).toBeUndefined();
});

test('entries and the hard state are found as they were written', async () => {
  const { raw, store } = await opened();
  await store().write(appended(state(2), entry(1), entry(2)), SYNC);
  await store().write(appended(state(3, 4), entry(3, 4, 1)), SYNC);
  expect(await raw()).toBe('e1 e2 e3 h');
  expect(await store().load()).toEqual({
    hardState: state(3, 4),
    snapshot: null,
    isOlder: false,
    records: [],
    chunkBytes: [],
    entries: [entry(1).entry, entry(2).entry, entry(3, 4).entry],
  });
});

test('entries that are cut off make place for others, and for none behind them', async () => {
  const { raw, store } = await opened();
  await store().write(appended(state(5), ...[1, 2, 3, 4, 5].map((index) => entry(index))), SYNC);
  const cut = appended({ ...state(3, 2), batch: 6 }, entry(3, 2, 1));
  await store().write({ ...cut, deleted: { from: 3, through: 5 } }, SYNC);
  expect(await raw()).toBe('e1 e2 e3 h');
  expect((await store().load())?.entries.map(({ epoch }) => epoch)).toEqual([1, 1, 2]);
});

test('a snapshot takes the place of the entries it stands for', async () => {
  const { raw, store } = await opened();
  await store().write(appended(state(3), entry(1), entry(2), entry(3)), SYNC);
  await store().write(snapshot(2), SYNC);
  expect(await raw()).toBe('c e3 h s0');
  expect(await store().load()).toMatchObject({
    snapshot: meta(2),
    records,
    chunkBytes: [(await store().chunk(0))!.length],
    entries: [entry(3).entry],
  });
  await store().write(appended(state(4), entry(4)), SYNC);
  await store().write(snapshot(4), SYNC);
  expect(await raw()).toBe('c h s0');
  expect(await store().load()).toMatchObject({ snapshot: meta(4), entries: [] });
});

test('the members with which a cluster was formed are found', async () => {
  const { store } = await opened();
  const formed = { ...meta(0, 0), configurationIndex: 0 };
  await store().write({ ...appended(state(0)), snapshot: { meta: formed } }, SYNC);
  await expect(store().load()).rejects.toThrow('the log ends at 0 of epoch 0, not at 0 of epoch 1');
  await store().write(appended(state(1), entry(1)), SYNC);
  expect(await store().load()).toMatchObject({ snapshot: formed, records: [], chunkBytes: [] });
});

test('a smaller snapshot leaves no chunk of a larger one', async () => {
  const { raw, store } = await opened();
  await store().write(appended(state(2), entry(1), entry(2)), SYNC);
  const large = Array.from({ length: 5 }, () => new Uint8Array(300 * 1024));
  await store().write(snapshot(1, large), SYNC);
  expect(await raw()).toBe('c e2 h s0 s1 s2 s3 s4');
  expect((await store().load())?.chunkBytes).toHaveLength(5);
  await store().write(snapshot(2), SYNC);
  expect(await raw()).toBe('c h s0');
});

test('entries that came back from before the snapshot are passed over, and deleted by the next', async () => {
  const { raw, value, store } = await opened();
  await store().write(appended(state(3), entry(1), entry(2), entry(3)), SYNC);
  const first = await value(entryKey(1));
  await store().write(snapshot(2), SYNC);
  expect(await raw(put(entryKey(1), first))).toBe('c e1 e3 h s0');
  expect(await store().load()).toMatchObject({ snapshot: meta(2), entries: [entry(3).entry] });
  await store().write(snapshot(3), SYNC);
  expect(await raw()).toBe('c h s0');
});

/** Of an entry with an index beyond 2^53, as a flipped bit makes it. */
const HUGE_KEY = Uint8Array.of(0x65, 0x20, 0, 0, 0, 0, 0, 0, 1);

test('anything that is missing or damaged is named, and nothing is changed', async () => {
  const cases: [string, StoreOperation[]][] = [
    ['entry 4 is missing', [drop(entryKey(4))]],
    ['entry 3 is missing', [drop(entryKey(3))]],
    ['entry 5 is missing', [drop(entryKey(5))]],
    ['entry 1 is missing', [drop(chunkKey(0))]],
    ['the members of the snapshot are missing', [drop(membersKey)]],
    ['the members of the snapshot cannot be read', [put(membersKey, new Uint8Array(30))]],
    [
      'the members of the snapshot are those of another',
      [put(membersKey, encodeSnapshotMeta(meta(3)))],
    ],
    ['entry 6 is beyond the last', [put(entryKey(6), Uint8Array.of(1))]],
    ['the key of an entry cannot be read', [put(HUGE_KEY, Uint8Array.of(1))]],
    ['entry 4 cannot be read: its checksum is wrong', [put(entryKey(4), new Uint8Array(20))]],
    ['entry 4 cannot be read', [put(entryKey(4), new Uint8Array(0))]],
    ['the hard state is missing', [drop(hardStateKey)]],
    ['the hard state cannot be read', [put(hardStateKey, new Uint8Array(28))]],
    ['the snapshot cannot be read', [put(chunkKey(0), new Uint8Array(28))]],
  ];
  for (const [message, damage] of cases) {
    const { raw, store } = await opened();
    const entries = [1, 2, 3, 4, 5].map((index) => entry(index));
    await store().write(appended(state(5), ...entries), SYNC);
    await store().write(snapshot(2), SYNC);
    const before = await raw(...damage);
    await expect(store().load(), message).rejects.toThrow(DamagedMetadataError);
    await expect(store().load()).rejects.toThrow(`the metadata in /data is damaged: ${message}`);
    expect(await raw()).toBe(before);
  }
});

test('an entry of an epoch that cannot be is damage', async () => {
  for (const [epochs, last] of [
    [[1, 3, 2], 3],
    [[1, 1, 4], 3],
  ] as const) {
    const { store } = await opened();
    const entries = epochs.map((epoch, i) => entry(i + 1, epoch, epochs[i - 1]));
    await store().write(appended(state(3, last), ...entries), SYNC);
    await expect(store().load()).rejects.toThrow('entry 3 is of epoch');
  }
});

test('entries of a log that was cut off are not taken for those that took their place', async () => {
  const { store } = await opened();
  await store().write(appended(state(3), entry(1), entry(2), entry(3)), SYNC);
  // What a new leader wrote at 2 and 3 is lost; what it wrote behind them is there.
  await store().write(appended(state(4, 2), entry(4, 2, 2)), SYNC);
  await expect(store().load()).rejects.toThrow('entry 4 follows one of epoch 2, not of epoch 1');
  // Nothing came behind them but a vote.
  const voted = { ...state(3, 5), last: { index: 3, epoch: leaderEpoch(2) } };
  await store().write({ ...appended(voted), deleted: { from: 4, through: 4 } }, SYNC);
  await expect(store().load()).rejects.toThrow('the log ends at 3 of epoch 1, not at 3 of epoch 2');
});

test('a key that is not known was written by a newer version', async () => {
  const { raw, store } = await opened();
  await store().write(appended(state(1), entry(1)), SYNC);
  await raw(put(Uint8Array.of(0x78, 1), Uint8Array.of(1)));
  await expect(store().load()).rejects.toThrow(NewerFormatError);
});

test('a data directory has one owner', async () => {
  const { env } = await opened();
  await expect(MetadataStore.open(env.stores, '/data')).rejects.toThrow(StoreLockedError);
});
