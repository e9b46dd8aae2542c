/** Reads of a partition bring up to 1 MiB, and look for its beginning a little before. */
const BUFFER_BYTES = (1024 + 64) * 1024;
/** As many stay for the next reads; further ones are garbage. */
const MOST_BUFFERS = 8;

/** Memory that is lent for a read. */
export interface LentBuffer {
  readonly bytes: Uint8Array;
  /** Call it once, when nobody will look at the bytes any more; or never. */
  giveBack(): void;
}

/**
 * Memory for reads from segments, used again and again: megabytes that are taken anew for each read
 * cost more, in page faults and collections, than the reading does. A borrower may keep a buffer for
 * good: then it is garbage some day, as any other.
 */
export class ReadBuffers {
  readonly #free: Uint8Array[] = [];

  /** `undefined` for a read that is too large, or so small that a buffer would be wasted on it. */
  lend(bytes: number): LentBuffer | undefined {
    if (bytes > BUFFER_BYTES || bytes * 2 < BUFFER_BYTES) return undefined;
    // Not zeroed: what is handed out has been read.
    const buffer = this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(BUFFER_BYTES).buffer);
    let isLent = true;
    const giveBack = (): void => {
      if (isLent && this.#free.length < MOST_BUFFERS) this.#free.push(buffer);
      isLent = false;
    };
    return { bytes: buffer, giveBack };
  }
}
