import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { Env } from '../../../src/env/ports.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import { Server } from '../../../src/server/server.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';
import { ServerWorld } from './server-world.ts';

test('a server that has started serves, and says who and where it is', async () => {
  const world = new ServerWorld();
  const server = await world.start({ 'grpc.listener': 'localhost:0', 'node.id': '7' });
  expect(server.grpcAddress).toMatch(/^localhost:\d+$/);
  expect(server.httpAddress).toBe('');
  expect(server.nodeId).toBe(7);
  const { transport } = world;
  const channel = transport.connect(server.grpcAddress, { maxMessageBytes: 1_000_000 });
  expect(channel).toBeDefined();
  expect(server.clusterId).toMatch(/^[\w-]{22}$/);
  await world.run(server.close());
});

test('clients are told the advertised address, or that of the listener', async () => {
  const world = new ServerWorld();
  const describe = () => world.call(adminMethods.describeCluster, {});
  const first = await world.start();
  expect((await describe()).brokers).toMatchObject([{ host: 'localhost', port: 9095 }]);
  await world.run(first.close());
  await world.start({ 'grpc.advertised.listener': 'broker.example:1234', 'broker.rack': 'r1' });
  expect((await describe()).brokers).toMatchObject([
    { host: 'broker.example', port: 1234, rack: 'r1' },
  ]);
});

test('an address that leads nowhere is not advertised', async () => {
  const world = new ServerWorld();
  const insecure = { 'grpc.listener': '0.0.0.0:9095', insecure: 'true' };
  await expect(world.start(insecure)).rejects.toThrow(/^grpc\.advertised\.listener: /);
  await world.start({ ...insecure, 'grpc.advertised.listener': 'broker.example:9095' });
});

test('records and topics outlive a graceful stop and every crash', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  await world.createTopic('t');
  expect(await world.produce('t')).toBe('0 ok');
  await world.run(server.close());
  await world.start();
  expect(await world.produce('t')).toBe('1 ok');
  world.crash('process');
  await world.start();
  expect(await world.produce('t')).toBe('2 ok');
  world.crash('power');
  await world.start();
  expect(await world.produce('t')).toBe('3 ok');
});

test('every start leads in a new epoch', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  await world.createTopic('t', 2);
  expect(await world.leaderEpochs('t')).toEqual([0, 0]);
  await world.run(server.close());
  await world.start();
  expect(await world.leaderEpochs('t')).toEqual([1, 1]);
  world.crash('power');
  await world.start();
  expect(await world.leaderEpochs('t')).toEqual([2, 2]);
});

test('after a graceful stop no log is looked through, after a crash it is', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  await world.createTopic('t');
  await world.produce('t');
  await world.run(server.close());
  world.lines.length = 0;
  await world.start();
  expect(world.messages()).toContain('opened the data directory');
  expect(world.messages()).not.toContain('recovering a log');
  await world.produce('t');
  world.crash('process');
  world.lines.length = 0;
  await world.start();
  expect(world.messages()).toContain('recovering a log');
});

test('a data directory is used by one server at a time', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  const second = { 'grpc.listener': 'localhost:9096' };
  await expect(world.start(second)).rejects.toThrow(
    'the data directory /data is in use by another broker; stop that one, or give another --data-dir',
  );
  await world.createTopic('still there');
  await world.run(server.close());
  await world.start(second);
});

test('a data directory of another node or cluster is refused', async () => {
  const world = new ServerWorld();
  const server = await world.start({ 'cluster.id': 'mine' });
  expect(server.clusterId).toBe('mine');
  await world.run(server.close());
  await expect(world.start({ 'node.id': '2' })).rejects.toThrow(
    '/data belongs to node 1, not 2; give node id 1, or the data directory of node 2',
  );
  await expect(world.start({ 'cluster.id': 'other' })).rejects.toThrow(
    '/data belongs to cluster mine, not other',
  );
  const again = await world.start();
  expect(again.clusterId).toBe('mine');
});

