import { expect, test } from 'vitest';
import { BrokerChannels } from '../../../src/client/broker-channels.ts';
import { ClusterMetadata } from '../../../src/client/cluster-metadata.ts';
import { LeaderCalls } from '../../../src/client/leader-calls.ts';
import { OffsetLookup } from '../../../src/client/offset-lookup.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { FakeCluster } from '../../support/fake-broker.ts';

const options = { readCommitted: false, timeoutMs: 2000 };

async function setUp() {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const cluster = await FakeCluster.start(env.timers);
  const settings = { bootstrap: cluster.addresses, tls: undefined };
  const channels = new BrokerChannels(settings, env, cluster.transport);
  const metadata = new ClusterMetadata({ requestTimeoutMs: 2000, maxAgeMs: 60_000 }, env, channels);
  const lookup = new OffsetLookup(new LeaderCalls(env, channels, metadata), metadata);
  const run = <T>(promise: Promise<T>): Promise<T> => scheduler.complete(promise);
  return { cluster, lookup, metadata, run, scheduler };
}

const both = [
  { topic: 'orders', partition: 1 },
  { topic: 'orders', partition: 0 },
];

test('offsets come in the order of the partitions, in one call', async () => {
  const { cluster, lookup, run } = await setUp();
  cluster.addTopic('orders', 2);
  cluster.partition('orders', 0).logStartOffset = 3;
  cluster.partition('orders', 1).nextOffset = 9;
  expect(await run(lookup.find(both, 'earliest', options))).toEqual([0, 3]);
  expect(await run(lookup.find(both, 'latest', options))).toEqual([9, 0]);
  expect(cluster.calls).toEqual(['ListOffsets', 'ListOffsets']);
});

test('an offset that is given needs no call', async () => {
  const { cluster, lookup, run } = await setUp();
  expect(await run(lookup.find(both, { offset: 5 }, options))).toEqual([5, 5]);
  expect(cluster.calls).toEqual([]);
});

test('a time that no record has stands for the end', async () => {
  const { cluster, lookup, run } = await setUp();
  cluster.addTopic('orders', 2);
  cluster.partition('orders', 1).nextOffset = 9;
  expect(await run(lookup.find(both, { timestampMs: 1 }, options))).toEqual([9, 0]);
});

test('partitions that cannot be asked now are asked again', async () => {
  const { cluster, lookup, run, scheduler } = await setUp();
  const finding = lookup.find(both, 'latest', options);
  await scheduler.run(200);
  cluster.addTopic('orders', 2);
  expect(await run(finding)).toEqual([0, 0]);
});

test('when the time is up the error names the partition', async () => {
  const { lookup, run, scheduler } = await setUp();
  const finding = run(lookup.find(both, 'latest', options));
  await expect(finding).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  await expect(finding).rejects.toThrow('offset of orders-1: ');
  expect(scheduler.nowMs).toBeLessThan(2100);
});

test('a partition that does not exist is given up after some seconds', async () => {
  const { cluster, lookup, run, scheduler } = await setUp();
  cluster.addTopic('orders', 1);
  const finding = run(lookup.find(both, 'latest', { ...options, timeoutMs: 60_000 }));
  await expect(finding).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  await expect(finding).rejects.toThrow('offset of orders-1: ');
  expect(scheduler.nowMs).toBeGreaterThan(2500);
  expect(scheduler.nowMs).toBeLessThan(5000);
});

test('an answer that shows that the metadata is old has it refreshed', async () => {
  const { cluster, lookup, metadata, run } = await setUp();
  cluster.addTopic('orders', 2);
  await run(metadata.refresh('orders'));
  cluster.addTopic('orders', 1);
  await run(lookup.find(both, 'latest', options)).catch(() => {});
  expect(metadata.topic('orders')!.partitions).toHaveLength(1);
});
