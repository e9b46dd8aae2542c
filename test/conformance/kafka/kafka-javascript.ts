import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { execute } from '../command.ts';
import type { Client } from './client.ts';
import { librariesOf, unpackDebian } from './debian-packages.ts';
import { nodeProgram } from './node-clients.ts';

/**
 * The binding's install script downloads a binary from the releases of its repository; here it is built of what the
 * registries have: its package brings the sources of librdkafka, Debian's has the headers of zstd, and the package
 * of the Node that runs this brings those of V8. OpenSSL, zlib and a compiler have to be there.
 */
export const kafkaJavascript: Client = {
  name: 'kafka-javascript 1.10 (Node, librdkafka)',
  id: 'kafka-javascript',
  isLibrdkafka: true,
  prepare: () =>
    nodeProgram('kafka-javascript', {
      build: (folder) => build(folder).catch(tellEnd),
      buildId: `1 ${process.version}`,
    }),
};

async function build(folder: string): Promise<void> {
  const cwd = join(folder, 'node_modules/@confluentinc/kafka-javascript');
  const sources = join(cwd, 'deps/librdkafka');
  const headers = nodeHeaders();
  // What is not there is found out before the minute that the library takes.
  await execute(process.env['CXX'] ?? 'c++', ['--version']);
  await unpackDebian(folder, ['libzstd-dev']);
  const configure = ['--enable-ssl', '--enable-zlib', '--enable-zstd', '--disable-lz4-ext'];
  const parts = ['src', 'src-cpp'].map((part) => join(sources, part));
  const flags = {
    CPPFLAGS: `-I${join(folder, 'usr/include')}`,
    LDFLAGS: librariesOf(folder)
      .map((each) => `-L${each}`)
      .join(' '),
  };
  await execute('./configure', [...configure, '--disable-gssapi', '--disable-curl', QUICKLY], {
    cwd: sources,
    env: flags,
  });
  await execute('make', ['-j', JOBS, 'libs'], { cwd: sources });
  const gyp = join(folder, 'node_modules/node-gyp/bin/node-gyp.js');
  await execute(process.execPath, [gyp, 'rebuild', `--nodedir=${headers}`, '--jobs', JOBS], {
    cwd,
    env: {
      // Link with what was built above: by itself it would build it with all that it needs, from elsewhere.
      BUILD_LIBRDKAFKA: '0',
      CXXFLAGS: parts.map((each) => `-I${each}`).join(' '),
      LDFLAGS: parts.map((each) => `-L${each} -Wl,-rpath,${each}`).join(' '),
    },
  });
}

/** Of all that compilers and their like have said, only the end is about why. */
function tellEnd(error: Error): never {
  throw new Error(error.message.trimEnd().split('\n').slice(-END_LINES).join('\n'));
}

const END_LINES = 15;
const JOBS = String(availableParallelism());
const QUICKLY = '--disable-debug-symbols';

/** A folder whose `include/node` is of the running Node: its own, or that of the package it came in. */
function nodeHeaders(): string {
  const require = createRequire(process.execPath);
  const id = `node-${process.platform}-${process.arch}/package.json`;
  const prefixes = [dirname(dirname(process.execPath))];
  try {
    prefixes.push(dirname(require.resolve(id)));
  } catch {
    // This Node did not come in that package.
  }
  const found = prefixes.find((prefix) => versionOf(prefix) === process.version);
  if (found !== undefined) return found;
  throw new Error(`there are no headers of Node ${process.version} in ${prefixes.join(' or ')}`);
}

function versionOf(prefix: string): string | undefined {
  const file = join(prefix, 'include/node/node_version.h');
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const part = (name: string): string | undefined =>
    new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
}
