import { CorruptError } from './reader.ts';

/** What is compressed is longer than the reader accepts; the input may be sound otherwise. */
export class DecompressedTooLargeError extends CorruptError {
  override readonly name = 'DecompressedTooLargeError';

  constructor(maxBytes: number, options?: ErrorOptions) {
    super(`the data decompresses to more than the ${maxBytes} bytes allowed`, options);
  }
}

/** Up to here a loop over bytes beats a call that copies them. */
const LOOP_BYTES = 16;

/**
 * Where a decoder of an LZ77 family puts its output. Memory follows what was really decoded, at most
 * twice that, and never passes `maxBytes`; what the input claims about its size allocates nothing.
 */
export class BoundedOutput {
  readonly #maxBytes: number;
  #bytes: Uint8Array;
  #length = 0;

  /** @param expectedBytes how much to make room for at first, in proportion to the real input */
  constructor(expectedBytes: number, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = new Uint8Array(Math.min(expectedBytes, maxBytes));
  }

  get length(): number {
    return this.#length;
  }

  toBytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends `count` bytes of `source`, which holds them. */
  literal(source: Uint8Array, start: number, count: number): void {
    const at = this.#reserve(count);
    if (count > LOOP_BYTES) {
      this.#bytes.set(source.subarray(start, start + count), at);
      return;
    }
    const bytes = this.#bytes;
    for (let i = 0; i < count; i++) bytes[at + i] = source[start + i]!;
  }

  /**
   * Appends `count` bytes that begin `distance` bytes back; the copy may run into what it writes.
   * @param windowStart the first byte of output that may be referred to
   */
  repeat(distance: number, count: number, windowStart: number): void {
    if (distance === 0 || distance > this.#length - windowStart) {
      throw new CorruptError(
        `a copy reaches ${distance} bytes back where ${this.#length - windowStart} may be reached`,
      );
    }
    const at = this.#reserve(count);
    const bytes = this.#bytes;
    const from = at - distance;
    if (count > LOOP_BYTES && distance >= count) bytes.copyWithin(at, from, from + count);
    else if (distance === 1) bytes.fill(bytes[from]!, at, at + count);
    else for (let i = 0; i < count; i++) bytes[at + i] = bytes[from + i]!;
  }

  #reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#length = needed;
    return at;
  }

  #grow(needed: number): void {
    if (needed > this.#maxBytes) throw new DecompressedTooLargeError(this.#maxBytes);
    const bytes = new Uint8Array(
      Math.min(Math.max(needed, this.#bytes.length * 2), this.#maxBytes),
    );
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
