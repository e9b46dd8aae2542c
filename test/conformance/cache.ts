import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MissingToolchainError } from './check.ts';

/**
 * A folder of `$VARVE_CACHE`, else `~/.cache/varve-conformance`, filled by `fill` if it is not there.
 * What it is made of is part of its name, so a changed version is a folder of its own; `ready` is
 * there only when it is complete, so an install that was cut short is done again.
 *
 * @throws MissingToolchainError if `fill` fails: then this machine cannot have it
 */
export async function installOnce(
  name: string,
  madeOf: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = process.env['VARVE_CACHE'] ?? join(homedir(), '.cache', 'varve-conformance');
  const key = createHash('sha256').update(madeOf).digest('hex').slice(0, 12);
  const folder = join(cache, `${name}-${key}`);
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await fill(folder);
  } catch (error) {
    throw new MissingToolchainError(`${name} cannot be installed: ${(error as Error).message}`);
  }
  writeFileSync(ready, '');
  return folder;
}

/** The text of all files of a folder whose names end so, to be part of the name of what they make. */
export function textOf(folder: string, extension: string): string {
  const names = readdirSync(folder).filter((name) => name.endsWith(extension));
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}
