/** The part of a writable stream that is used here; `process.stdout` is one. */
export interface OutputStream {
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Whoever reads our output has gone, as `head` does: no failure. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/** Standard output or standard error of a command. */
export class Output {
  readonly #stream: OutputStream;
  #failure: Error | undefined;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    // Without a listener a reader that goes away would end the process with a stack trace.
    stream.on('error', (error) => {
      this.#failure ??= describeFailure(error);
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY ?? false;
  }

  /** Characters of a line of the terminal. */
  get columns(): number {
    return this.#stream.columns ?? 80;
  }

  /**
   * Resolves when the stream has taken the chunk over, which is the backpressure of whoever reads.
   * Fails with `OutputClosedError` when nobody reads any more.
   */
  write(chunk: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(chunk, (error) => {
        if (error) reject(this.#failure ?? describeFailure(error));
        else resolve();
      });
    });
  }

  async writeJson(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value)}\n`);
  }

  /** Writes without waiting; a failure has nobody left to be told to. */
  tell(text: string): void {
    this.#stream.write(text, () => {});
  }
}

function describeFailure(error: Error): Error {
  if ('code' in error && error.code === 'EPIPE') {
    return new OutputClosedError('nobody reads the output any more', { cause: error });
  }
  return new Error(`cannot write the output: ${error.message}`, { cause: error });
}
