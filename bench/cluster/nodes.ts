import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Wires } from './wires.ts';

const ENTRY = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Of a start, with the wait for the others. */
const READY_MS = 60_000;

/** Nodes of a cluster, a process each. */
export class ClusterNodes {
  readonly ids: readonly number[];
  readonly #folder: string;
  readonly #wires: Wires;
  readonly #settings: readonly string[];
  readonly #processes = new Map<number, ChildProcess>();

  constructor(
    folder: string,
    ids: readonly number[],
    wires: Wires,
    settings: readonly string[] = [],
  ) {
    this.#folder = folder;
    this.ids = ids;
    this.#wires = wires;
    this.#settings = settings;
  }

  /** `HOST:PORT` of the gRPC API. */
  address(id: number): string {
    return `${this.#wires.host(id)}:9095`;
  }

  pid(id: number): number {
    return this.#processes.get(id)!.pid!;
  }

  isRunning(id: number): boolean {
    return this.#processes.has(id);
  }

  /** Resolves when the node serves. */
  async start(id: number): Promise<void> {
    const voters = this.ids.map((each) => `${each}@${this.#wires.host(each)}:9093`).join(',');
    const host = this.#wires.host(id);
    const [file, ...args] = [
      ...this.#wires.prefix(id),
      ...[process.execPath, ENTRY, 'start', '--json', '--insecure'],
      ...['--data-dir', join(this.#folder, `node-${id}`), '--node-id', `${id}`],
      ...['--voters', voters, '--peer', `${host}:9093`, '--grpc', this.address(id)],
      ...['--kafka', '', '--http', ''],
      ...this.#settings.flatMap((setting) => ['--set', setting]),
    ];
    const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#processes.set(id, child);
    child.stderr.pipe(createWriteStream(join(this.#folder, `node-${id}.log`), { flags: 'a' }));
    child.once('exit', () => {
      if (this.#processes.get(id) === child) this.#processes.delete(id);
    });
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`node ${id} does not start`)), READY_MS);
      createInterface({ input: child.stdout }).on('line', (line) => {
        clearTimeout(late);
        if (line.includes('"ready"')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`node ${id} ended with ${code}`)));
    });
  }

  signal(id: number, signal: NodeJS.Signals): void {
    this.#processes.get(id)?.kill(signal);
  }

  /** Resolves when the process has ended. */
  async end(id: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.#processes.get(id);
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async close(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.end(id, 'SIGKILL')));
  }
}
