import { expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { offset, producerId } from '../../../src/model/ids.ts';
import { Partition } from '../../../src/replication/partition.ts';
import { makeBatch } from '../log/log-world.ts';
import { PartitionWorld, STALL_MS } from './partition-world.ts';

const ofProducer = (baseSequence: number) =>
  makeBatch({ producer: { id: producerId(7), epoch: 0, baseSequence } });

test.for(['all', 'leader'] as const)('acks=%s is answered after the fsync', async (acks) => {
  const world = await PartitionWorld.open();
  world.stallDisk();
  world.wait('append', acks, world.append(makeBatch()));
  await world.pass(STALL_MS / 2);
  expect(world.told).toEqual([]);
  expect(world.partition.highWatermark).toBe(0);
  await world.untilTold();
  expect(world.told).toEqual(['append NONE']);
  expect(world.partition.log.durableOffset).toBe(1);
});

test('an fsync vouches for what was there when it began, not for what came meanwhile', async () => {
  const world = await PartitionWorld.open();
  world.stallDisk();
  world.wait('first', 'all', world.append(makeBatch()));
  await world.pass(STALL_MS / 2);
  world.stallDisk();
  world.wait('second', 'all', world.append(makeBatch()));
  await world.untilTold();
  expect(world.told).toEqual(['first NONE']);
  expect(world.partition.highWatermark).toBe(1);
  await world.untilTold();
  expect(world.partition.highWatermark).toBe(2);
});

test('with durability=replicated an append is safe when it is written', async () => {
  const world = await PartitionWorld.open('replicated');
  world.stallDisk();
  world.wait('append', 'all', world.append(makeBatch()));
  await world.pass(STALL_MS / 2);
  expect(world.told).toEqual(['append NONE']);
});

test('a repeated batch is answered when its original is durable, not before', async () => {
  const world = await PartitionWorld.open();
  world.stallDisk();
  world.wait('original', 'all', world.append(ofProducer(0)));
  const again = world.partition.append(ofProducer(0), 'client');
  expect(again).toMatchObject({ ok: true, duplicate: true, baseOffset: 0, lastOffset: 0 });
  world.wait('repeated', 'all', 1);
  await world.pass(STALL_MS / 2);
  expect(world.told).toEqual([]);
  await world.untilTold(2);
  expect(world.told).toEqual(['original NONE', 'repeated NONE']);
});

test('nothing is readable before it is durable, and everything after', async () => {
  const world = await PartitionWorld.open();
  world.stallDisk();
  const end = world.append(makeBatch());
  expect(world.partition.read(offset(0), 1000)).toMatchObject({ ok: true, bytes: 0 });
  world.partition.whenReadable(world.waiter('reader', end));
  await world.untilTold();
  expect(await world.partition.read(offset(0), 1000)).toMatchObject({ ok: true, nextOffset: end });
});

test('the marks say up to where records are safe, and where the log starts', async () => {
  const world = await PartitionWorld.open();
  world.wait('append', 'all', world.append(makeBatch({ count: 3 })));
  await world.untilTold();
  await world.logs.run(world.partition.log.advanceLogStart(offset(2)));
  expect(world.partition.marks).toEqual({
    highWatermark: 3,
    lastStableOffset: 3,
    logStartOffset: 2,
  });
});

test('the high watermark stands still while too few replicas are in sync', async () => {
  const world = await PartitionWorld.open();
  world.lead(2, 2);
  const end = world.append(makeBatch());
  world.wait('all', 'all', end);
  world.wait('leader', 'leader', end);
  await world.pass(1000);
  expect(world.told).toEqual(['leader NONE']);
  world.lead(2, 1);
  expect(world.told).toEqual(['leader NONE', 'all NONE']);
});

test('who waits when the leadership ends is told why', async () => {
  const world = await PartitionWorld.open();
  world.stallDisk();
  const end = world.append(makeBatch());
  world.wait('all', 'all', end);
  world.wait('leader', 'leader', end);
  world.partition.whenReadable(world.waiter('reader', end));
  world.partition.resign(Errors.UNKNOWN_TOPIC_OR_PARTITION);
  expect(world.told.sort()).toEqual([
    'all UNKNOWN_TOPIC_OR_PARTITION',
    'leader UNKNOWN_TOPIC_OR_PARTITION',
    'reader UNKNOWN_TOPIC_OR_PARTITION',
  ]);
  await world.pass(2 * STALL_MS);
  expect(world.told).toHaveLength(3);
});

test('a partition that is not led refuses everything at once, with the reason it was given', async () => {
  const world = await PartitionWorld.open();
  world.wait('append', 'all', world.append(makeBatch()));
  await world.untilTold();
  expect(world.partition.refusal).toBeNull();
  world.partition.resign(Errors.KAFKA_STORAGE_ERROR);
  const refused = { ok: false, row: Errors.KAFKA_STORAGE_ERROR };
  expect(world.partition.refusal).toBe(Errors.KAFKA_STORAGE_ERROR);
  expect(world.partition.append(makeBatch(), 'client')).toMatchObject(refused);
  expect(world.partition.read(offset(0), 1000)).toMatchObject(refused);
  world.wait('late', 'all', 9);
  expect(world.told.at(-1)).toBe('late KAFKA_STORAGE_ERROR');
});

test('a partition is not led before it was told so', async () => {
  const world = await PartitionWorld.open();
  const fresh = new Partition(world.logs.log);
  expect(fresh.append(makeBatch(), 'client')).toMatchObject({ row: Errors.NOT_LEADER_OR_FOLLOWER });
  expect(fresh.leaderEpoch).toBe(-1);
});

test('a read from the disk during which the leadership ends is refused', async () => {
  const world = await PartitionWorld.open();
  world.wait('append', 'all', world.append(makeBatch()));
  // Too much for the cache of this world, so that the first batch is on the disk alone.
  for (let i = 0; i < 50; i++) world.append(makeBatch({ valueBytes: 100, tag: i }));
  await world.pass(1000);
  const read = world.partition.read(offset(0), 1000);
  expect(read).toBeInstanceOf(Promise);
  world.partition.resign(Errors.NOT_LEADER_OR_FOLLOWER);
  expect(await world.logs.run(Promise.resolve(read))).toMatchObject({
    ok: false,
    row: Errors.NOT_LEADER_OR_FOLLOWER,
  });
});

test('an epoch has its place in the log, also if nothing is written under it', async () => {
  const world = await PartitionWorld.open();
  world.wait('append', 'all', world.append(makeBatch()));
  await world.untilTold();
  world.lead(4);
  const { leaderEpochs } = world.partition.log;
  expect(leaderEpochs.entries.at(-1)).toEqual({ epoch: 4, startOffset: 1 });
  world.lead(6);
  world.append(makeBatch());
  expect(leaderEpochs.entries).toEqual([
    { epoch: 1, startOffset: 0 },
    { epoch: 6, startOffset: 1 },
  ]);
});

test('a change of leadership that was overtaken by a newer one is not carried out', async () => {
  const world = await PartitionWorld.open();
  world.lead(5);
  world.lead(4);
  expect(world.partition.leaderEpoch).toBe(5);
});

test('deadlines end waiting, and the append stays', async () => {
  const world = await PartitionWorld.open();
  world.stallDisk();
  const end = world.append(makeBatch());
  world.partition.whenSafe('all', world.waiter('all', end, 100));
  world.partition.whenSafe('leader', world.waiter('leader', end, 200));
  world.partition.expire(150);
  expect(world.told).toEqual(['all REQUEST_TIMED_OUT']);
  world.partition.expire(200);
  expect(world.told).toEqual(['all REQUEST_TIMED_OUT', 'leader REQUEST_TIMED_OUT']);
  await world.pass(2 * STALL_MS);
  expect(world.partition.highWatermark).toBe(1);
});

test('a reader that no longer waits is not told', async () => {
  const world = await PartitionWorld.open();
  const reader = world.waiter('reader', 1);
  world.partition.whenReadable(reader);
  world.partition.stopWaiting(reader);
  world.wait('append', 'all', world.append(makeBatch()));
  await world.untilTold();
  expect(world.told).toEqual(['append NONE']);
});
