import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StartServerOptions, startServer } from '../../../src/server/main.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'varve-server-'));
});
afterEach(() => rm(folder, { recursive: true }));

const anyPort = {
  'grpc.listener': '127.0.0.1:0',
  'http.listener': '127.0.0.1:0',
  'kafka.listeners': '127.0.0.1:0',
};

const start = (options: Partial<StartServerOptions> = {}) =>
  startServer({
    dataDir: join(folder, 'data'),
    settings: anyPort,
    logger: silentLogger,
    onFatal: () => {},
    ...options,
  });

test('a node serves in this process until it is closed, and is the same one afterwards', async () => {
  const first = await start();
  expect(first.grpcAddress).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  const ready = await fetch(`http://${first.httpAddress}/readyz`);
  expect(await ready.json()).toEqual({ ready: true, reasons: [] });
  const metrics = await fetch(`http://${first.httpAddress}/metrics`);
  expect(await metrics.text()).toMatch(/^varve_broker_leader_partitions 0$/m);
  await first.close();
  const second = await start({ settings: new Map(Object.entries(anyPort)) });
  expect(second.clusterId).toBe(first.clusterId);
  expect(second.nodeId).toBe(1);
  await second[Symbol.asyncDispose]();
});

test('two nodes run beside each other in one process, but not on one folder', async () => {
  await using first = await start();
  await expect(start()).rejects.toThrow(/is in use by another broker/);
  await using other = await start({ dataDir: join(folder, 'other') });
  expect(other.grpcAddress).not.toBe(first.grpcAddress);
});

test('a folder is meant relative to where the process is', async () => {
  const name = join(relative(process.cwd(), folder), 'relative');
  await using first = await start({ dataDir: name });
  await expect(start({ dataDir: join(folder, 'relative') })).rejects.toThrow(/is in use/);
  expect(first.clusterId).not.toBe('');
});

test('a setting that is not valid is refused', async () => {
  await expect(start({ settings: { 'node.idd': '1' } })).rejects.toThrow(/node\.id/);
});
