import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../cache.ts';
import { execute } from '../command.ts';
import type { Client, Program } from './client.ts';
import { librariesOf, unpackDebian } from './debian-packages.ts';

/** As Debian 12 has it, with librdkafka 2.0.2: the oldest client of the table. */
const VERSION = '1.7.1';
const PACKAGES = ['kcat', 'librdkafka1', 'libyajl2'];

/** The one on the path, or Debian's packages unpacked into the cache; nothing is installed. */
async function prepare(): Promise<Program> {
  const main = fileURLToPath(new URL('kcat/main.mjs', import.meta.url));
  const args = [main];
  const file = process.execPath;
  if (await works('kcat', {})) return { file, args, env: { KCAT: 'kcat' } };
  const folder = await installOnce('kcat', `${VERSION} ${PACKAGES}`, async (target) => {
    await unpackDebian(target, PACKAGES);
    const { KCAT, ...env } = environment(target);
    if (!(await works(KCAT, env))) throw new Error(`what Debian has is not kcat ${VERSION}`);
  });
  return { file, args, env: environment(folder) };
}

const works = async (kcat: string, env: Record<string, string>): Promise<boolean> =>
  (await execute(kcat, ['-V'], { env }).catch(() => '')).includes(`Version ${VERSION}`);

function environment(folder: string): { readonly KCAT: string; readonly LD_LIBRARY_PATH: string } {
  const libraries = librariesOf(folder).join(':');
  return { KCAT: join(folder, 'usr', 'bin', 'kcat'), LD_LIBRARY_PATH: libraries };
}

export const kcat: Client = {
  name: 'kcat 1.7 (librdkafka 2.0)',
  id: 'kcat',
  isLibrdkafka: true,
  topics: {
    metadata: 3,
    ...Object.fromEntries(
      ['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => [`codec-${codec}`, 1]),
    ),
    ...{ headers: 1, 'null-keys': 1, 'null-values': 1, large: 1, many: 1 },
    ...{ 'acks-0': 1, 'acks-1': 1, 'acks-all': 1, 'by-time': 1, ends: 1, 'from-offset': 1 },
    ...{ 'long-poll': 1, restart: 1 },
  },
  prepare,
};
