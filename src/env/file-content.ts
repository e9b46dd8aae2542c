import { assert } from '../model/assert.ts';

/**
 * The bytes of one file in memory. What lies inside the size but was never written reads as zeros,
 * so that extending a file costs no memory.
 */
export class FileContent {
  /** Bytes beyond `#size` are zeros: `truncate` clears them. */
  #bytes = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  write(position: number, bytes: Uint8Array): void {
    assertPosition(position);
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  /** A copy of up to `length` bytes, at the beginning of `into` if given; fewer only at the end. */
  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    assertPosition(position);
    assertPosition(length);
    const count = Math.max(0, Math.min(length, this.#size - position));
    const result = into?.subarray(0, count) ?? new Uint8Array(count);
    result.set(this.#bytes.subarray(position, position + count));
    return result;
  }

  truncate(size: number): void {
    assertPosition(size);
    this.#bytes.fill(0, size);
    this.#size = size;
  }

  clone(): FileContent {
    const copy = new FileContent();
    copy.#bytes = this.#bytes.slice(0, this.#size);
    copy.#size = this.#size;
    return copy;
  }
}

/** Node takes a negative position for "where the last operation ended": never what is meant. */
export function assertPosition(position: number): void {
  assert(
    Number.isSafeInteger(position) && position >= 0,
    'positions, lengths and sizes in a file are safe integers from 0',
  );
}
