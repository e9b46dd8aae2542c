import { PassThrough, Readable, Writable } from 'node:stream';
import type { CommandContext } from '../../../src/cli/command-context.ts';
import { Output } from '../../../src/cli/output.ts';
import { runCommandLine } from '../../../src/cli/run.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';

/** A stream that keeps what is written to it. */
export class Captured extends Writable {
  isTTY = false;
  columns = 80;
  readonly chunks: Buffer[] = [];

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.chunks.push(chunk);
    this.emit('written');
    done();
  }

  /** Resolves when the text contains `part`. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) await new Promise((again) => this.once('written', again));
  }
}

/** A pipe whose reader goes away after so many writes, as `head` does. */
export class BrokenPipe extends Captured {
  readonly #writes: number;

  constructor(writes: number) {
    super();
    this.#writes = writes;
  }

  override _write(chunk: Buffer, encoding: string, done: (error?: Error) => void): void {
    if (this.chunks.length < this.#writes) super._write(chunk, encoding, done);
    else done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  }
}

export interface RunOptions extends Partial<Omit<CommandContext, 'input' | 'output' | 'errors'>> {
  readonly input?: string | Uint8Array | Readable;
  readonly stdout?: Captured;
  readonly stderr?: Captured;
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const unexpected = (what: string) => async (): Promise<never> => {
  throw new Error(`the command was not to ${what}`);
};

/** Runs one command line without a process. */
export async function varve(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { input = '', stdout = new Captured(), stderr = new Captured(), ...rest } = options;
  const context: CommandContext = {
    input: input instanceof Readable ? input : endingWith(input),
    output: new Output(stdout),
    errors: new Output(stderr),
    variables: {},
    env: memoryEnv(),
    signal: new AbortController().signal,
    connect: unexpected('connect'),
    startServer: unexpected('start a server'),
    spawnNode: () => {
      throw new Error('the command was not to start a process');
    },
    ...rest,
  };
  const code = await runCommandLine(args, context);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

function endingWith(bytes: string | Uint8Array): Readable {
  const stream = new PassThrough();
  stream.end(bytes);
  return stream;
}
