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
  mostBatchBytes: 5000,
  bufferBytes: 40_000,
} as const;

function setUp(partitionCount = 1, bufferBytes: number = settings.bufferBytes) {
  const told = { work: 0, room: 0 };
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  const accumulator = new RecordAccumulator(
    { ...settings, bufferBytes },
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
  const { accumulator, send, drain, store, told } = setUp(1, 15_000);
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

/** As many batches as may be are on their way. */
function saturate({ send, drain }: ReturnType<typeof setUp>) {
  const sent = [0, 1, 2, 3, 4].flatMap(() => {
    void send(2800);
    return drain();
  });
  expect(sent).toHaveLength(5);
  return sent;
}

test('a batch that cannot be sent yet takes more records, and is closed when it can', () => {
  const world = setUp();
  const { topic, send, drain, store, told } = world;
  const sent = saturate(world);
  for (let i = 0; i < 4; i++) void send(900);
  const open = topic.queues[0]!.open!;
  expect([open.recordCount, open.isSealed]).toEqual([4, false]);
  const { work } = told;
  store(sent[0]!);
  expect(open.isSealed).toBe(true);
  expect(told.work).toBe(work + 1);
  expect(drain()).toMatchObject([{ batch: open }]);
});

test('a batch that cannot be sent yet is closed at its utmost size, and the next one grows, too', () => {
  const world = setUp();
  const { topic, send, store } = world;
  const sent = saturate(world);
  for (let i = 0; i < 9; i++) void send(900);
  const second = topic.queues[0]!.open!;
  expect(second.recordCount).toBe(4);
  // The first of the two is next.
  store(sent[0]!);
  expect(second.isSealed).toBe(false);
  store(sent[1]!);
  expect(second.isSealed).toBe(true);
});

test('a batch that has grown no larger than usual stays open when it can be sent', () => {
  const world = setUp();
  const sent = saturate(world);
  void world.send(900);
  world.store(sent[0]!);
  expect(world.topic.queues[0]!.open?.isSealed).toBe(false);
});

test('records that may go to any partition go to another one instead of into a larger batch', () => {
  const world = setUp(3);
  const { topic, send } = world;
  saturate(world);
  let largest = 0;
  for (let i = 0; i < 25; i++) {
    void send(900, -1);
    for (const queue of topic.queues) largest = Math.max(largest, queue?.open?.plainBytes ?? 0);
  }
  // One of them was the saturated one.
  expect(topic.unsettled[0]).toBeGreaterThan(settings.maxInFlight);
  expect(largest).toBeLessThanOrEqual(settings.batchBytes);
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
  expect(topic.mostBatchBytes).toBe(topic.batchBytes);
  expect(accumulator.usedBytes).toBeGreaterThan(2400);
  expect(accumulator.isFlushing).toBe(true);
  for (const half of halves) half.succeed(0, -1);
  await flushed;
  expect(accumulator.usedBytes).toBe(0);
  expect(queue.topic).toBe('orders');
  void store;
});
