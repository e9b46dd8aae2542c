import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { StoreLockedError, type StoreOperation } from '../../../src/env/ports.ts';
import { NewerFormatError } from '../../../src/metadata/metadata-record-codec.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import { MetadataStore } from '../../../src/quorum/metadata-store.ts';
import type { QuorumEntry } from '../../../src/quorum/quorum-entry.ts';

const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };

const entry = (index: number, epoch = 1): QuorumEntry => ({
  kind: 'records',
  index,
  epoch: leaderEpoch(epoch),
  records: [Uint8Array.of(index)],
});
const state = (lastIndex: number, epoch = 1) => ({
  epoch: leaderEpoch(epoch),
  votedFor: nodeId(1),
  commitIndex: lastIndex,
  lastIndex,
});
const snapshot = (lastIndex: number, epoch = 1) => ({
  lastIndex,
  epoch: leaderEpoch(epoch),
  records: [Uint8Array.of(0xaa)],
});

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
const put = (key: Uint8Array, value: Uint8Array): StoreOperation => ({ type: 'put', key, value });
const drop = (key: Uint8Array): StoreOperation => ({ type: 'delete', key });

test('an empty store has nothing to load', async () => {
  const { store } = await opened();
  expect(await store().load()).toBeUndefined();
});

test('entries and the hard state are found as they were written', async () => {
  const { raw, store } = await opened();
  await store().write([entry(1), entry(2)], state(2));
  await store().write([entry(3, 4)], state(3, 4));
  expect(await raw()).toBe('e1 e2 e3 h');
  expect(await store().load()).toEqual({
    hardState: state(3, 4),
    snapshot: undefined,
    entries: [entry(1), entry(2), entry(3, 4)],
  });
  expect(await store().epochOf(3)).toBe(4);
});

test('a snapshot takes the place of the entries it stands for', async () => {
  const { raw, store } = await opened();
  await store().write([entry(1), entry(2), entry(3)], state(3));
  await store().replaceSnapshot(snapshot(2));
  expect(await raw()).toBe('e3 h s0');
  expect(await store().load()).toMatchObject({ snapshot: snapshot(2), entries: [entry(3)] });
  await store().write([entry(4)], state(4));
  await store().replaceSnapshot(snapshot(4));
  expect(await raw()).toBe('h s0');
  expect(await store().load()).toMatchObject({ snapshot: snapshot(4), entries: [] });
});

test('a smaller snapshot leaves no chunk of a larger one', async () => {
  const { raw, store } = await opened();
  await store().write([entry(1), entry(2)], state(2));
  const records = Array.from({ length: 5 }, () => new Uint8Array(300 * 1024));
  await store().replaceSnapshot({ ...snapshot(1), records });
  expect(await raw()).toBe('e2 h s0 s1 s2 s3 s4');
  await store().load();
  await store().replaceSnapshot(snapshot(2));
  expect(await raw()).toBe('h s0');
});

test('entries that came back from before the snapshot are passed over, and deleted by the next', async () => {
  const { raw, value, store } = await opened();
  await store().write([entry(1), entry(2), entry(3)], state(3));
  const first = await value(entryKey(1));
  await store().replaceSnapshot(snapshot(2));
  expect(await raw(put(entryKey(1), first))).toBe('e1 e3 h s0');
  expect(await store().load()).toMatchObject({ snapshot: snapshot(2), entries: [entry(3)] });
  await store().replaceSnapshot(snapshot(3));
  expect(await raw()).toBe('h s0');
});

/** Of an entry with an index beyond 2^53, as a flipped bit makes it. */
const HUGE_KEY = Uint8Array.of(0x65, 0x20, 0, 0, 0, 0, 0, 0, 1);

test('anything that is missing or damaged is named, and nothing is changed', async () => {
  const cases: [string, StoreOperation[]][] = [
    ['entry 4 is missing', [drop(entryKey(4))]],
    ['entry 3 is missing', [drop(entryKey(3))]],
    ['entry 5 is missing', [drop(entryKey(5))]],
    ['entry 1 is missing', [drop(chunkKey(0))]],
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
    await store().write([entry(1), entry(2), entry(3), entry(4), entry(5)], state(5));
    await store().replaceSnapshot(snapshot(2));
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
    const entries = epochs.map((epoch, i) => entry(i + 1, epoch));
    await store().write(entries, state(3, last));
    await expect(store().load()).rejects.toThrow('entry 3 is of epoch');
  }
});

test('a key that is not known was written by a newer version', async () => {
  const { raw, store } = await opened();
  await store().write([entry(1)], state(1));
  await raw(put(Uint8Array.of(0x78, 1), Uint8Array.of(1)));
  await expect(store().load()).rejects.toThrow(NewerFormatError);
});

test('a data directory has one owner', async () => {
  const { env } = await opened();
  await expect(MetadataStore.open(env.stores, '/data')).rejects.toThrow(StoreLockedError);
});
