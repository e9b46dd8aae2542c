import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeEnv } from '../../../src/env/node-env.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'varve-stores-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs a module in a Node of its own and gives what it printed. */
async function print(source: string): Promise<string> {
  const here = new URL('../../../src/env/', import.meta.url).href;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    source.replaceAll('ENV/', here),
  ]);
  return stdout.trim();
}

test('nothing native is loaded before the first store of the machine is opened', async () => {
  const output = await print(`
    import { createRequire } from 'node:module';
    import { memoryEnv } from 'ENV/memory-env.ts';
    import { nodeEnv } from 'ENV/node-env.ts';
    const isLoaded = () =>
      Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('level'));
    const memory = await memoryEnv().stores.open('/s');
    await memory.close();
    const { stores } = nodeEnv();
    const before = isLoaded();
    await (await stores.open(${JSON.stringify(`${folder}/s`)})).close();
    console.log(before, isLoaded());
  `);
  expect(output).toBe('false true');
});

test('a store that another process owns is locked, and free when that process is dead', async () => {
  const { stores } = nodeEnv();
  const store = await stores.open(`${folder}/s`);
  const opening = `
    import { nodeEnv } from 'ENV/node-env.ts';
    const { stores } = nodeEnv();
    try {
      const store = await stores.open(${JSON.stringify(`${folder}/s`)});
      await store.batch([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) }], { sync: true });
      console.log('opened');
      process.kill(process.pid, 'SIGKILL');
    } catch (error) {
      console.log(error.name);
    }
  `;
  expect(await print(opening)).toBe('StoreLockedError');
  await store.close();
  await print(opening).catch((killed: { stdout: string }) =>
    expect(killed.stdout).toBe('opened\n'),
  );
  const again = await stores.open(`${folder}/s`);
  expect(await again.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2));
  await again.close();
});

test('a store that is damaged says so with the code of level', async () => {
  const { stores } = nodeEnv();
  const store = await stores.open(`${folder}/s`);
  await store.close();
  await writeFile(`${folder}/s/CURRENT`, 'nonsense');
  await expect(stores.open(`${folder}/s`)).rejects.toMatchObject({
    name: 'FileError',
    code: 'LEVEL_CORRUPTION',
    path: `${folder}/s`,
  });
});

// What `rotStore` of the simulated disk does to a store is made after this.
test('a store whose log file is damaged opens without a word and lacks the rest of that block', async () => {
  const { stores } = nodeEnv();
  const path = `${folder}/s`;
  const store = await stores.open(path);
  const value = new Uint8Array(1024);
  for (let key = 0; key < 100; key++) {
    await store.batch([{ type: 'put', key: Uint8Array.of(key), value }], { sync: true });
  }
  await store.close();
  const log = join(path, (await readdir(path)).find((name) => name.endsWith('.log'))!);
  const bytes = await readFile(log);
  bytes[10_000]! ^= 1;
  await writeFile(log, bytes);
  const again = await stores.open(path);
  const found: number[] = [];
  for await (const [key] of again.entries({ from: Uint8Array.of(0), to: Uint8Array.of(255) })) {
    found.push(key[0]!);
  }
  await again.close();
  const damaged = found.findIndex((key, i) => key !== i);
  expect(damaged).toBeGreaterThan(0);
  expect(found[damaged]).toBeGreaterThan(damaged + 10);
  expect(found.slice(damaged)).toEqual(found.slice(damaged).map((_, i) => found[damaged]! + i));
  expect(found.at(-1)).toBe(99);
});
