import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Resident memory of a process that runs. Throws if it does not. */
export function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  const text = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]
    : spawnSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' }).stdout;
  const kib = Number(text?.trim() || Number.NaN);
  if (!(kib > 0)) throw new Error(`no memory is told of process ${pid}; it may have ended`);
  return kib * 1024;
}
