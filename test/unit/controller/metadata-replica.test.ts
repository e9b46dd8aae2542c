import { expect, test } from 'vitest';
import { MetadataReplica } from '../../../src/controller/metadata-replica.ts';
import { encodeMetadataRecord } from '../../../src/metadata/metadata-record-codec.ts';
import type { MetadataRecord } from '../../../src/metadata/metadata-records.ts';
import { Errors } from '../../../src/model/errors.ts';
import { leaderEpoch, nodeId, producerId } from '../../../src/model/ids.ts';
import { encodeRecords } from '../../../src/quorum/quorum-entry.ts';
import type { Entry } from '../../../src/raft/entry.ts';

const identity = { clusterId: 'c', directoryId: 'd1' };
const self = { id: nodeId(1), directoryId: 'd1' };
const other = { id: nodeId(2), directoryId: 'd2' };
const members = { voters: [self, other], learners: [] };
const cluster: MetadataRecord = { type: 'cluster', format: 1, ...identity };
const ids = (next: number): MetadataRecord => ({
  type: 'producer-ids',
  nextProducerId: producerId(next),
});

/** A replica over a log in memory; a test says what is committed. */
function replicaOver(before: readonly Entry[] = []) {
  const entries = [...before];
  let epoch = leaderEpoch(0);
  const next = () => ({ index: entries.length + 1, epoch });
  const command = (...records: MetadataRecord[]) => {
    const bytes = encodeRecords(records.map(encodeMetadataRecord));
    entries.push({ ...next(), kind: 'command', bytes });
  };
  const log = {
    get nextPosition() {
      return entries.length + 1;
    },
    append(records: readonly Uint8Array[]) {
      entries.push({ ...next(), kind: 'command', bytes: encodeRecords(records) });
      return entries.length + 1;
    },
  };
  const replica = new MetadataReplica(log, identity);
  const active: boolean[] = [];
  replica.whenActive((isActive) => active.push(isActive));
  let applied = 0;
  const applyTo = (index: number) => {
    if (index > applied) replica.apply(entries.slice(applied, index));
    applied = Math.max(applied, index);
  };
  const lead = (newEpoch: number) => {
    epoch = leaderEpoch(newEpoch);
    const first = { ...next(), kind: 'configuration', configuration: members } as const;
    entries.push(entries.length === 0 ? first : { ...next(), kind: 'empty' });
    replica.became('leader', epoch, self);
  };
  const follow = () => replica.became('follower', epoch, other);
  return { replica, entries, active, command, applyTo, lead, follow };
}

const allocate = (replica: MetadataReplica, next: number) =>
  replica.runtime!.write(() => ({ records: [ids(next)], response: next }));

test('a follower has what is applied, and changes nothing', () => {
  const { replica, command, applyTo, follow } = replicaOver();
  const seen: number[] = [];
  replica.onImage((_, { nextProducerId }) => seen.push(nextProducerId));
  follow();
  command(cluster);
  command(ids(5), ids(7));
  applyTo(1);
  applyTo(2);
  expect(replica.image).toMatchObject({ position: 3, nextProducerId: 7, cluster: identity });
  expect(seen).toEqual([0, 7]);
  expect([replica.runtime, replica.leaderId]).toEqual([null, 2]);
});

test('the first leader of a log names the cluster, with the entry that begins its epoch', () => {
  const { replica, entries, active, applyTo, lead } = replicaOver();
  lead(1);
  expect(entries.map(({ kind }) => kind)).toEqual(['configuration', 'command']);
  applyTo(1);
  expect(active).toEqual([]);
  applyTo(2);
  expect([active, replica.image.cluster]).toEqual([[true], { format: 1, ...identity }]);
});

