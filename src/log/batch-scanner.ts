import { CorruptError } from '../codec/reader.ts';
import type { File } from '../env/ports.ts';
import { BATCH_HEADER_BYTES, BatchView, batchSizeAt } from '../records/batch-view.ts';

const CHUNK_BYTES = 1024 * 1024;

export interface ScanRange {
  /** Where a batch begins. */
  readonly from: number;
  /** Size of what is to be scanned: bytes at or after this are not looked at. */
  readonly to: number;
}

/**
 * Walks the batches of a segment file in order and checks each one's length and checksum. Use it as
 *
 *     while (await scanner.fill()) for (let b = scanner.next(); b !== null; b = scanner.next()) …
 *
 * A view is good until the next `fill`. When it is over, `position` is the end of the last sound
 * batch, and `problem` says what is there if that is not the end of the range.
 */
export class BatchScanner {
  readonly #file: File;
  readonly #to: number;
  #position: number;
  #problem: string | null = null;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Position in the file of the first byte of `#chunk`. */
  #chunkStart: number;

  constructor(file: File, range: ScanRange) {
    this.#file = file;
    this.#position = range.from;
    this.#chunkStart = range.from;
    this.#to = range.to;
  }

  /** Where the next batch begins. */
  get position(): number {
    return this.#position;
  }

  get problem(): string | null {
    return this.#problem;
  }

  /** Reads on, so that `next` has a batch; false at the end and at the first unsound batch. */
  async fill(): Promise<boolean> {
    const left = this.#to - this.#position;
    if (this.#problem !== null || left === 0) return false;
    await this.#read(Math.min(left, CHUNK_BYTES));
    const size = batchSizeAt(this.#chunk, 0);
    // A batch larger than the chunk: `left` bounds what a claimed size can make us read.
    if (size > this.#chunk.length && size <= left) await this.#read(size);
    if (size >= 0 && size <= this.#chunk.length) return true;
    this.#problem =
      size < 0
        ? `${left} bytes, too few for a batch`
        : `a batch that claims ${size} bytes where ${left} are left`;
    return false;
  }

  /** The next batch of what was read; `null` if it is to be read first or is not sound. */
  next(): BatchView | null {
    const at = this.#position - this.#chunkStart;
    const size = batchSizeAt(this.#chunk, at);
    if (size < 0 || Math.max(size, BATCH_HEADER_BYTES) > this.#chunk.length - at) {
      if (size >= 0 && size < BATCH_HEADER_BYTES) {
        this.#problem = `a batch that claims ${size} bytes, ${BATCH_HEADER_BYTES} are the least`;
      }
      return null;
    }
    try {
      const batch = new BatchView(this.#chunk, at);
      // Reading them checks them: they are used without a further look.
      if (!(batch.nextOffset > batch.baseOffset && batch.maxTimestamp >= -1)) {
        throw new CorruptError('the header of a batch is not sound');
      }
      if (!batch.isCrcValid()) throw new CorruptError('a batch fails its checksum');
      this.#position += size;
      return batch;
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.#problem = error.message;
      return null;
    }
  }

  /** Bytes that were scanned since the last `fill`, from `position` of the file on. */
  scannedFrom(position: number): Uint8Array {
    const start = Math.max(position, this.#chunkStart) - this.#chunkStart;
    return this.#chunk.subarray(start, this.#position - this.#chunkStart);
  }

  async #read(length: number): Promise<void> {
    this.#chunk = await this.#file.read(this.#position, length);
    this.#chunkStart = this.#position;
  }
}
