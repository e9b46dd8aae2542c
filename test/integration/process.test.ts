import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  BrokerProcess,
  type Finished,
  finished,
  LineOutput,
  run,
  TemporaryFolder,
  varve,
} from '../support/processes.ts';

/** The command `varve` as a process: starting, stopping, being refused, being killed. */

let folder: TemporaryFolder;
let dataDir: string;
let broker: BrokerProcess;
beforeEach(() => {
  folder = new TemporaryFolder();
  dataDir = `${folder.path}/data`;
  broker = new BrokerProcess(dataDir);
});
afterEach(async () => {
  await broker.kill();
  folder[Symbol.dispose]();
});

const anyPort = ['--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0', '--kafka', ''];

/** A start that is expected to be refused. */
const startAgain = (...options: readonly string[]): Promise<Finished> =>
  run(['start', '--data-dir', dataDir, ...anyPort, ...options]);

/** A command that talks to the broker; it must succeed. */
async function ask(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run([...args, '--brokers', broker.address], input);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const consume = async (...options: readonly string[]): Promise<string[]> =>
  (await ask(['consume', 't', '--from', 'earliest', '--until-end', ...options]))
    .split('\n')
    .slice(0, -1);

/** The one line with which a command says why it failed: the last one, after what it has logged. */
const complaint = ({ stderr }: Finished): string => {
  const lines = stderr.trimEnd().split('\n');
  expect(lines.filter((line) => !line.startsWith('{'))).toHaveLength(1);
  return lines.at(-1)!;
};

test('a second broker on the same folder is refused, and the first goes on', async () => {
  await broker.start();
  await ask(['topic', 'create', 't', '--partitions', '1']);
  const second = await startAgain();
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(complaint(second)).toBe(
    `varve: the data directory ${dataDir} is in use by another broker; stop that one, or give another --data-dir`,
  );
  await ask(['produce', 't'], 'still here\n');
  expect(await consume()).toEqual(['still here']);
});

test('after SIGTERM under load nothing is lost, and the next start recovers nothing', async () => {
  await broker.start();
  await ask(['topic', 'create', 't', '--partitions', '3']);
  const connection = ['--brokers', broker.address];
  const producer = varve('produce', 't', ...connection, '--key-separator', ':', '--json');
  const acknowledged = new LineOutput(producer.stdout!);
  const values = Array.from({ length: 200_000 }, (_, at) => `value ${at}`);
  const end = finished(producer);
  producer.stdin!.end(values.map((value, at) => `key ${at % 10}:${value}\n`).join(''));
  await acknowledged.reached(20_000);

  expect(await broker.stop()).toBe(0);
  expect(broker.log).toContain('"msg":"stopped"');
  expect(producer.exitCode).toBeNull();
  await broker.start();
  expect(broker.log).toContain('"logs":3,"damaged":0');
  expect(broker.log).not.toContain('recovering a log');
  expect(await end).toMatchObject({ code: 0, stderr: '' });
  expect((await consume()).sort()).toEqual(values.sort());
});

test('after kill -9 the logs are recovered, and what was acknowledged is there', async () => {
  await broker.start();
  await ask(['topic', 'create', 't', '--partitions', '1']);
  await ask(['produce', 't'], 'one\ntwo\n');
  await broker.kill();
  await broker.start();
  expect(broker.log).toContain('recovering a log');
  expect(await consume()).toEqual(['one', 'two']);
});

test('a producer keeps trying while the broker is away', async () => {
  await broker.start();
  await ask(['topic', 'create', 't', '--partitions', '1']);
  const producer = varve('produce', 't', '--brokers', broker.address, '--json');
  const acknowledged = new LineOutput(producer.stdout!);
  const end = finished(producer);
  producer.stdin!.write('one\n');
  await acknowledged.reached(1);
  await broker.kill();
  producer.stdin!.write('two\n');
  await broker.start();
  producer.stdin!.write('three\n');
  await acknowledged.reached(3);
  await broker.stop();
  producer.stdin!.end('four\n');
  await broker.start();
  expect(await end).toMatchObject({ code: 0, stderr: '' });
  expect(await consume()).toEqual(['one', 'two', 'three', 'four']);
});

test('a folder of another node, of another cluster or of a newer version is refused', async () => {
  await broker.start();
  await broker.stop();
  const node = await startAgain('--node-id', '2');
  expect(node.code).toBe(1);
  expect(complaint(node)).toMatch(/belongs to node 1, not 2; give node id 1, or /);

  const cluster = await startAgain('--set', 'cluster.id=AAAAAAAAAAAAAAAAAAAAAA');
  expect(cluster.code).toBe(1);
  expect(complaint(cluster)).toMatch(/cluster .* not AAAAAAAAAAAAAAAAAAAAAA/);

  const identity = `${dataDir}/identity.json`;
  const text = readFileSync(identity, 'utf8');
  writeFileSync(identity, text.replace(/"formatVersion": \d+/, '"formatVersion": 99'));
  const newer = await startAgain();
  expect(newer.code).toBe(1);
  expect(complaint(newer)).toMatch(/has format 99, this program knows up to \d+; run the version/);

  writeFileSync(identity, text);
  await broker.start();
});

test('a port that is taken is named', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const taken = `127.0.0.1:${port}`;
  const start = (grpc: string, http: string): Promise<Finished> =>
    run(['start', '--data-dir', dataDir, '--grpc', grpc, '--http', http, '--kafka', '']);
  const grpc = await start(taken, '127.0.0.1:0');
  expect(grpc.code).toBe(1);
  expect(complaint(grpc)).toContain(taken);
  const http = await start('127.0.0.1:0', taken);
  expect(http.code).toBe(1);
  expect(complaint(http)).toContain(taken);
  other.close();
});