test('metadata that a newer version has written is refused', async () => {
  const world = new ServerWorld();
  await world.run((await world.start()).close());
  const { stores } = world.machine.env;
  const store = await world.run(stores.open('/data/metadata'));
  const key = new TextEncoder().encode('of a newer version');
  await world.run(store.batch([{ type: 'put', key, value: key }], { sync: true }));
  await world.run(store.close());
  await expect(world.start()).rejects.toMatchObject({ name: 'NewerFormatError' });
});

test('a setting that is unknown, or not valid, is refused before anything is touched', async () => {
  const world = new ServerWorld();
  await expect(world.start({ 'log.segment.byte': '1MiB' })).rejects.toThrow(/log\.segment\.bytes/);
  await expect(world.start({ 'log.segment.bytes': 'large' })).rejects.toThrow(
    /log\.segment\.bytes.*large/,
  );
  await expect(world.start({ 'node.id': '2147483648' })).rejects.toThrow(/node\.id/);
  await expect(world.start({ 'grpc.listener': 'nowhere' })).rejects.toThrow(/HOST:PORT/);
});

test('a start that fails lets go of everything', async () => {
  const world = new ServerWorld();
  const busy = await world.start({}, '/elsewhere');
  await expect(world.start()).rejects.toThrow('cannot listen on localhost:9095: it is in use');
  await world.run(busy.close());
  await world.start();
});

test('a listener beyond loopback needs protection, or a word that it does not', async () => {
  const world = new ServerWorld();
  const open = {
    'grpc.listener': '10.0.0.1:9095',
    'grpc.advertised.listener': 'broker.example:9095',
  };
  await expect(world.start(open)).rejects.toThrow(/can be reached from other machines/);
  await world.start({ ...open, insecure: 'true' });
});

test('a second close waits for the first', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  const first = server.close();
  expect(server.close()).toBe(first);
  await world.run(first);
  await server.close();
  expect(world.messages().filter((message) => message === 'stopped')).toHaveLength(1);
});

test('a stop answers what was taken, and refuses what comes after', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  await world.createTopic('t');
  world.machine.disk.plan({ operation: 'sync', path: /t-0\/.*\.log$/, delayMs: 2000 });
  const channel = world.connect();
  const created = world.call(adminMethods.listTopics, {});
  await created;
  const closed = server.close();
  await expect(world.call(adminMethods.listTopics, {})).rejects.toThrow();
  await world.run(closed);
  await channel.close();
  await world.start();
  expect(await world.produce('t')).toBe('0 ok');
});

test('a stop does not wait for clients longer than it may', async () => {
  const world = new ServerWorld();
  const server = await world.start({ 'shutdown.timeout.ms': '3s' });
  await world.createTopic('t');
  world.machine.disk.plan({ operation: 'sync', path: /t-0\/.*\.log$/, delayMs: 20_000 });
  const produced = world.beginProduce('t');
  await world.pass(10);
  const beganMs = world.machine.scheduler.nowMs;
  const closed = server.close();
  expect(await world.run(produced)).toContain('shutting down');
  expect(world.machine.scheduler.nowMs - beganMs).toBeLessThan(4000);
  await world.run(closed);
});

test('a stop does not wait for ever for a disk that does not answer', async () => {
  const world = new ServerWorld();
  const server = await world.start({ 'shutdown.timeout.ms': '0' });
  await world.createTopic('t');
  world.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs: 1e9, times: 100 });
  const told = world.beginProduce('t');
  await world.pass(10);
  await world.run(server.close());
  expect(await told).toContain('closed');
  expect(world.messages('error')).toEqual([
    'stopped without the disk, which does not answer: the next start recovers the logs',
  ]);
});

