/** So much of the memory for records is kept for batches to come, at most. */
const KEPT_SHARE = 1 / 8;
/** What is kept is not given to a batch that needs so many times less. */
const MAX_WASTE = 8;

/**
 * The memory of batches, to be used again: fresh memory has to be zeroed, and V8 collects the whole heap
 * whenever so many megabytes of it were taken.
 */
export class BatchMemory {
  readonly #mostKeptBytes: number;
  /** The one that was given back last is at the end: its bytes are still in the processor's cache. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #keptBytes = 0;

  /** @param bufferBytes of all records of the producer */
  constructor(bufferBytes: number) {
    this.#mostKeptBytes = bufferBytes * KEPT_SHARE;
  }

  /** At least `capacity` bytes, whatever they hold. */
  take(capacity: number): Uint8Array<ArrayBuffer> {
    const last = this.#free.at(-1);
    if (last !== undefined && last.length <= capacity * MAX_WASTE) {
      this.#free.pop();
      this.#keptBytes -= last.length;
      if (last.length >= capacity) return last;
      // Too small, and so it makes way: what is needed now is what will be kept.
    }
    return new Uint8Array(powerOfTwo(capacity));
  }

  /** Nobody reads or writes these bytes any more. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#keptBytes + bytes.length > this.#mostKeptBytes) return;
    this.#keptBytes += bytes.length;
    this.#free.push(bytes);
  }
}

/** The next one from `bytes` on, so that a batch which becomes a little larger than the last fits too. */
const powerOfTwo = (bytes: number): number => 2 ** Math.ceil(Math.log2(bytes));
