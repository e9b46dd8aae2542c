import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, finished, LineOutput, TemporaryFolder } from '../support/processes.ts';

/** The examples of the README, as they stand there, but for the address, the folder and the paths. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

/** The only code block of a section in a language. */
function block(section: string, language: string): string {
  const text = readme.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? '';
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(
    ([, each]) => each === language,
  );
  expect(blocks).toHaveLength(1);
  return blocks[0]![2]!;
}

const folder = new TemporaryFolder();
const broker = new BrokerProcess(`${folder.path}/data`);
beforeAll(() => broker.start());
afterAll(async () => {
  await broker.kill();
  folder[Symbol.dispose]();
});

/** A program of the README as a file that imports from the sources. */
function program(name: string, text: string): string {
  const path = `${folder.path}/${name}.ts`;
  const moved = text
    .replaceAll(/'varve\/(\w+)'/g, `'${root}src/$1/main.ts'`)
    .replaceAll('127.0.0.1:9095', broker.address);
  writeFileSync(path, moved);
  return path;
}

test('the commands can be typed one after another', async () => {
  const commands = block('Command line', 'sh').replaceAll(
    'varve-data/node-1',
    `${folder.path}/data`,
  );
  const script = `
    set -euo pipefail
    npx() { shift; ${process.execPath} ${root}src/cli/main.ts "$@"; }
    ${commands}`;
  const env = { ...process.env, VARVE_BROKERS: broker.address };
  const { code, stdout, stderr } = await finished(
    spawn('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['hello', 'bonjour']));
});

test('the TypeScript client sends, and reads that and what the commands sent', async () => {
  const path = program('client', block('TypeScript client', 'ts'));
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = new LineOutput(child.stdout);
  const errors = new LineOutput(child.stderr);
  await output.reached(3);
  child.kill();
  await once(child, 'close');
  expect(errors.text).toBe('');
  expect(output.text).toMatch(/^\d \d hola$/m);
});

test('the embedded broker starts, is used and leaves nothing that keeps the process', async () => {
  const path = program('embedded', block('In a test', 'ts'));
  const { code, stderr } = await finished(spawn(process.execPath, [path]));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('the Python example is the file that the conformance run tries', () => {
  const file = readFileSync(`${root}test/conformance/python/readme_example.py`, 'utf8');
  expect(block('Any other language', 'python')).toBe(file);
});
