import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TimedPart } from '../load/clock.ts';
import { Child, type Command } from './child.ts';

/** What a process of ours is in a measurement. */
export type NodeRole = 'broker' | 'client';

export interface NodeCommand extends Omit<Command, 'file'> {
  readonly role: NodeRole;
}

/** Owns every process and every file of a run, so that one call leaves nothing behind. */
export class Workspace {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'varve-bench-'));
  readonly #children = new Set<Child>();
  readonly #profiled: NodeRole | undefined;
  readonly #timedParts: TimedPart[] = [];
  #folders = 0;

  /** `profiled`: processes of this role write a profile when they end, see `profileFolder`. */
  constructor(profiled?: NodeRole) {
    this.#profiled = profiled;
  }

  /** Where the profiles of the processor are, if there are any, one or more a process. */
  get profileFolder(): string {
    return join(this.#folder, 'profiles');
  }

  /** When the loads that have ended so far were timed. */
  get timedParts(): readonly TimedPart[] {
    return this.#timedParts;
  }

  /** An empty folder of its own for one measurement. */
  makeFolder(name: string): string {
    const folder = join(this.#folder, `${this.#folders++}-${name}`);
    mkdirSync(folder);
    return folder;
  }

  /** Frees the disk for the next measurement. */
  removeFolder(folder: string): void {
    // A process that was killed a moment ago may still write there.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }

  start(command: Command): Child {
    const child = new Child(command);
    this.#children.add(child);
    void child.ended.then(() => this.#children.delete(child));
    return child;
  }

  /** Starts a script under the Node that runs the bench. */
  startNode({ role, args, ...command }: NodeCommand): Child {
    const folder = this.profileFolder;
    const flags = role === this.#profiled ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
    return this.start({ ...command, file: process.execPath, args: [...flags, ...args] });
  }

  /** Starts a script built on `serveJob`. */
  startScript(script: URL, job: object, deadlineMs: number): Child {
    const path = fileURLToPath(script);
    const args = [path, JSON.stringify(job)];
    return this.startNode({ name: path, role: 'client', args, deadlineMs });
  }

  /** Runs a script built on `serveJob` to its end; returns its result. */
  async work<Result>(script: URL, job: object, deadlineMs: number): Promise<Result> {
    return await this.resultOf<Result>(this.startScript(script, job, deadlineMs));
  }

  /** The result of a load process, when it has ended. */
  async resultOf<Result>(load: Child): Promise<Result> {
    const result = resultOf<Result & Partial<TimedPart>>(await load.output());
    const { fromUs, seconds } = result;
    if (fromUs !== undefined && seconds !== undefined) this.#timedParts.push({ fromUs, seconds });
    return result;
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
