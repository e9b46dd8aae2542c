import { expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { fakeWorld } from '../../support/fake-broker-client.ts';

async function setUp(nodes = 2, partitions = 4) {
  const world = await fakeWorld({ nodes });
  world.cluster.addTopic('orders', partitions);
  const producer = world.client.producer();
  const send = (partition: number) =>
    world.run(producer.send({ topic: 'orders', partition, value: new Uint8Array(1000) }));
  for (let i = 0; i < 20; i++) for (let p = 0; p < partitions; p++) await send(p);
  world.cluster.fetches.length = 0;
  return world;
}

const granted = (world: Awaited<ReturnType<typeof setUp>>) =>
  world.cluster.fetches.reduce((sum, { creditBytes }) => sum + creditBytes, 0);

test('partitions of one leader are positioned by one request', async () => {
  const world = await setUp();
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  await world.run(consumer[Symbol.asyncIterator]().next());
  const positioned = world.cluster.fetches.filter(({ positions }) => positions.length > 0);
  expect(positioned.map(({ positions }) => positions.length)).toEqual([2, 2]);
});

test('all streams together fetch no more ahead than was allowed', async () => {
  const world = await setUp(4, 4);
  const options = { topics: ['orders'], from: 'earliest', prefetchBytes: 20_000 } as const;
  const consumer = world.client.consumer(options);
  const iterator = consumer[Symbol.asyncIterator]();
  await world.run(iterator.next());
  await world.pass(1000);
  expect(granted(world)).toBeLessThanOrEqual(20_000 + 1100);
  const before = granted(world);
  for (let i = 0; i < 15; i++) await world.run(iterator.next());
  await world.pass(1000);
  expect(granted(world) - before).toBeLessThanOrEqual(16 * 1100);
});

test('a stream that is refused again and again is opened with growing pauses', async () => {
  const world = await setUp(1, 1);
  world.cluster.onFetch = () => Errors.NOT_LEADER_OR_FOLLOWER;
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  const next = consumer[Symbol.asyncIterator]().next();
  await world.pass(10_000);
  const count = world.cluster.fetches.filter(({ positions }) => positions.length > 0).length;
  expect(count).toBeGreaterThan(8);
  expect(count).toBeLessThan(40);
  world.cluster.onFetch = () => undefined;
  expect((await world.run(next)).value?.offset).toBe(0);
});

test('a partition that has nothing more to give is no longer read from the broker', async () => {
  const world = await setUp(1, 2);
  world.cluster.partition('orders', 0).batches.splice(3);
  world.cluster.partition('orders', 0).nextOffset = 3;
  const options = { topics: ['orders'], from: 'earliest', until: 'end' } as const;
  const iterator = world.client.consumer(options)[Symbol.asyncIterator]();
  for (let i = 0; i < 10; i++) await world.run(iterator.next());
  await world.pass(10);
  const stopped = world.cluster.fetches.flatMap(({ stops }) => stops);
  expect(stopped.map(({ partition }) => partition)).toEqual([0]);
});

test('what a lost stream had been granted is free for the next one', async () => {
  const world = await setUp(1, 1);
  const options = { topics: ['orders'], from: 'earliest', prefetchBytes: 3000 } as const;
  const iterator = world.client.consumer(options)[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) {
    world.cluster.dropStreams(1);
    expect((await world.run(iterator.next())).value?.offset).toBe(i);
  }
});
