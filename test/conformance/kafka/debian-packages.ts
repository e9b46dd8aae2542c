import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../command.ts';

/** Unpacks packages of Debian into a folder; nothing is installed. */
export async function unpackDebian(folder: string, packages: readonly string[]): Promise<void> {
  const download = (): Promise<string> =>
    execute('apt-get', ['download', '--quiet', ...packages], { cwd: folder });
  // The lists of packages may be missing or too old.
  await download().catch(() => execute('apt-get', ['update', '--quiet']).then(download));
  for (const each of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    await execute('dpkg-deb', ['-x', join(folder, each), folder]);
  }
}

/** The folders of a folder of such packages that have libraries. */
export const librariesOf = (folder: string): string[] =>
  readdirSync(join(folder, 'usr', 'lib')).map((name) => join(folder, 'usr', 'lib', name));
