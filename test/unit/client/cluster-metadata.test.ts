import { expect, test } from 'vitest';
import { BrokerChannels } from '../../../src/client/broker-channels.ts';
import { ClusterMetadata } from '../../../src/client/cluster-metadata.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { FakeCluster } from '../../support/fake-broker.ts';
import { FakePartition } from '../../support/fake-broker-partition.ts';

async function setUp() {
  const machine = simulatedEnv({ seed: 1 });
  const { env, scheduler } = machine;
  const cluster = await FakeCluster.start(env.timers, { nodes: 2 });
  const settings = { bootstrap: cluster.addresses, tls: undefined };
  const channels = new BrokerChannels(settings, env, cluster.transport);
  const metadata = new ClusterMetadata({ requestTimeoutMs: 2000, maxAgeMs: 60_000 }, env, channels);
  const run = <T>(promise: Promise<T>): Promise<T> => scheduler.complete(promise);
  return { cluster, channels, metadata, scheduler, run };
}

const asked = ({ calls }: FakeCluster) => calls.filter((call) => call === 'DescribeTopics').length;

test('who begins to use a topic at the same time shares a call, who begins later asks anew', async () => {
  const { cluster, metadata, run } = await setUp();
  cluster.addTopic('orders', 3);
  const load = () => metadata.load('orders', { timeoutMs: 1000 });
  const [first, second] = await run(Promise.all([load(), load(), load()]));
  expect(first).toBe(second);
  expect(first.partitions.map(({ leaderId }) => leaderId)).toEqual([1, 2, 1]);
  expect(first.topicIdBytes).toHaveLength(16);
  expect(asked(cluster)).toBe(1);
  cluster.addTopic('orders', 4);
  expect((await run(load())).partitions).toHaveLength(4);
  expect(asked(cluster)).toBe(2);
});

test('a partition that the topic lacks is waited for, some seconds', async () => {
  const { cluster, metadata, run, scheduler } = await setUp();
  const topic = cluster.addTopic('orders', 2);
  const load = (partition: number) => metadata.load('orders', { timeoutMs: 60_000, partition });
  const loading = load(2);
  await scheduler.run(1000);
  topic.partitions.push(new FakePartition(1));
  expect((await run(loading)).partitions).toHaveLength(3);
  expect(scheduler.nowMs).toBeLessThan(2500);
  const startMs = scheduler.nowMs;
  expect((await run(load(3))).partitions).toHaveLength(3);
  expect(scheduler.nowMs - startMs).toBeGreaterThan(2500);
  expect(scheduler.nowMs - startMs).toBeLessThan(5000);
});

test('what was known before does not stand in for an answer that does not come', async () => {
  const { cluster, metadata, run } = await setUp();
  cluster.addTopic('orders');
  await run(metadata.refresh('orders'));
  await run(Promise.all([cluster.stopNode(1), cluster.stopNode(2)]));
  const loading = run(metadata.load('orders', { timeoutMs: 1000 }));
  await expect(loading).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' });
});

test('it also learns where the brokers are', async () => {
  const { cluster, channels, metadata, run } = await setUp();
  cluster.addTopic('orders');
  await run(metadata.refresh('orders'));
  expect(channels.channelOf(2)).toBeDefined();
});

test('a topic that is not there is waited for, then told of by name', async () => {
  const { metadata, run, scheduler } = await setUp();
  const loading = run(metadata.load('orders', { timeoutMs: 60_000 }));
  await expect(loading).rejects.toThrow('topic "orders" does not exist in this cluster');
  expect(scheduler.nowMs).toBeGreaterThan(2500);
  expect(scheduler.nowMs).toBeLessThan(5000);
});

test('the caller’s time is kept to when no broker answers', async () => {
  const { cluster, metadata, run } = await setUp();
  await run(Promise.all([cluster.stopNode(1), cluster.stopNode(2)]));
  const loading = run(metadata.load('orders', { timeoutMs: 1000 }));
  await expect(loading).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' });
});

