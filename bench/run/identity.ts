import { spawnSync } from 'node:child_process';
import { arch, cpus, platform, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RunIdentity } from '../rows.ts';

/** What and where this run measures; called once, when it begins. */
export function identifyRun(): RunIdentity {
  return { commit: commit(), machine: machine(), time: new Date().toISOString() };
}

function machine(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() ?? 'unknown processor';
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return `${platform()} ${arch()}, ${cores.length} × ${model}, ${memory}, Node ${process.version}`;
}

function commit(): string {
  const id = git('rev-parse', '--short=12', 'HEAD');
  if (id === undefined) return 'unknown';
  // The rows that a run appends do not change what the next one measures.
  const changes = git('status', '--porcelain', '--', '.', ':!bench/results');
  return changes === '' ? id : `${id}+changes`;
}

function git(...args: readonly string[]): string | undefined {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
