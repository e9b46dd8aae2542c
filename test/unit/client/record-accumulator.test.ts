import { expect, test } from 'vitest';
import { RecordAccumulator } from '../../../src/client/record-accumulator.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

const settings = {
  isIdempotent: false,
  lingerMs: 5,
  deliveryTimeoutMs: 1000,
  maxInFlight: 5,
  compression: 0,
  batchBytes: 3000,
  bufferBytes: 15_000,
} as const;

function setUp(partitionCount = 1) {
  const told = { work: 0, room: 0 };
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  const accumulator = new RecordAccumulator(
    settings,
    { clock, random: new SimulatedRandom(1) },
    { onWork: () => told.work++, onBegun: () => told.work++, onRoom: () => told.room++ },
  );
  const leader = { leaderId: 1, leaderEpoch: 0 };
  const topic = accumulator.addTopic({
    name: 'orders',
    topicId: '',
    topicIdBytes: new Uint8Array(16),
    partitions: Array(partitionCount).fill(leader),
    askedMs: 0,
  });
  const send = (bytes: number, wanted = 0) =>
    accumulator.append(topic, { key: null, value: new Uint8Array(bytes), timestampMs: 0 }, wanted);
  const urgent = { isFlushing: true, leaderIsIdle: true, leaderIsBusy: false };
  const drain = () =>
    [...accumulator.active].flatMap((queue) => {
      const batch = queue.next(0, urgent);
      if (batch === undefined) return [];
      accumulator.take(queue, batch);
      return [{ queue, batch }];
    });
  const store = ({ queue, batch }: ReturnType<typeof drain>[number]) =>
    queue.stored(batch, { baseOffset: 0, logAppendTimeMs: -1 }, 0);
  return { accumulator, topic, send, drain, store, told };
}

test('records fill a batch up to its size, and the next begins another', () => {
  const { topic, send, told } = setUp();
  for (let i = 0; i < 3; i++) void send(900);
  expect(told.work).toBe(1);
  const first = topic.queues[0]!.open;
  void send(900);
  expect(first?.isSealed).toBe(true);
  expect(topic.queues[0]!.open?.recordCount).toBe(1);
});

test('a record larger than a batch gets one of its own', () => {
  const { topic, send } = setUp();
  void send(9000);
  expect(topic.queues[0]!.open?.recordCount).toBe(1);
});

test('the buffer refuses what does not fit, and has room again when batches are settled', async () => {
  const { accumulator, send, drain, store, told } = setUp();
  const sent = [0, 1, 2, 3, 4].map(() => send(2800));
  expect(sent.at(-1)).toBeDefined();
  expect(send(2800)).toBeUndefined();
  for (const one of drain()) store(one);
  expect(told.room).toBe(1);
  expect(send(2800)).toBeDefined();
  for (let i = 0; i < 9; i++) for (const one of drain()) store(one);
  expect(accumulator.usedBytes).toBe(0);
  await Promise.all(sent);
});

test('keyless records move to another partition when the batch is full', () => {
  const { topic, send } = setUp(3);
  for (let i = 0; i < 4; i++) void send(900, -1);
  const counts = topic.queues.map((queue) => queue?.open?.recordCount ?? 0).sort();
  expect(counts.filter((count) => count === 1)).toHaveLength(1);
  const sealed = topic.queues.filter((queue) => queue !== undefined && queue.open === undefined);
  expect(sealed).toHaveLength(1);
});

test('flush waits for what is there, not for what comes later', async () => {
  const { accumulator, send, drain, store } = setUp(2);
  void send(10, 0);
  let isDone = false;
  const flushed = accumulator.flush().then(() => {
    isDone = true;
  });
  expect(accumulator.isFlushing).toBe(true);
  const [first] = drain();
  void send(10, 1);
  await Promise.resolve();
  expect(isDone).toBe(false);
  store(first!);
  await flushed;
  expect(accumulator.isFlushing).toBe(false);
});

test('a flush of nothing is done at once', async () => {
  const { accumulator } = setUp();
  await accumulator.flush();
  expect(accumulator.isFlushing).toBe(false);
});

test('a batch that had to be split makes later ones smaller, and its halves count for the flush', async () => {
  const { accumulator, topic, send, drain, store } = setUp();
  void send(1200);
  void send(1200);
  const flushed = accumulator.flush();
  const [{ queue, batch }] = drain() as [ReturnType<typeof drain>[number]];
  const halves = batch.split();
  expect(topic.batchBytes).toBeLessThan(3000);
  expect(accumulator.usedBytes).toBeGreaterThan(2400);
  expect(accumulator.isFlushing).toBe(true);
  for (const half of halves) half.succeed(0, -1);
  await flushed;
  expect(accumulator.usedBytes).toBe(0);
  expect(queue.topic).toBe('orders');
  void store;
});
