import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const main = new URL('../../../src/client/main.ts', import.meta.url).href;
const transport = new URL('../../../src/rpc/grpc-transport.ts', import.meta.url).href;
const rooms = ['client', 'codec', 'env', 'model', 'records', 'rpc', 'telemetry'];

/** The URLs of all modules that a program loads which imports `urls`. */
async function loadedBy(...urls: string[]): Promise<string[]> {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    for (const url of ${JSON.stringify(urls)}) await import(url);
    console.log(JSON.stringify(loaded));
  `;
  return JSON.parse(await printedBy(program)) as string[];
}

async function printedBy(program: string): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout;
}

const roomOf = (url: string): string | undefined => /\/src\/([^/]+)\//.exec(url)?.[1];
const packageOf = (url: string): string | undefined =>
  /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];

test('importing the client loads no package and no room above rpc', async () => {
  const loaded = await loadedBy(main);
  expect(loaded.length).toBeGreaterThan(30);
  const files = loaded.filter((url) => url.startsWith('file:'));
  expect(files.map(packageOf).filter((name) => name !== undefined)).toEqual([]);
  expect(files.filter((url) => !rooms.includes(roomOf(url) ?? ''))).toEqual([]);
});

test('a client that connects has the native checksum if it is there, and needs it for nothing', async () => {
  const connected = (before: string) => `
    import { createRequire, registerHooks } from 'node:module';
    const loaded = [];
    ${before}
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { connect } = await import(${JSON.stringify(main)});
    const { code } = await connect({ brokers: ['127.0.0.1:1'] }).catch((error) => error);
    console.log(code + ' ' + loaded.some((url) => url.includes('@node-rs/crc32')));
  `;
  const missing = `registerHooks({ resolve(name, context, next) {
    if (name === '@node-rs/crc32') throw new Error('not installed');
    return next(name, context);
  } });`;
  expect(await printedBy(connected(''))).toBe('NETWORK_EXCEPTION true\n');
  expect(await printedBy(connected(missing))).toBe('NETWORK_EXCEPTION false\n');
});

test('connecting loads gRPC beside that, and nothing of the broker', async () => {
  const loaded = await loadedBy(main, transport);
  const packages = new Set(loaded.map(packageOf).filter((name) => name !== undefined));
  expect(packages).toContain('@grpc/grpc-js');
  for (const name of [
    'level',
    'classic-level',
    'pino',
    '@node-rs/crc32',
    '@prometheus-io/client',
  ]) {
    expect(packages).not.toContain(name);
  }
  const files = loaded.filter((url) => url.startsWith('file:') && packageOf(url) === undefined);
  expect(files.filter((url) => !rooms.includes(roomOf(url) ?? ''))).toEqual([]);
});
