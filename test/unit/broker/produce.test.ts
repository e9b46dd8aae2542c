import { expect, test } from 'vitest';
import type { LogRead } from '../../../src/log/log-reader.ts';
import { Errors } from '../../../src/model/errors.ts';
import { offset, producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { makeBatch } from '../log/log-world.ts';
import { BrokerWorld, item, told } from './broker-world.ts';

async function withTopic(settings: { [key: string]: string } = {}) {
  const world = await BrokerWorld.open({ 'log.retention.ms': '-1', ...settings });
  await world.createTopic('t', 3);
  return world;
}

test('every item is answered, in order, also when some are refused', async () => {
  const world = await withTopic();
  const results = await world.produce([
    item('t', 2, makeBatch({ count: 3 })),
    item('t', 9, makeBatch()),
    item('t', 0, makeBatch()),
    item('t', 2, makeBatch()),
    item('t', 1, new Uint8Array(5)),
  ]);
  expect(told(results)).toEqual([
    '0 NONE',
    '-1 UNKNOWN_TOPIC_OR_PARTITION',
    '0 NONE',
    '3 NONE',
    '-1 CORRUPT_MESSAGE',
  ]);
});

test('a request for nothing is answered with nothing', async () => {
  const world = await withTopic();
  expect(await world.produce([])).toEqual([]);
});

test('an answer says where the log starts, and when it was appended if the topic keeps that', async () => {
  const world = await withTopic();
  await world.createTopic('stamped', 1, { 'message.timestamp.type': 'LogAppendTime' });
  await world.produce([item('t', 0, makeBatch({ count: 4 }))]);
  await world.run(world.broker.deleteRecords('t', 0, 2));
  const [created, stamped] = await world.produce([
    item('t', 0, makeBatch()),
    item('stamped', 0, makeBatch()),
  ]);
  expect(created).toMatchObject({ baseOffset: 4, logStartOffset: 2, logAppendTimeMs: -1 });
  expect(stamped!.logAppendTimeMs).toBeGreaterThan(0);
});

test('the answer waits for the slowest item', async () => {
  const world = await withTopic();
  world.machine.disk.plan({ operation: 'sync', path: /t-1\/.*\.log$/, delayMs: 5000 });
  const before = world.machine.scheduler.nowMs;
  const items = [0, 1, 2].map((partition) => item('t', partition, makeBatch()));
  expect(told(await world.produce(items))).toEqual(['0 NONE', '0 NONE', '0 NONE']);
  expect(world.machine.scheduler.nowMs - before).toBeGreaterThan(4999);
});

test('a disk that stalls beyond the time of a request is told, and the records stay', async () => {
  const world = await withTopic();
  world.stallDisk(10_000);
  const [late] = await world.produce([item('t', 0, makeBatch())], 'leader', 1000);
  expect(late).toMatchObject({ row: Errors.REQUEST_TIMED_OUT, baseOffset: -1 });
  expect(late!.detail).toContain('appended to t-0, but not known to be safe');
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual(['1 NONE']);
});

test('a repetition is answered with the place of its original', async () => {
  const world = await withTopic();
  const batch = (baseSequence: number) =>
    item('t', 0, makeBatch({ producer: { id: producerId(5), epoch: 0, baseSequence } }));
  await world.produce([batch(0)]);
  await world.produce([batch(1)]);
  expect(told(await world.produce([batch(0)]))).toEqual(['0 NONE']);
});

test('requests beyond the memory for them are refused by name, and none of that is lost', async () => {
  const world = await withTopic({ 'queued.max.request.bytes': '1MiB' });
  const big = () => [item('t', 0, makeBatch({ valueBytes: 900_000 }))];
  world.stallDisk();
  const first = world.broker.produce(big(), { acks: 'all', timeoutMs: 30_000 });
  const [second] = await world.broker.produce(big(), { acks: 'all', timeoutMs: 30_000 });
  expect(second).toMatchObject({ row: Errors.BROKER_OVERLOADED, baseOffset: -1 });
  expect(told(await world.run(first))).toEqual(['0 NONE']);
  expect(told(await world.produce(big()))).toEqual(['1 NONE']);
});

test('many small items count against the memory, too', async () => {
  const world = await withTopic({ 'queued.max.request.bytes': '1MiB' });
  world.stallDisk();
  const items = Array.from({ length: 3000 }, () => item('t', 0, makeBatch()));
  const first = world.broker.produce(items, { acks: 'all', timeoutMs: 30_000 });
  const second = world.broker.produce([item('t', 0, makeBatch())], { acks: 'all', timeoutMs: 9 });
  expect(await second).toMatchObject([{ row: Errors.BROKER_OVERLOADED }]);
  expect(await world.run(first)).toHaveLength(3000);
});

test('a small batch does not keep the large message that it came in', async () => {
  const world = await withTopic();
  const message = new Uint8Array(100_000);
  const batch = makeBatch();
  message.set(batch);
  const records = message.subarray(0, batch.length);
  expect(told(await world.produce([item('t', 0, records)]))).toEqual(['0 NONE']);
  message.fill(0);
  const log = world.logs.log({ topic: 't', partition: 0 })!;
  const read = await log.read(offset(0), 1000, offset(1));
  expect(new BatchView((read as LogRead).batches[0]!, 0).isCrcValid()).toBe(true);
});

test('what the topic does not allow is refused with its reason', async () => {
  const world = await withTopic();
  await world.createTopic('small', 1, { 'max.message.bytes': '1000' });
  const [large] = await world.produce([item('small', 0, makeBatch({ valueBytes: 2000 }))]);
  expect(large).toMatchObject({ row: Errors.MESSAGE_TOO_LARGE, logStartOffset: 0 });
  expect(large!.detail).toMatch(/\d+ bytes.*1000/);
});

test('a topic id that is not that of the topic is refused', async () => {
  const world = await withTopic();
  const topicId = new Uint8Array(16);
  const [result] = await world.produce([{ ...item('t', 0, makeBatch()), topicId }]);
  expect(result).toMatchObject({ row: Errors.INCONSISTENT_TOPIC_ID });
  const real = Buffer.from([...world.broker.image.topics.keys()][0]!, 'base64url');
  const [right] = await world.produce([{ ...item('t', 0, makeBatch()), topicId: real }]);
  expect(right).toMatchObject({ row: Errors.NONE });
});
