import { expect, test } from 'vitest';
import { BrokerChannels } from '../../../src/client/broker-channels.ts';
import { ClusterMetadata } from '../../../src/client/cluster-metadata.ts';
import { LeaderCalls } from '../../../src/client/leader-calls.ts';
import type { OffsetAnswer } from '../../../src/rpc/admin-messages.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { FakeCluster } from '../../support/fake-broker.ts';

const three = [2, 0, 1].map((partition) => ({ topic: 'orders', partition }));

/** Three nodes, of which each leads one partition of `orders`; asks for the ends of all. */
async function setUp() {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const cluster = await FakeCluster.start(env.timers, { nodes: 3 });
  cluster.addTopic('orders', 3);
  for (const { partition } of three) cluster.partition('orders', partition).nextOffset = partition;
  const settings = { bootstrap: cluster.addresses, tls: undefined };
  const channels = new BrokerChannels(settings, env, cluster.transport);
  const metadata = new ClusterMetadata({ requestTimeoutMs: 2000, maxAgeMs: 60_000 }, env, channels);
  const leaders = new LeaderCalls(env, channels, metadata);
  const asked: number[] = [];
  cluster.onCall = (method, nodeId) => {
    if (method === 'ListOffsets') asked.push(nodeId);
  };
  const run = <T>(promise: Promise<T>): Promise<T> => scheduler.complete(promise);
  const ends = async (timeoutMs = 20_000): Promise<number[]> => {
    const answers = await leaders.call(
      adminMethods.listOffsets,
      three,
      (some) => ({
        partitions: some.map((each) => ({ ...each, latest: true })),
        readCommitted: false,
      }),
      ({ error }: OffsetAnswer, { isLate }) => isLate || error === undefined,
      { timeoutMs },
    );
    return answers.map(({ error, offset }) => (error === undefined ? offset : -7));
  };
  return { cluster, metadata, asked, run, ends, scheduler };
}

test('each leader is asked for its own, and answers come in the order of the partitions', async () => {
  const { metadata, asked, run, ends } = await setUp();
  await run(metadata.refresh('orders'));
  expect(await run(ends())).toEqual([2, 0, 1]);
  expect(asked.toSorted()).toEqual([1, 2, 3]);
});

test('leaders that are not known are learned from the first answer', async () => {
  const { asked, run, ends } = await setUp();
  expect(await run(ends())).toEqual([2, 0, 1]);
  expect(asked.slice(1).toSorted()).toEqual([2, 3]);
});

test('who leads no more is not asked again', async () => {
  const { cluster, metadata, run, ends } = await setUp();
  await run(metadata.refresh('orders'));
  cluster.moveLeader('orders', 0, 3);
  expect(await run(ends())).toEqual([2, 0, 1]);
});

test('a leader that is gone is waited for, or for its successor', async () => {
  const { cluster, metadata, run, ends, scheduler } = await setUp();
  await run(metadata.refresh('orders'));
  await run(cluster.stopNode(2));
  const asking = ends();
  await scheduler.run(scheduler.nowMs + 1000);
  cluster.moveLeader('orders', 1, 1);
  expect(await run(asking)).toEqual([2, 0, 1]);
});

test('when the time is up the last answer counts', async () => {
  const { cluster, metadata, run, ends } = await setUp();
  await run(metadata.refresh('orders'));
  cluster.moveLeader('orders', 0, 9);
  expect(await run(ends(1000))).toEqual([2, -7, 1]);
});
