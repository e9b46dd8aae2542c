import { crc32c } from '../codec/crc32c.ts';
import { assert } from '../model/assert.ts';

/**
 * Entries of one size in memory exactly as they stand in their file, so that saving is writing a
 * slice and loading is keeping the bytes.
 */
export class EntryTable {
  readonly entryBytes: number;
  #bytes: Uint8Array;
  #view: DataView;
  #count = 0;
  /** Checksum of the first `#crcCount` entries, so that it need not be made anew from the start. */
  #crc = 0;
  #crcCount = 0;

  constructor(entryBytes: number, content: Uint8Array = new Uint8Array(0)) {
    assert(content.length % entryBytes === 0, 'a table holds whole entries');
    this.entryBytes = entryBytes;
    this.#bytes = content;
    this.#view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    this.#count = content.length / entryBytes;
  }

  get count(): number {
    return this.#count;
  }

  get sizeInBytes(): number {
    return this.#count * this.entryBytes;
  }

  /** Over all room there is; positions are `index * entryBytes`. */
  get view(): DataView {
    return this.#view;
  }

  /** The bytes of the entries from `from` on: a view that the next change may leave stale. */
  bytesFrom(from: number): Uint8Array {
    return this.#bytes.subarray(from * this.entryBytes, this.sizeInBytes);
  }

  /** Adds an entry and returns the position of its bytes in `view`. */
  push(): number {
    const at = this.sizeInBytes;
    if (at + this.entryBytes > this.#bytes.length) this.#grow();
    this.#count++;
    return at;
  }

  truncate(count: number): void {
    assert(count <= this.#count, 'a table is truncated to less than it holds');
    this.#count = count;
    if (count < this.#crcCount) {
      this.#crc = 0;
      this.#crcCount = 0;
    }
  }

  /** CRC-32C of all entries. */
  crc(): number {
    this.#crc = crc32c(this.bytesFrom(this.#crcCount), this.#crc);
    this.#crcCount = this.#count;
    return this.#crc;
  }

  #grow(): void {
    const bytes = new Uint8Array(Math.max(this.entryBytes * 16, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** The first of `count` indexes for which `isBeyond` holds, `count` if none; it holds from there on. */
export function firstBeyond(count: number, isBeyond: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
