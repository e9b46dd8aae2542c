import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../cache.ts';
import { execute } from '../command.ts';
import type { Client, Program } from './client.ts';

/** What is to be built in the folder of the packages, and what tells two such builds apart. */
export interface Native {
  readonly build: (folder: string) => Promise<void>;
  readonly buildId: string;
}

/** A program whose packages are those of its lock file, in a folder of the cache. */
export async function nodeProgram(id: string, native?: Native): Promise<Program> {
  const folder = fileURLToPath(new URL(`${id}/`, import.meta.url));
  const files = ['package.json', 'package-lock.json'];
  const madeOf = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
  const installed = await installOnce(id, `${madeOf}${native?.buildId ?? ''}`, async (target) => {
    for (const file of files) copyFileSync(join(folder, file), join(target, file));
    const options = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
    await execute('npm', ['ci', ...options], { cwd: target });
    await native?.build(target);
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
