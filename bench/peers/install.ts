import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UnavailableError } from '../system.ts';

/** Where peers are kept between runs: `$VARVE_BENCH_CACHE`, else `~/.cache/varve-bench`. */
function cacheFolder(): string {
  return process.env['VARVE_BENCH_CACHE'] ?? join(homedir(), '.cache', 'varve-bench');
}

/**
 * The folder `name` of the cache, filled by `fill` if it is not there. It gets its name only when
 * it is complete, so that an install that was cut short is done again.
 */
export function installOnce(name: string, fill: (folder: string) => void): string {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}.tmp`;
  mkdirSync(unfinished, { recursive: true });
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Changes when a file of the folder does. */
export function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Throws `UnavailableError` unless `file` can be run. */
export function requireProgram(file: string, versionFlag: string): void {
  const { status } = spawnSync(file, [versionFlag], { stdio: 'ignore' });
  if (status !== 0) throw new UnavailableError(`\`${file}\` is not installed`);
}

export interface Installer {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs an installer to its end; its output goes to stderr. */
export function runInstaller({ file, args, cwd, env }: Installer): void {
  const { status } = spawnSync(file, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (status !== 0) throw new UnavailableError(`\`${file} ${args.join(' ')}\` failed`);
}

export const INSTALL_TIMEOUT_MS: number = 10 * 60_000;
