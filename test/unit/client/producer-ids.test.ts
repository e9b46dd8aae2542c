import { expect, test } from 'vitest';
import { BrokerChannels } from '../../../src/client/broker-channels.ts';
import { ProducerIds } from '../../../src/client/producer-ids.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { FakeCluster } from '../../support/fake-broker.ts';

async function setUp() {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const cluster = await FakeCluster.start(env.timers);
  const settings = { bootstrap: cluster.addresses, tls: undefined };
  const channels = new BrokerChannels(settings, env, cluster.transport);
  let changes = 0;
  const ids = new ProducerIds(1000, env, channels, () => changes++);
  const changed = async (count: number) => scheduler.run(() => changes >= count);
  return { cluster, ids, changed, scheduler };
}

test('one id is got, however often it is asked for', async () => {
  const { cluster, ids, changed } = await setUp();
  ids.ask();
  ids.ask();
  await changed(1);
  ids.ask();
  expect(ids.current).toEqual({ id: 1000, epoch: 0 });
  expect(cluster.calls).toEqual(['AllocateProducerId']);
});

test('an id that is used up is replaced by another', async () => {
  const { ids, changed } = await setUp();
  ids.ask();
  await changed(1);
  ids.retire(ids.current!);
  expect(ids.current).toBeUndefined();
  ids.ask();
  await changed(2);
  expect(ids.current?.id).toBe(1001);
});

test('after a failure the error is told, and a pause is kept before the next call', async () => {
  const { cluster, ids, changed, scheduler } = await setUp();
  cluster.onCall = () => {
    throw new ApiError(Errors.CLUSTER_AUTHORIZATION_FAILED);
  };
  ids.ask();
  await changed(1);
  expect(ids.error?.code).toBe('CLUSTER_AUTHORIZATION_FAILED');
  ids.ask();
  expect(cluster.calls).toHaveLength(1);
  expect(ids.askAtMs).toBeGreaterThan(scheduler.nowMs);
  await scheduler.run(ids.askAtMs + 1);
  cluster.onCall = () => {};
  ids.ask();
  await changed(2);
  expect(ids.error).toBeUndefined();
  expect(ids.current).toBeDefined();
});
