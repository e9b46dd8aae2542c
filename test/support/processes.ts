import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** A folder of its own for a test, removed by `dispose`. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'varve-test-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Starts `varve …` from the sources, as a process of its own. */
export function varve(...args: readonly string[]): ChildProcess {
  return varveWith({}, args);
}

type Variables = Readonly<Record<string, string>>;

/** The same, with environment variables beside those of this process, but for the one that is of the test run. */
function varveWith(variables: Variables, args: readonly string[]): ChildProcess {
  const { VARVE_TEST_RESULTS: _, ...own } = process.env;
  return spawn(process.execPath, [entry, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...own, ...variables },
  });
}

/** What a finished command printed and how it ended. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `varve …` to its end. */
export function run(args: readonly string[], input?: string | Uint8Array): Promise<Finished> {
  const child = varve(...args);
  // A command that ends early does not read its input; its exit code says what is wrong.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return finished(child);
}

/** Waits for the end of a process; its input is the caller's. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const stdout = new LineOutput(child.stdout!);
  const stderr = new LineOutput(child.stderr!);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/**
 * The output of a process, taken as fast as it comes: who reads line by line and does something in
 * between makes the process wait, and it then has nothing under way when it matters.
 */
export class LineOutput {
  readonly #chunks: Buffer[] = [];
  #lines = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #hasEnded = false;
  #onReached: (() => void) | undefined;

  constructor(stream: Readable) {
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.#lines++;
      if (this.#lines >= this.#wanted) this.#onReached?.();
    });
    stream.on('end', () => {
      this.#hasEnded = true;
      this.#onReached?.();
    });
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** Resolves when there are so many lines, or when there will be no more. */
  reached(lines: number): Promise<void> {
    this.#wanted = lines;
    if (this.#lines >= lines || this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReached = resolve;
    });
  }
}

interface ReadyEvent {
  readonly event: string;
  readonly grpc: string;
  readonly http: string;
  readonly kafka: readonly string[];
}

/** A broker as a process that can be killed and started again on the same data and address. */
export class BrokerProcess implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;
  #log = '';
  /** `host:port` of the gRPC API; the same after every start. */
  address = '127.0.0.1:0';
  httpAddress = '127.0.0.1:0';
  /** Of the Kafka API; empty if it has none. */
  kafkaAddress = '';
  /** Of its environment. */
  variables: Variables = {};

  constructor(dataDir: string, ...options: readonly string[]) {
    this.#dataDir = dataDir;
    this.#options = options;
  }

  /** What the broker has logged since it was started last. */
  get log(): string {
    return this.#log;
  }

  /** Of the process that runs; -1 if none does. */
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Resolves when the broker is ready. */
  async start(): Promise<void> {
    const child = varveWith(this.variables, [
      ...['start', '--data-dir', this.#dataDir],
      ...['--grpc', this.address, '--http', this.httpAddress, '--kafka', this.kafkaAddress],
      ...['--json', ...this.#options],
    ]);
    this.#child = child;
    this.#log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    for await (const line of createInterface({ input: child.stdout! })) {
      const { event, grpc, http, kafka } = JSON.parse(line) as ReadyEvent;
      if (event !== 'ready') continue;
      this.address = grpc;
      this.httpAddress = http;
      this.kafkaAddress = kafka[0] ?? '';
      child.stdout?.resume();
      return;
    }
    throw new Error(`the broker ended before it was ready:\n${this.#log}`);
  }

  /** kill -9: nothing of the process runs any more. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** A graceful stop; resolves with the exit code. */
  async stop(): Promise<number | null> {
    return await this.#end('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    this.#child = undefined;
    return code;
  }
}

/** The value of a metric of the process that has no labels. */
export async function metric(broker: BrokerProcess, name: string): Promise<number> {
  const text = await metricsOf(broker);
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

/** All metrics of the process, in Prometheus' form. */
export async function metricsOf(broker: BrokerProcess): Promise<string> {
  return await (await fetch(`http://${broker.httpAddress}/metrics`)).text();
}
