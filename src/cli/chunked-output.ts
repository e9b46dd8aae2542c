import type { Output } from './output.ts';

/** Written at once when so many bytes are there. */
const CHUNK_BYTES = 256 * 1024;

/** Gathers small pieces into larger writes; what is left at the end is written by `flush`. */
export class ChunkedOutput {
  readonly #output: Output;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** True if enough is gathered: `flush` is to be called before much more is added. */
  get isFull(): boolean {
    return this.#bytes >= CHUNK_BYTES;
  }

  /** The bytes must not change before they are written. */
  add(piece: Uint8Array | string): void {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  async flush(): Promise<void> {
    if (this.#bytes === 0) return;
    const chunk = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    await this.#output.write(chunk);
  }
}
