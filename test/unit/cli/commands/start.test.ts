import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { Interrupted } from '../../../../src/cli/exit-code.ts';
import { memoryEnv } from '../../../../src/env/memory-env.ts';
import { replaceFile } from '../../../../src/env/replace-file.ts';
import { type StartServerOptions, startServer } from '../../../../src/server/main.ts';
import { TemporaryFolder } from '../../../support/processes.ts';
import { BrokenPipe, Captured, type RunOptions, varve } from '../run-varve.ts';

/** Starts and stops a server that only says what it was started with. */
async function start(args: readonly string[], options: RunOptions = {}) {
  const stdout = options.stdout ?? new Captured();
  const controller = new AbortController();
  const events: string[] = [];
  let given: StartServerOptions | undefined;
  const finished = await varve(['start', ...args], {
    ...options,
    stdout,
    signal: controller.signal,
    startServer: async (asked) => {
      given = asked;
      events.push('started');
      setImmediate(() => {
        events.push('signal');
        controller.abort(new Interrupted('SIGTERM'));
      });
      const close = async () => {
        events.push('closed');
      };
      return {
        grpcAddress: '127.0.0.1:9095',
        kafkaAddresses: ['127.0.0.1:9092'],
        httpAddress: '127.0.0.1:9644',
        clusterId: 'abc',
        nodeId: 1,
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  });
  const settings = new Map(given?.settings as Iterable<[string, { text: string; origin: string }]>);
  return { ...finished, events, given, settings };
}

test('it says what it serves and stops in order at a signal, with 0', async () => {
  const { code, stdout, stderr, events, given } = await start(['--data-dir', 'data']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(given?.dataDir).toBe('data');
  expect(events).toEqual(['started', 'signal', 'closed']);
  expect(stdout).toMatch(/^varve [\d.]+ is ready: node 1 of cluster abc\n/);
  expect(stdout).toContain('  gRPC        127.0.0.1:9095\n');
  expect(stdout).toContain('  Kafka       127.0.0.1:9092\n');
  expect(stdout).toContain('  HTTP        http://127.0.0.1:9644/metrics\n');
  expect(stdout).toContain(`  data        ${resolve('data')}\n`);
  expect(stdout).toContain('  durability  durable: ');
});

test('with --json it says so in one line', async () => {
  const { stdout } = await start(['--data-dir', '/data', '--json']);
  expect(stdout).toBe(
    '{"event":"ready","grpc":"127.0.0.1:9095","kafka":["127.0.0.1:9092"],"http":"127.0.0.1:9644","dataDir":"/data","clusterId":"abc","nodeId":1}\n',
  );
});

test('options, --set, variables and the file are laid over one another', async () => {
  const env = memoryEnv();
  const yaml = 'grpc.listener: a:1\nhttp.listener: b:2\nlog.segment.bytes: 1MiB\nbroker.rack: r\n';
  await replaceFile(env.files, '/', 'varve.yaml', Buffer.from(yaml));
  const { settings } = await start(
    [
      ...['--data-dir', 'data', '--config', '/varve.yaml', '--grpc', 'c:3', '--node-id', '7'],
      ...['--set', 'broker.rack=s', '--set', 'grpc.listener=d:4', '--insecure'],
    ],
    { env, variables: { VARVE_HTTP_LISTENER: 'e:5', PATH: '/bin' } },
  );
  const texts = [...settings].map(([key, { text, origin }]) => `${key}=${text} (${origin})`);
  expect(texts.sort()).toEqual([
    'broker.rack=s (--set)',
    'grpc.listener=c:3 (--grpc)',
    'http.listener=e:5 (VARVE_HTTP_LISTENER)',
    'insecure=true (--insecure)',
    'log.segment.bytes=1MiB (/varve.yaml:3:1)',
    'node.id=7 (--node-id)',
  ]);
});

test('the file may come from a variable', async () => {
  const env = memoryEnv();
  await replaceFile(env.files, '/', 'varve.yaml', Buffer.from('log.durability: replicated\n'));
  const variables = { VARVE_CONFIG: '/varve.yaml', VARVE_BROKERS: 'a:1', VARVE_DEBUG: '1' };
  const { stdout, stderr } = await start(['--data-dir', 'data'], { env, variables });
  expect(stdout).toContain('  durability  replicated: ');
  expect(stderr).toBe('');
});

test('a variable that is no setting is warned of in the log', async () => {
  const variables = { VARVE_LOG_SEGMENT_BYTE: '1' };
  const { code, stderr } = await start(['--data-dir', 'data'], { variables });
  expect(code).toBe(0);
  expect(JSON.parse(stderr)).toMatchObject({
    level: 'warn',
    warning: expect.stringContaining('VARVE_LOG_SEGMENT_BYTES'),
  });
});

test.each([
  [['--set', 'log.segment.byte=1'], /^varve: --set: log\.segment\.byte: .*log\.segment\.bytes\n$/],
  [['--set', 'log.segment.bytes=big'], /^varve: --set: log\.segment\.bytes: .*\n$/m],
  [['--set', 'log.segment.bytes'], /^varve: --set: log\.segment\.bytes: has no value/],
  [['--config', '/no/such/file.yaml'], /^varve: .*\/no\/such\/file\.yaml.*\n$/],
])('a setting that is wrong ends it with 78: %j', async (args, line) => {
  using folder = new TemporaryFolder();
  const dataDir = `${folder.path}/data`;
  const refused = await varve(['start', '--data-dir', dataDir, ...args], { startServer });
  expect(refused).toMatchObject({ code: 78, stdout: '' });
  expect(refused.stderr).toMatch(line);
});

test('a server that cannot start is one line and 1', async () => {
  const finished = await varve(['start', '--data-dir', 'data'], {
    startServer: async () => {
      throw new Error('the data directory data is in use by another broker');
    },
  });
  expect(finished).toEqual({
    code: 1,
    stdout: '',
    stderr: 'varve: the data directory data is in use by another broker\n',
  });
});

test('it serves on when nobody reads what it says', async () => {
  const { code, events } = await start(['--data-dir', 'data'], { stdout: new BrokenPipe(0) });
  expect(code).toBe(0);
  expect(events).toEqual(['started', 'signal', 'closed']);
});