test('a signal ends the wait', async () => {
  const { metadata, scheduler } = await setUp();
  const controller = new AbortController();
  const { signal } = controller;
  const loading = metadata.load('orders', { timeoutMs: 60_000, signal });
  loading.catch(() => {});
  await scheduler.run(500);
  controller.abort(new Error('enough'));
  await expect(scheduler.complete(loading)).rejects.toThrow('enough');
});

test('what a broker says of a leader counts if it is newer and can be reached', async () => {
  const { cluster, metadata, run } = await setUp();
  cluster.addTopic('orders');
  await run(metadata.refresh('orders'));
  const learn = (leaderId: number, leaderEpoch: number) =>
    metadata.learnLeader('orders', 0, { leaderId, leaderEpoch });
  expect(learn(2, 0)).toBe(false);
  expect(learn(7, 5)).toBe(false);
  expect(learn(2, 5)).toBe(true);
  expect(metadata.topic('orders')!.partitions[0]).toEqual({ leaderId: 2, leaderEpoch: 5 });
  expect(metadata.learnLeader('other', 0, { leaderId: 2, leaderEpoch: 9 })).toBe(false);
});

test('an answer that is older than what is known does not put the leader back', async () => {
  const { cluster, metadata, run } = await setUp();
  cluster.addTopic('orders');
  await run(metadata.refresh('orders'));
  metadata.learnLeader('orders', 0, { leaderId: 2, leaderEpoch: 5 });
  await run(metadata.refresh('orders'));
  expect(metadata.topic('orders')!.partitions[0]!.leaderId).toBe(2);
  // A topic made anew begins with epoch 0 again.
  cluster.addTopic('orders');
  await run(metadata.refresh('orders'));
  expect(metadata.topic('orders')!.partitions[0]).toEqual({ leaderId: 1, leaderEpoch: 0 });
});

test('an answer with fewer partitions of the same topic is that of a broker that lags behind', async () => {
  const { cluster, metadata, run } = await setUp();
  const topic = cluster.addTopic('orders', 3);
  await run(metadata.refresh('orders'));
  topic.partitions.pop();
  await run(metadata.refresh('orders'));
  expect(metadata.topic('orders')?.partitions).toHaveLength(3);
  // Made anew it may well have fewer.
  cluster.addTopic('orders', 1);
  await run(metadata.refresh('orders'));
  expect(metadata.topic('orders')?.partitions).toHaveLength(1);
});

test('what is wanted just when an answer has come is asked for again', async () => {
  const { cluster, metadata, run } = await setUp();
  cluster.addTopic('orders');
  let again: Promise<void> | undefined;
  metadata.onChange(() => {
    again ??= Promise.resolve().then(() => metadata.refresh('orders'));
  });
  await run(metadata.refresh('orders'));
  await run(again!);
  expect(asked(cluster)).toBe(2);
});

test('a topic that is gone is forgotten, and why is remembered', async () => {
  const { cluster, metadata, run } = await setUp();
  cluster.addTopic('orders');
  await run(metadata.refresh('orders'));
  cluster.removeTopic('orders');
  let told = 0;
  const unlisten = metadata.onChange(() => told++);
  await run(metadata.refresh('orders'));
  expect(metadata.topic('orders')).toBeUndefined();
  expect(metadata.errorOf('orders')?.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  unlisten();
  await run(metadata.refresh('orders'));
  expect(told).toBe(1);
});

test('topics in use are kept fresh until that is stopped', async () => {
  const { cluster, metadata, scheduler } = await setUp();
  cluster.addTopic('orders');
  const stop = metadata.keepFresh(() => ['orders']);
  await scheduler.run(200_000);
  expect(asked(cluster)).toBe(3);
  stop();
  await scheduler.run(400_000);
  expect(asked(cluster)).toBe(3);
});