test('a leader that finds no cluster in a log with entries names it before all else', async () => {
  const { replica, entries, applyTo, lead } = replicaOver([
    { index: 1, epoch: leaderEpoch(1), kind: 'configuration', configuration: members },
  ]);
  lead(2);
  expect(entries).toHaveLength(2);
  applyTo(2);
  const answer = allocate(replica, 9);
  expect(entries).toHaveLength(4);
  applyTo(4);
  expect(await answer).toBe(9);
  expect(replica.image).toMatchObject({ cluster: identity, nextProducerId: 9 });
});

test('who is elected is active when all is applied that was in its log, and not before', () => {
  const { replica, active, command, applyTo, lead } = replicaOver();
  command(cluster);
  command(ids(5));
  applyTo(1);
  lead(2);
  applyTo(2);
  expect([active, replica.runtime]).toEqual([[], null]);
  applyTo(3);
  expect(active).toEqual([true]);
  expect(replica.image.nextProducerId).toBe(5);
});

test('what the active controller changes is in the image when it is committed', async () => {
  const { replica, applyTo, lead } = replicaOver();
  lead(1);
  applyTo(2);
  const first = allocate(replica, 10);
  const second = allocate(replica, 20);
  const answered: number[] = [];
  for (const each of [first, second]) void each.then((next) => answered.push(next));
  await Promise.resolve();
  expect(replica.image.nextProducerId).toBe(0);
  applyTo(3);
  expect(replica.image.nextProducerId).toBe(10);
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toEqual([10]);
  applyTo(4);
  expect(replica.image.nextProducerId).toBe(20);
  expect(await second).toBe(20);
});

test('who loses its leadership shows only what is committed, and follows what becomes of the rest', async () => {
  const { replica, active, applyTo, lead, follow } = replicaOver();
  lead(1);
  applyTo(2);
  const lost = allocate(replica, 10);
  follow();
  await expect(lost).rejects.toMatchObject({ row: Errors.REQUEST_TIMED_OUT });
  expect(active).toEqual([true, false]);
  expect(replica.image.nextProducerId).toBe(0);
  applyTo(3);
  expect(replica.image.nextProducerId).toBe(10);
});

test('a node that leads again begins with what is committed by then', async () => {
  const { replica, active, applyTo, command, lead, follow } = replicaOver();
  lead(1);
  applyTo(2);
  follow();
  command(ids(30));
  lead(3);
  applyTo(4);
  expect(active).toEqual([true, false, true]);
  expect(replica.runtime?.latest.nextProducerId).toBe(30);
});

test('who waits for a position hears of it when the image has all below it', async () => {
  const { replica, command, applyTo } = replicaOver();
  command(cluster);
  command(ids(1));
  command(ids(2));
  applyTo(1);
  const heard: number[] = [];
  for (const position of [4, 2, 3]) {
    void replica.reached(position).then(() => heard.push(replica.image.nextProducerId));
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([0]);
  applyTo(2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([0, 1]);
  applyTo(3);
  await new Promise((resolve) => setImmediate(resolve));
  expect([heard, replica.position]).toEqual([[0, 1, 2], 4]);
});

test('who waits for a position is told when nobody wants it any more', async () => {
  const { replica } = replicaOver();
  const asked = new AbortController();
  const reached = replica.reached(4, asked.signal);
  asked.abort(new Error('stopped'));
  await expect(reached).rejects.toThrow('stopped');
  await expect(replica.reached(0, asked.signal)).rejects.toThrow('stopped');
});

test('a snapshot of one node is the image of another', () => {
  const { replica, command, applyTo } = replicaOver();
  command(cluster, ids(3));
  applyTo(1);
  const { position, records } = replica.snapshot();
  const seen: number[] = [];
  const next = replicaOver().replica;
  next.onImage((_, image) => seen.push(image.nextProducerId));
  const last = { index: position - 1, epoch: leaderEpoch(1) };
  next.restore({ last, configuration: members, configurationIndex: 1 }, [...records()]);
  expect(next.image).toEqual(replica.image);
  expect(seen).toEqual([3]);
});