test('a listener that strangers could reach needs certificates or the word insecure', async () => {
  const open = await run(['start', '--data-dir', dataDir, '--grpc', '0.0.0.0:0']);
  expect(open.code).toBe(78);
  expect(complaint(open)).toMatch(
    /grpc\.listener: 0\.0\.0\.0:0 can be reached from other machines/,
  );
});

test('a wrong setting is refused with its place and exit code 78', async () => {
  const config = `${folder.path}/varve.yaml`;
  const refused = async (text: string): Promise<string> => {
    writeFileSync(config, text);
    const result = await startAgain('--config', config);
    expect(result).toMatchObject({ code: 78, stdout: '' });
    return complaint(result);
  };
  expect(await refused('node.id: 1\nlog:\n  retention.ms: soon\n')).toMatch(
    /varve\.yaml:3:\d+.*log\.retention\.ms.*soon/,
  );
  expect(await refused('node.id: [1\n')).toMatch(/varve\.yaml:\d+:\d+/);
  expect(await refused('log.retention.mss: 1000\n')).toMatch(
    /varve\.yaml:1:1.*log\.retention\.mss.*did you mean log\.retention\.ms/,
  );

  const missing = await startAgain('--config', `${folder.path}/nowhere.yaml`);
  expect(missing.code).toBe(78);
  expect(complaint(missing)).toContain('nowhere.yaml');

  const flag = await startAgain('--set', 'log.retentoin.ms=1');
  expect(flag).toMatchObject({ code: 78, stdout: '' });
  expect(complaint(flag)).toMatch(/log\.retentoin\.ms.*did you mean log\.retention\.ms/);
});

test('a reader whose output is closed ends quietly', async () => {
  await broker.start();
  await ask(['topic', 'create', 't', '--partitions', '1']);
  const lines = Array.from({ length: 20_000 }, (_, at) => `a line of some length ${at}\n`);
  await ask(['produce', 't'], lines.join(''));
  for (const format of ['value', 'json']) {
    const reader = varve(
      ...['consume', 't', '--brokers', broker.address, '--from', 'earliest', '--format', format],
    );
    const errors = new LineOutput(reader.stderr!);
    await once(reader.stdout!, 'data');
    // As `head` does after its lines.
    reader.stdout!.destroy();
    const [code] = await once(reader, 'close');
    expect({ code, stderr: errors.text }).toEqual({ code: 0, stderr: '' });
  }
});

const get = (path: string): Promise<Response> => fetch(`http://${broker.httpAddress}${path}`);

/** Types of the metrics by name, and the series of our own. */
async function metrics(): Promise<{ types: Map<string, string>; series: string[] }> {
  const response = await get('/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/);
  const lines = (await response.text()).split('\n');
  const types = new Map<string, string>();
  for (const line of lines) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1]!, type[2]!);
  }
  const series = lines.flatMap((line) => /^(varve_\S+) \S+$/.exec(line)?.[1] ?? []);
  return { types, series };
}

test('health, readiness and metrics answer, by the conventions of Prometheus', async () => {
  await broker.start();
  expect(await (await get('/healthz')).json()).toEqual({ healthy: true });
  expect(await (await get('/readyz')).json()).toEqual({ ready: true, reasons: [] });
  expect((await get('/elsewhere')).status).toBe(404);

  await ask(['topic', 'create', 't', '--partitions', '1']);
  await ask(['produce', 't'], 'one\n');
  const before = await metrics();
  expect(before.types.size).toBeGreaterThan(5);
  for (const [name, type] of before.types) {
    expect(name).toMatch(/^(varve|process|nodejs)_[a-z0-9_]+$/);
    if (name.startsWith('varve_')) {
      expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|minutes)(_|$)/);
    }
  }

  // Neither the number of topics nor of partitions makes more of them.
  const names = Array.from({ length: 5 }, (_, at) => `topic-${at}`);
  for (const name of names) await ask(['topic', 'create', name, '--partitions', '5']);
  await ask(['produce', names[0]!], 'one\n');
  const after = await metrics();
  expect(after.series).toEqual(before.series);
});
