import { expect, test } from 'vitest';
import { openClient } from '../../../src/client/client.ts';
import { connect } from '../../../src/client/connect.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { FakeCluster } from '../../support/fake-broker.ts';
import { fakeWorld } from '../../support/fake-broker-client.ts';

test('connecting fails at once when nobody is there, and says what to check', async () => {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const { transport } = await FakeCluster.start(env.timers);
  const opening = openClient({ brokers: ['nowhere:9095'] }, { env, transport });
  await expect(scheduler.complete(opening)).rejects.toThrow(
    /no broker can be reached at nowhere:9095 .*gRPC listener/,
  );
});

test('options that make no sense are refused', async () => {
  await expect(connect({ brokers: [] })).rejects.toThrow('option `brokers` is empty');
  await expect(connect({ brokers: ['localhost'] })).rejects.toThrow('is not HOST:PORT');
  const brokers = ['127.0.0.1:1'];
  await expect(connect({ brokers, requestTimeoutMs: 0 })).rejects.toThrow(
    'requestTimeoutMs must be',
  );
});

test('connecting over a real socket to nobody fails at once', async () => {
  const connecting = connect({ brokers: ['127.0.0.1:1'] });
  await expect(connecting).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION', retriable: true });
});

test('a signal gives up connecting', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(connect({ brokers: ['127.0.0.1:1'], signal })).rejects.toThrow('enough');
});

test('closing the client closes what was made of it, sends what waits, and refuses more', async () => {
  const { cluster, client, run, pass } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer({ lingerMs: 60_000 });
  const consumer = client.consumer({ topics: ['orders'], from: 'earliest' });
  const sent = producer.send({ topic: 'orders', value: 'x' });
  const reading = (async () => {
    for await (const _ of consumer);
  })();
  await pass(100);
  await run(Promise.all([client.close(), client.close(), client[Symbol.asyncDispose]()]));
  await run(Promise.all([sent, reading]));
  await pass(10);
  expect(cluster.openStreams).toBe(0);
  expect(() => client.producer()).toThrow('the client is closed');
  expect(() => client.consumer({ topics: ['orders'] })).toThrow('the client is closed');
  expect(() => client.admin()).toThrow('the client is closed');
  expect(cluster.errors).toEqual([]);
});

test('closing with a signal does not wait for what cannot be delivered', async () => {
  const { cluster, client, run, machine } = await fakeWorld();
  cluster.addTopic('orders');
  cluster.onProduce = () => 'ignore';
  const code = client
    .producer()
    .send({ topic: 'orders', value: 'x' })
    .catch((error) => error.code);
  const controller = new AbortController();
  const closed = client.close({ signal: controller.signal });
  controller.abort();
  await run(closed);
  expect(await code).toMatch(/CLOSED|OUTCOME_UNKNOWN/);
  expect(machine.scheduler.nowMs).toBeLessThan(1000);
});

test('a producer that was closed is not kept', async () => {
  const { client, run } = await fakeWorld();
  await run(client.producer().close());
  await run(client.consumer({ topics: ['x'] }).close());
  await run(client.close());
});