test('a disk that fails is fatal: nothing is served any more, and the stop still works', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  await world.createTopic('t');
  world.machine.disk.plan({ operation: 'sync', path: /t-0\/.*\.log$/, code: 'EIO' });
  const beganMs = world.machine.scheduler.nowMs;
  expect(await world.produce('t')).toMatch(/KAFKA_STORAGE_ERROR|^closed: /);
  // Nobody waits for the timeout of the request.
  expect(world.machine.scheduler.nowMs - beganMs).toBeLessThan(5000);
  expect(world.fatal).toHaveLength(1);
  expect(world.messages('error')).toContain('the node cannot go on');
  await expect(world.call(adminMethods.listTopics, {})).rejects.toThrow();
  expect(await world.produce('t')).toMatch(/^closed: /);
  await world.run(server.close());
  world.crash('power');
  await world.start();
  // What became of the record that was refused is not known.
  expect(await world.produce('t')).toMatch(/^[01] ok$/);
});

test('metadata that cannot be stored is fatal, too', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  world.machine.disk.plan({ operation: 'syncStore', path: /metadata/, code: 'EIO', times: 9 });
  await expect(world.createTopic('t')).rejects.toThrow();
  expect(world.fatal).toHaveLength(1);
  await world.run(server.close()).catch(() => {});
});

test('a disk that fails while the server starts is not announced as ready', async () => {
  for (const path of [/identity/, /durable-marks/, /hard-state/, /metadata/]) {
    const world = new ServerWorld();
    const operations = ['sync', 'syncStore', 'syncDirectory', 'write'] as const;
    for (const operation of operations) {
      world.machine.disk.plan({ operation, path, code: 'EIO', times: 1 });
    }
    await expect(world.start()).rejects.toThrow();
    expect(world.messages('info')).not.toContain('stopped');
  }
});

/** A server with HTTP on a disk in memory. */
const startOn = (env: Env, httpListener: string): Promise<Server> =>
  Server.start(
    {
      dataDir: '/data',
      settings: new Map([
        ['grpc.listener', 'localhost:0'],
        ['http.listener', httpListener],
      ]),
    },
    {
      env,
      transport: new InProcessTransport({ onUnexpectedError: () => {} }, env.timers),
      logger: silentLogger,
      metrics: noMetrics,
      onFatal: () => {},
    },
  );

test('while the logs are recovered, HTTP tells how far that is', async () => {
  const env = memoryEnv();
  const first = await startOn(env, '127.0.0.1:0');
  // The next one listens where this one did.
  const { httpAddress } = first;
  await first.close();
  await env.files.makeDirectory('/data/orders-0');
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const list = env.files.list.bind(env.files);
  env.files.list = async (path) => {
    if (path.endsWith('orders-0')) {
      reached.resolve();
      await goOn.promise;
    }
    return await list(path);
  };
  const starting = startOn(env, httpAddress);
  await reached.promise;
  const response = await fetch(`http://${httpAddress}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    ready: false,
    reasons: ['recovering the logs'],
    recovery: { partitions: 1, partitionsDone: 0, scannedBytes: 0 },
  });
  goOn.resolve();
  const second = await starting;
  expect(await (await fetch(`http://${httpAddress}/readyz`)).json()).toEqual({
    ...{ ready: true, reasons: [] },
  });
  await second.close();
});

test('readiness is told over HTTP, and ends with the server', async () => {
  const server = await startOn(memoryEnv(), '127.0.0.1:0');
  const url = `http://${server.httpAddress}/readyz`;
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ ready: true, reasons: [] });
  await server.close();
  await expect(fetch(url)).rejects.toThrow();
});

test('a stop waits for deletions under way: afterwards the folder is somebody else’s', async () => {
  const world = new ServerWorld();
  const server = await world.start();
  await world.createTopic('t');
  await world.produce('t');
  world.machine.disk.plan({ operation: 'rename', path: /-delete$/, delayMs: 3_000 });
  await world.call(adminMethods.deleteTopics, { names: ['t'] });
  await world.run(server.close());
  const names = await world.run(world.machine.env.files.list('/data'));
  expect(names.filter((name) => name.startsWith('t-'))).toEqual([]);
  await world.start();
  await world.createTopic('t');
  expect(await world.produce('t')).toBe('0 ok');
});
