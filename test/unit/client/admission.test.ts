import { expect, test } from 'vitest';
import { Admission } from '../../../src/client/admission.ts';
import type { ClusterMetadata, TopicMetadata } from '../../../src/client/cluster-metadata.ts';
import { RecordAccumulator } from '../../../src/client/record-accumulator.ts';
import { Compression } from '../../../src/codec/compression.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { anotherClient, fakeWorld } from '../../support/fake-broker-client.ts';
import { FakePartition } from '../../support/fake-broker-partition.ts';
import { numbers } from '../../support/fake-broker-values.ts';

const big = new Uint8Array(900);

test('records that wait for different topics do not wait for each other', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('there');
  const producer = client.producer();
  const missing = producer.send({ topic: 'missing', value: 'x' });
  missing.catch(() => {});
  await run(producer.send({ topic: 'there', value: 'x' }));
  expect(cluster.partition('there').values()).toEqual(['x']);
  expect((await failure(missing)).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

test('records for an unknown topic share one search for it', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  await run(Promise.all([...Array(20)].map(() => producer.send({ topic: 'orders', value: 'x' }))));
  expect(cluster.calls.filter((call) => call === 'DescribeTopics')).toHaveLength(1);
});

test('while one waits for room, the next waits behind it however small it is', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  cluster.onProduce = () => ({ delayMs: 5 });
  const producer = client.producer({ bufferBytes: 2000, batchBytes: 1024 });
  await run(producer.send({ topic: 'orders', value: 'first' }));
  const order: string[] = [];
  const sends = [big, big, big, big, new Uint8Array(1)].map((value, i) =>
    producer.send({ topic: 'orders', value }).then(() => order.push(String(i))),
  );
  await run(Promise.all(sends));
  expect(order).toEqual(['0', '1', '2', '3', '4']);
});

test('a record that is given up while it waits for room is not sent', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer({ bufferBytes: 2000, batchBytes: 1024 });
  await run(producer.send({ topic: 'orders', value: 'first' }));
  cluster.onProduce = () => ({ delayMs: 50 });
  const controller = new AbortController();
  const { signal } = controller;
  const before = [0, 1].map(() => producer.send({ topic: 'orders', value: big }));
  const given = producer.send({ topic: 'orders', value: new Uint8Array(899) }, { signal });
  given.catch(() => {});
  controller.abort(new Error('enough'));
  const after = producer.send({ topic: 'orders', value: big });
  await run(Promise.all([...before, after]));
  expect((await failure(given)).message).toBe('enough');
  const sizes = cluster
    .partition('orders')
    .values()
    .map((value) => value!.length);
  expect(sizes).toEqual([5, 900, 900, 900]);
});

test('a partition that the topic lacks fails only its record, also one that waited', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders', 2);
  const producer = client.producer();
  const outcomes = await run(
    Promise.allSettled(
      [2, 1].map((partition) => producer.send({ topic: 'orders', partition, value: 'x' })),
    ),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a partition that the topic has only just got takes records at once, in their order', async () => {
  const world = await fakeWorld();
  const { cluster, client, run, pass } = world;
  const topic = cluster.addTopic('orders');
  const producer = client.producer();
  await run(producer.send({ topic: 'orders', value: 'x' }));
  const send = (value: string) => producer.send({ topic: 'orders', partition: 1, value });
  const early = numbers(0, 5).map(send);
  await pass(500);
  topic.partitions.push(new FakePartition(1));
  // The topic is known as it is now before those who wait are let in.
  const late: Promise<unknown>[] = [];
  cluster.onCall = (method) => {
    if (method === 'DescribeTopics') late.push(send(String(5 + late.length)));
  };
  await run(Promise.all(early));
  await run(Promise.all(late));
  expect(late.length).toBeGreaterThan(0);
  expect(cluster.partition('orders', 1).values()).toEqual(numbers(0, 5 + late.length));
});

test('a partition that does not come fails its records after some seconds, and others do not wait', async () => {
  const { cluster, client, run, failure, machine } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  const missing = producer.send({ topic: 'orders', partition: 1, value: 'x' });
  missing.catch(() => {});
  await run(producer.send({ topic: 'orders', partition: 0, value: 'x' }));
  expect(machine.scheduler.nowMs).toBeLessThan(1000);
  expect((await failure(missing)).message).toBe('topic orders has partitions 0 to 0, not 1');
  expect(machine.scheduler.nowMs).toBeGreaterThan(2500);
  expect(machine.scheduler.nowMs).toBeLessThan(5000);
});

test('a producer picks among the partitions that there are when it first sends to the topic', async () => {
  const world = await fakeWorld();
  const { cluster, client, run } = world;
  const topic = cluster.addTopic('orders');
  await run(client.producer().send({ topic: 'orders', key: 'a', value: 'x' }));
  for (let i = 0; i < 7; i++) topic.partitions.push(new FakePartition(1));
  const fresh = (await anotherClient(world)).producer();
  const next = client.producer();
  for (const key of numbers(0, 20)) {
    const [one, other] = await run(
      Promise.all([fresh, next].map((p) => p.send({ topic: 'orders', key, value: 'x' }))),
    );
    expect(other!.partition).toBe(one!.partition);
  }
});

test('a record does not overtake those that have waited for the same partition', async () => {
  const { env } = simulatedEnv({ seed: 1 });
  const leader = { leaderId: 1, leaderEpoch: 0 };
  const topicOf = (count: number): TopicMetadata => {
    const partitions = Array(count).fill(leader);
    return {
      name: 'orders',
      topicId: '',
      topicIdBytes: new Uint8Array(16),
      partitions,
      askedMs: 0,
    };
  };
  const loaded = Promise.withResolvers<TopicMetadata>();
  let known = topicOf(1);
  const metadata = { topic: () => known, load: () => loaded.promise } as unknown as ClusterMetadata;
  const settings = {
    compression: Compression.none,
    batchBytes: 1024,
    bufferBytes: 4096,
    isIdempotent: true,
    lingerMs: 0,
    deliveryTimeoutMs: 1000,
    maxInFlight: 5,
  };
  const accumulator = new RecordAccumulator(settings, env, {
    onWork() {},
    onBegun() {},
    onRoom() {},
  });
  accumulator.addTopic(known);
  const admission = new Admission(settings, env, metadata, accumulator);
  const send = () =>
    admission.send('orders', { key: null, value: big, timestampMs: 0 }, 1, undefined);
  void send();
  known = topicOf(2);
  admission.refresh();
  void send();
  expect(admission.waiting()).toHaveLength(2);
  loaded.resolve(known);
  await loaded.promise;
  expect(admission.waiting()).toHaveLength(0);
  void send();
  expect(admission.waiting()).toHaveLength(0);
});
