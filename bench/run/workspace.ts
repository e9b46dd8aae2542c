import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, type Command } from './child.ts';

/** Owns every process and every file of a run, so that one call leaves nothing behind. */
export class Workspace {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'varve-bench-'));
  readonly #children = new Set<Child>();
  #folders = 0;

  /** An empty folder of its own for one measurement. */
  makeFolder(name: string): string {
    const folder = join(this.#folder, `${this.#folders++}-${name}`);
    mkdirSync(folder);
    return folder;
  }

  /** Frees the disk for the next measurement. */
  removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  start(command: Command): Child {
    const child = new Child(command);
    this.#children.add(child);
    void child.ended.then(() => this.#children.delete(child));
    return child;
  }

  /** Starts a script built on `serveJob` under the Node that runs the bench. */
  startScript(script: URL, job: object, deadlineMs: number): Child {
    const path = fileURLToPath(script);
    const args = [path, JSON.stringify(job)];
    return this.start({ name: path, file: process.execPath, args, deadlineMs });
  }

  /** Runs a script built on `serveJob` to its end; returns its result. */
  async work<Result>(script: URL, job: object, deadlineMs: number): Promise<Result> {
    return resultOf<Result>(await this.startScript(script, job, deadlineMs).output());
  }

  /** Nothing of one measurement, also of one that failed, may run beside the next. */
  killAll(): void {
    for (const child of this.#children) child.kill();
  }

  /** Kills what still runs and removes all data. Synchronous: also called on the way out. */
  close(): void {
    this.killAll();
    this.removeFolder(this.#folder);
  }

  /** Where files live in memory an fsync costs nothing, and figures with it mean nothing. */
  get isInMemory(): boolean {
    return statfsSync(this.#folder).type === TMPFS_MAGIC;
  }
}

/** A line of JSON with an `event`, or undefined if the line is something else. */
export function parseEvent(line: string): { readonly event: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'event' in value
      ? (value as { readonly event: string })
      : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the line that announces `event`, for `Child.seek`. */
export function announced<T extends object>(event: string): (line: string) => T | undefined {
  return (line) => {
    const parsed = parseEvent(line);
    return parsed?.event === event ? (parsed as object as T) : undefined;
  };
}

/** The last `result` among the lines that a load process printed. */
export function resultOf<Result>(lines: readonly string[]): Result {
  const result = lines.map(parseEvent).findLast((event) => event?.event === 'result');
  if (result === undefined) throw new Error(`no result in: ${lines.slice(-5).join(' | ')}`);
  return result as Result;
}

/** A port that was free a moment ago, for servers that cannot pick one and say which. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port was given');
      server.close(() => resolve(address.port));
    });
  });
}

const TMPFS_MAGIC = 0x0102_1994;
