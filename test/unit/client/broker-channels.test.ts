import { expect, test } from 'vitest';
import { BrokerChannels } from '../../../src/client/broker-channels.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { FakeCluster } from '../../support/fake-broker.ts';

async function setUp(bootstrap: readonly string[], nodes = 2) {
  const machine = simulatedEnv({ seed: 1 });
  const cluster = await FakeCluster.start(machine.env.timers, { nodes });
  const channels = new BrokerChannels(
    { bootstrap, tls: undefined },
    machine.env,
    cluster.transport,
  );
  const run = <T>(promise: Promise<T>): Promise<T> => machine.scheduler.complete(promise);
  const ask = (timeoutMs = 1000, signal?: AbortSignal) =>
    run(channels.callAny(adminMethods.getCapabilities, {}, { timeoutMs, signal }));
  return { machine, cluster, channels, run, ask };
}

test('a call goes on to the next broker when one cannot be reached', async () => {
  const { ask, machine } = await setUp(['gone:9095', 'node-2:9095']);
  expect((await ask()).nodeId).toBe(2);
  expect(machine.scheduler.nowMs).toBeLessThan(100);
});

test('brokers that were learned are asked before those that were given', async () => {
  const { ask, channels } = await setUp(['node-1:9095']);
  channels.learn([{ nodeId: 2, host: 'node-2', port: 9095, rack: '' }]);
  expect((await ask()).nodeId).toBe(2);
  channels.learn([{ nodeId: 9, host: 'moved', port: 9095, rack: '' }]);
  expect((await ask()).nodeId).toBe(1);
});

test('a call is repeated until the time is up, then fails with the last error', async () => {
  const { ask, machine } = await setUp(['gone:9095']);
  await expect(ask(3000)).rejects.toMatchObject({
    code: 'NETWORK_EXCEPTION',
    message: 'GetCapabilities at gone:9095: nothing listens on gone:9095 in this process',
  });
  expect(machine.scheduler.nowMs).toBeGreaterThan(1500);
  expect(machine.scheduler.nowMs).toBeLessThan(3100);
});

test('an error that no repetition mends fails at once', async () => {
  const { ask, cluster } = await setUp(['node-1:9095']);
  cluster.onCall = () => {
    throw new ApiError(Errors.CLUSTER_AUTHORIZATION_FAILED);
  };
  await expect(ask()).rejects.toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' });
  expect(cluster.calls).toHaveLength(1);
});

test('a call that passes is repeated', async () => {
  const { ask, cluster } = await setUp(['node-1:9095']);
  cluster.onCall = () => {
    if (cluster.calls.length < 4) throw new ApiError(Errors.NOT_CONTROLLER);
  };
  expect((await ask(10_000)).nodeId).toBe(1);
});

test('a signal ends a call, also between two attempts', async () => {
  const { channels, machine } = await setUp(['gone:9095']);
  const controller = new AbortController();
  const { signal } = controller;
  const asked = channels.callAny(adminMethods.getCapabilities, {}, { timeoutMs: 60_000, signal });
  asked.catch(() => {});
  await machine.scheduler.run(500);
  controller.abort(new Error('enough'));
  await expect(machine.scheduler.complete(asked)).rejects.toThrow('enough');
});

test('the first call asks each broker once and names them all when none answers', async () => {
  const { channels, run, machine } = await setUp(['gone:1', 'lost:2']);
  const asked = run(channels.callFirst(adminMethods.getCapabilities, {}, { timeoutMs: 1000 }));
  await expect(asked).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' });
  await expect(asked).rejects.toThrow(/gone:1 \(.*\), lost:2 \(.*\).*does TLS match/);
  const { cause } = (await asked.catch((error: unknown) => error)) as Error;
  expect((cause as AggregateError).errors).toMatchObject([
    { message: 'nothing listens on gone:1 in this process' },
    { message: 'nothing listens on lost:2 in this process' },
  ]);
  expect(machine.scheduler.nowMs).toBeLessThan(50);
});

test('only nodes whose address is known can be reached', async () => {
  const { channels, run } = await setUp(['node-1:9095']);
  expect(channels.channelOf(1)).toBeUndefined();
  channels.learn([{ nodeId: 1, host: 'node-1', port: 9095, rack: '' }]);
  expect(channels.channelOf(1)).toBe(channels.channelOf(1));
  await run(channels.close());
  expect(channels.channelOf(1)).toBeUndefined();
});

test('a stream to a node is named by its address as well, if that is known', async () => {
  const { channels } = await setUp(['node-1:9095']);
  expect(channels.streamName(1)).toBe('stream to broker 1');
  channels.learn([{ nodeId: 1, host: '::1', port: 9095, rack: '' }]);
  expect(channels.streamName(1)).toBe('stream to broker 1 at [::1]:9095');
});

test('after the close calls are refused, and no brokers at all is an error', async () => {
  const { channels, run, ask } = await setUp(['node-1:9095']);
  await run(channels.close());
  await expect(ask()).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(setUp([])).rejects.toThrow('option `brokers` is empty');
});
