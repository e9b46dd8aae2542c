import { expect, test } from 'vitest';
import { anotherClient, type FakeWorld, fakeWorld } from '../../support/fake-broker-client.ts';
import { FakePartition } from '../../support/fake-broker-partition.ts';

/** A topic with a record in each partition, and a client that knows it. */
async function filled(world: FakeWorld, partitions: number) {
  world.cluster.addTopic('orders', partitions);
  const producer = world.client.producer();
  for (let partition = 0; partition < partitions; partition++) {
    await world.run(producer.send({ topic: 'orders', partition, value: 'x' }));
  }
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of iterable) taken.push(item);
  return taken;
}

test('what a topic has got since the client heard of it last is read to the end, too', async () => {
  const world = await fakeWorld();
  const topic = world.cluster.addTopic('orders');
  const early = world.client.producer({ value: 'string' });
  await world.run(early.send({ topic: 'orders', partition: 0, value: 'a' }));
  topic.partitions.push(new FakePartition(1));
  const other = await anotherClient(world);
  const late = other.producer({ value: 'string' });
  await world.run(late.send({ topic: 'orders', partition: 1, value: 'b' }));
  const options = { topics: ['orders'], from: 'earliest', until: 'end', value: 'string' } as const;
  const records = await world.run(all(world.client.consumer(options)));
  expect(records.map(({ value }) => value).sort()).toEqual(['a', 'b']);
});

test('a partition that is new to the client is begun where the consumer begins', async () => {
  const world = await fakeWorld();
  const topic = world.cluster.addTopic('orders');
  const producer = world.client.producer({ value: 'string' });
  await world.run(producer.send({ topic: 'orders', partition: 0, value: 'a' }));
  topic.partitions.push(new FakePartition(1));
  const other = await anotherClient(world);
  const late = other.producer({ value: 'string' });
  await world.run(late.send({ topic: 'orders', partition: 1, value: 'before' }));
  const consumer = world.client.consumer({ topics: ['orders'], from: 'latest', value: 'string' });
  const next = consumer[Symbol.asyncIterator]().next();
  await world.pass(100);
  // The client learns of the partition at the latest when its metadata is a minute old.
  await world.pass(100_000);
  await world.run(late.send({ topic: 'orders', partition: 1, value: 'after' }));
  expect((await world.run(next)).value).toMatchObject({ partition: 1, value: 'after' });
});

test('one partition that the topic has only just got can be read', async () => {
  const world = await fakeWorld();
  const topic = world.cluster.addTopic('orders');
  const options = { from: 'earliest', until: 'end' } as const;
  const place = { topic: 'orders', partition: 1 };
  const reading = all(world.client.consumer({ ...options, topics: [place] }));
  await world.pass(500);
  topic.partitions.push(new FakePartition(1));
  expect(await world.run(reading)).toEqual([]);
});

test('a partition that a topic made anew lacks fails the loop like its others', async () => {
  const world = await fakeWorld();
  await filled(world, 3);
  const consumer = world.client.consumer({ topics: [{ topic: 'orders', partition: 2 }] });
  const reading = all(consumer);
  reading.catch(() => {});
  await world.pass(100);
  world.cluster.addTopic('orders', 1);
  world.cluster.dropStreams(1);
  expect((await world.failure(reading)).code).toBe('INCONSISTENT_TOPIC_ID');
  expect(world.machine.scheduler.nowMs).toBeLessThan(5000);
});

test('a seek to an offset by time in a partition that is gone fails in seconds', async () => {
  const world = await fakeWorld();
  await filled(world, 2);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  await world.run(consumer[Symbol.asyncIterator]().next());
  world.cluster.addTopic('orders', 1);
  const startMs = world.machine.scheduler.nowMs;
  const seeking = consumer.seek({ topic: 'orders', partition: 1, timestampMs: 0 });
  expect((await world.failure(seeking)).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect(world.machine.scheduler.nowMs - startMs).toBeLessThan(5000);
});
