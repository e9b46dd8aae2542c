const LINE_FEED = 0x0a;

/** A line that is longer than any record may be. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';

  constructor(line: number, maxLineBytes: number) {
    super(`line ${line} is longer than ${maxLineBytes} bytes`);
  }
}

/**
 * Cuts bytes into lines, whatever they are: nothing is decoded, only the line feed is taken off, and
 * a carriage return before it is part of the line. The last line counts without a line feed, too.
 * Memory is bounded by the longest line allowed.
 */
export class LineReader {
  readonly #maxLineBytes: number;
  #lineNumber = 0;
  /** The beginning of a line whose end has not come yet: the first `#partialBytes` bytes. */
  #partial = new Uint8Array(0);
  #partialBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Number of the line that was handed out last; the first is 1. */
  get lineNumber(): number {
    return this.#lineNumber;
  }

  /**
   * The lines that `chunk` completes. They may be views of it, so it must not change later. Throws
   * `LineTooLongError` after the lines before.
   */
  *lines(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      yield this.#take(piece);
    }
    this.#keep(chunk.subarray(start));
  }

  /** The last line, if the input did not end with a line feed. */
  end(): Uint8Array | undefined {
    return this.#partialBytes === 0 ? undefined : this.#take(new Uint8Array(0));
  }

  #take(piece: Uint8Array): Uint8Array {
    let line = piece;
    if (this.#partialBytes > 0) {
      this.#keep(piece);
      line = this.#partial.slice(0, this.#partialBytes);
      this.#partialBytes = 0;
    } else {
      this.#checkLength(piece.length);
    }
    this.#lineNumber++;
    return line;
  }

  #keep(piece: Uint8Array): void {
    const bytes = this.#partialBytes + piece.length;
    this.#checkLength(bytes);
    if (bytes > this.#partial.length) {
      const larger = new Uint8Array(Math.max(bytes, 2 * this.#partial.length));
      larger.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = larger;
    }
    this.#partial.set(piece, this.#partialBytes);
    this.#partialBytes = bytes;
  }

  #checkLength(bytes: number): void {
    if (bytes > this.#maxLineBytes) {
      throw new LineTooLongError(this.#lineNumber + 1, this.#maxLineBytes);
    }
  }
}
