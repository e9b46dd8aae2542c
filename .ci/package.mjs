// Packs the package, installs it into an empty folder, and uses it there under every supported Node:
// the command, the client, the embedded broker, the types. Writes {passed, failed} for `.ci/sum.mjs`.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const NODES = ['22', '24', '26'];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const work = mkdtempSync(join(tmpdir(), 'varve-package-'));
let passed = 0;
let failed = 0;

async function check(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error.stderr ?? ''}${error.stack ?? error}`);
  }
}

const npm = (cwd, ...args) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  });

/** Installs a release of Node into a folder of its own and returns its path. */
function installNode(version) {
  const home = join(work, `node${version}`);
  mkdirSync(home);
  // Newer versions of npm ask whether a package may run its install script; this one's fetches Node.
  const manifest = { private: true, allowScripts: { node: true } };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  npm(home, 'install', `node@${version}`);
  return join(home, 'node_modules/.bin/node');
}

/**
 * Starts the installed broker, does the work with its address, and stops it, whatever becomes of the
 * work: a child that lives on would keep this process.
 */
async function withBroker(node, app, dataDir, work) {
  const args = ['node_modules/varve/dist/cli/main.js', 'start', '--data-dir', dataDir];
  const listeners = [
    '--grpc',
    '127.0.0.1:0',
    '--http',
    '127.0.0.1:0',
    '--kafka',
    '127.0.0.1:0',
    '--json',
  ];
  const child = spawn(node, [...args, ...listeners], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    work(await readyAddress(child));
    child.kill('SIGTERM');
    const code = await exited;
    if (code !== 0) throw new Error(`the broker ended with ${code}`);
  } catch (error) {
    error.message += `\nthe broker's log:\n${log}`;
    throw error;
  } finally {
    child.kill('SIGKILL');
  }
}

async function readyAddress(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line);
    if (message.event !== 'ready') continue;
    child.stdout.resume();
    return message.grpc;
  }
  throw new Error('the broker ended before it was ready');
}

const script = `
import { connect } from 'varve/client';
import { startBroker } from 'varve/testing';
import * as server from 'varve';

if (typeof server.startServer !== 'function') throw new Error('varve exports no startServer');
const broker = await startBroker();
const client = await connect({ brokers: [broker.address] });
await client.admin().createTopic({ name: 'greetings', partitionCount: 1 });
const producer = client.producer({ value: 'string' });
await producer.send({ topic: 'greetings', value: 'hello' });
const consumer = client.consumer({ topics: ['greetings'], from: 'earliest', until: 'end', value: 'string' });
const values = [];
for await (const record of consumer) values.push(record.value);
if (values.join() !== 'hello') throw new Error('read ' + values);
await client.close();
await broker.close();
`;

const typed = `
import { connect } from 'varve/client';
import { startBroker } from 'varve/testing';
import { startServer } from 'varve';
export async function main(): Promise<number> {
  const client = await connect({ brokers: ['127.0.0.1:9095'] });
  const producer = client.producer({ value: 'string' });
  const { offset } = await producer.send({ topic: 't', value: 'v' });
  // @ts-expect-error a producer of strings takes no number
  await producer.send({ topic: 't', value: 1 });
  return offset;
}
export const functions = [startBroker, startServer];
`;

try {
  const app = join(work, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{"private":true,"type":"module"}');
  npm(root, 'pack', '--pack-destination', work);
  const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'));
  npm(app, 'install', join(work, tarball));
  writeFileSync(join(app, 'use.mjs'), script);
  writeFileSync(join(app, 'use.ts'), typed);

  await check('the code takes one byte for a character in memory', () => {
    const dist = join(app, 'node_modules/varve/dist');
    const files = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.js'));
    if (files.length === 0) throw new Error(`there is no code in ${dist}`);
    for (const file of files) {
      const found = /[^\0-\x7f]/.exec(readFileSync(join(dist, file), 'utf8'));
      if (found !== null) throw new Error(`${file} contains ${found[0]}`);
    }
  });

  await check('the types of every export are found', () => {
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'];
    const libraries = ['--lib', 'es2024,esnext.disposable', '--types', 'node'];
    const typeRoots = ['--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck'];
    execFileSync(
      join(root, 'node_modules/.bin/tsc'),
      [...options, ...libraries, ...typeRoots, 'use.ts'],
      {
        cwd: app,
        encoding: 'utf8',
        stdio: ['ignore', 'inherit', 'pipe'],
      },
    );
  });

  for (const version of NODES) {
    let node;
    await check(`Node ${version} can be installed`, () => {
      node = installNode(version);
    });
    if (node === undefined) continue;
    const run = (args, input) =>
      execFileSync(node, args, {
        cwd: app,
        encoding: 'utf8',
        input,
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: 60_000,
      });
    const cli = 'node_modules/varve/dist/cli/main.js';
    const name = run(['--version']).trim();

    await check(`${name}: the client and the embedded broker are imported and used`, () =>
      run(['use.mjs']),
    );
    await check(
      `${name}: the command starts a broker, produces, restarts and consumes`,
      async () => {
        const dataDir = join(work, `data${version}`);
        await withBroker(node, app, dataDir, (address) => {
          run([cli, 'topic', 'create', 't', '--partitions', '2', '--brokers', address]);
          run([cli, 'produce', 't', '--brokers', address], 'one\ntwo\nthree\n');
        });
        let lines = [];
        await withBroker(node, app, dataDir, (address) => {
          const flags = ['--from', 'earliest', '--until-end', '--brokers', address];
          const printed = run([cli, 'consume', 't', ...flags]);
          lines = printed.trim().split('\n');
        });
        if (lines.sort().join() !== 'one,three,two') throw new Error(`consumed ${lines}`);
      },
    );
  }
} catch (error) {
  // Nothing could be packed or installed, so nothing was checked.
  failed++;
  console.log(`FAILED  the package can be packed and installed\n${error.stack ?? error}`);
} finally {
  rmSync(work, { recursive: true, force: true });
  const out = process.argv[2];
  if (out !== undefined) writeFileSync(out, JSON.stringify({ passed, failed }));
}
console.log(`package: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
