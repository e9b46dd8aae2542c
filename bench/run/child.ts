import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Command {
  /** What people call it, for messages. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** After this long it is killed, whatever it does. */
  readonly deadlineMs: number;
}

/** A process that ended before its time, badly, or too late. */
export class ChildError extends Error {
  override readonly name = 'ChildError';
}

/** A process of ours: read line by line, bounded in time, killed by its id. */
export class Child {
  readonly #command: Command;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  readonly #deadline: NodeJS.Timeout;
  readonly #stdout: string[] = [];
  /** Of both outputs, in order of arrival: for the message when it fails. */
  readonly #last: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();
  #outcome: string | undefined;

  constructor(command: Command) {
    this.#command = command;
    this.#process = spawn(command.file, command.args, {
      cwd: command.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A process that died no longer reads: its end is told by `#ended`, not by this.
    this.#process.stdin.on('error', () => {});
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#stdout.push(line);
      if (this.#stdout.length > MAX_LINES) this.#stdout.shift();
      this.#notice(line);
    });
    createInterface({ input: this.#process.stderr }).on('line', (line) => this.#notice(line));
    this.#ended = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        this.#outcome = error.message;
        resolve();
      });
      this.#process.on('close', (code, signal) => {
        this.#outcome ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
        resolve();
      });
    });
    this.#deadline = setTimeout(() => {
      this.#outcome = `no end within ${command.deadlineMs / 1_000} s`;
      this.kill();
    }, command.deadlineMs);
    void this.#ended.then(() => clearTimeout(this.#deadline));
  }

  /** Throws if it could not be started. */
  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw this.#failure();
    return pid;
  }

  get ended(): Promise<void> {
    return this.#ended;
  }

  /** What `read` makes of the first line, on either output, of which it makes something. */
  async seek<T>(read: (line: string) => T | undefined): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const look = (line: string): boolean => {
        const found = read(line);
        if (found === undefined) return false;
        this.#watchers.delete(look);
        resolve(found);
        return true;
      };
      if (this.#last.some(look)) return;
      this.#watchers.add(look);
      void this.#ended.then(() => reject(this.#failure()));
    });
  }

  /** The lines of stdout, once it has ended with exit code 0. */
  async output(): Promise<readonly string[]> {
    await this.#ended;
    if (this.#outcome !== 'exit code 0') throw this.#failure();
    return this.#stdout;
  }

  /** Asks it to end, and kills it if it does not. Returns whether it ended by itself. */
  async stop(): Promise<boolean> {
    let isKilled = false;
    this.#process.kill('SIGTERM');
    const impatience = setTimeout(() => {
      isKilled = true;
      this.kill();
    }, STOP_GRACE_MS);
    await this.#ended;
    clearTimeout(impatience);
    return !isKilled;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #notice(line: string): void {
    this.#last.push(line);
    if (this.#last.length > LAST_LINES) this.#last.shift();
    for (const watcher of this.#watchers) watcher(line);
  }

  #failure(): ChildError {
    const said = this.#last.length === 0 ? '' : `; it said:\n${this.#last.slice(-10).join('\n')}`;
    return new ChildError(`${this.#command.name} ended with ${this.#outcome}${said}`);
  }
}

const MAX_LINES = 10_000;
const LAST_LINES = 100;
/** Brokers flush and close thousands of files at their end. */
const STOP_GRACE_MS = 60_000;
