import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../cache.ts';
import { execute } from '../command.ts';
import type { Client, Program } from './client.ts';

/** A program whose packages are those of its lock file, in a folder of the cache. */
async function nodeProgram(
  id: string,
  finish: (folder: string) => Promise<unknown> = async () => {},
): Promise<Program> {
  const folder = fileURLToPath(new URL(`${id}/`, import.meta.url));
  const files = ['package.json', 'package-lock.json'];
  const madeOf = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
  const installed = await installOnce(id, madeOf, async (target) => {
    for (const file of files) copyFileSync(join(folder, file), join(target, file));
    const options = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
    await execute('npm', ['ci', ...options], { cwd: target });
    await finish(target);
  });
  // The program stays here, its packages are there.
  const env = { CLIENT_PACKAGES: `${installed}/` };
  return { file: process.execPath, args: [`${folder}main.mjs`], env };
}

export const kafkajs: Client = {
  name: 'kafkajs 2.2',
  id: 'kafkajs',
  prepare: () => nodeProgram('kafkajs'),
};

export const platformatic: Client = {
  name: '@platformatic/kafka 2.12',
  id: 'platformatic',
  prepare: () => nodeProgram('platformatic'),
};

/**
 * The binary of the binding is downloaded from the releases of its repository, not from the registry;
 * where that cannot be reached it is skipped: building librdkafka with all it needs downloads more.
 */
export const kafkaJavascript: Client = {
  name: 'kafka-javascript 1.10 (Node, librdkafka)',
  id: 'kafka-javascript',
  isLibrdkafka: true,
  prepare: () =>
    nodeProgram('kafka-javascript', async (folder) => {
      const cwd = join(folder, 'node_modules/@confluentinc/kafka-javascript');
      const installer = join(folder, 'node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp');
      await execute(process.execPath, [installer, 'install'], { cwd }).catch((error: Error) => {
        const reason = /reason: .*/.exec(error.message)?.[0] ?? error.message;
        throw new Error(
          `its binary is not in the registry, and not to be had elsewhere: ${reason}`,
        );
      });
    }),
};
