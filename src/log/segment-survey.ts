import { CorruptError } from '../codec/reader.ts';
import type { File } from '../env/ports.ts';
import { type Offset, offset } from '../model/ids.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BatchField,
  BatchView,
  batchSizeAt,
} from '../records/batch-view.ts';
import { headerProblem } from './batch-check.ts';
import type { LeaderEpochs } from './leader-epochs.ts';

const CHUNK_BYTES = 1024 * 1024;
/** A batch that claims more than this is read whole only if a batch, or the end, is where it ends. */
const TRUSTED_SIZE_BYTES = 4 * CHUNK_BYTES;

/** A stretch of a segment where sound batches should be and none is. */
export interface Damage {
  readonly position: number;
  /** Exclusive. */
  readonly end: number;
  readonly problem: string;
  /** Offsets from here on, */
  readonly fromOffset: Offset;
  /** to here (exclusive) cannot be read; the same as `fromOffset` if no batch is lost. */
  readonly toOffset: Offset;
}

/** What was asked for lies in a damaged stretch. */
export class DamagedError extends CorruptError {
  readonly path: string;
  readonly damage: Damage;
  /** What that means for readers, whoever they are: it names no file. */
  readonly lost: string;

  constructor(path: string, damage: Damage) {
    const { fromOffset, toOffset } = damage;
    const lost = `offsets from ${fromOffset} to ${toOffset - 1} cannot be read, from ${toOffset} on they can`;
    super(`${path} at byte ${damage.position}: ${damage.problem}; ${lost}`);
    this.path = path;
    this.damage = damage;
    this.lost = lost;
  }
}

export interface SurveyRange {
  /** Where a batch begins. */
  readonly from: number;
  /** Size of what is to be looked at; the file may be shorter, which is damage. */
  readonly to: number;
  /** Offset at `from`: exactly, or if `isFirst` is there, at least. */
  readonly nextOffset: Offset;
  /** Offset at `to`. */
  readonly endOffset: Offset;
  /** Whether it is this batch that begins at `from`. */
  readonly isFirst?: (batch: BatchView) => boolean;
  /** `null` if they are not known. */
  readonly epochs: LeaderEpochs | null;
}

/**
 * Walks the batches of a segment file as a `BatchScanner` does, but goes on after damage: what is
 * sound behind it is found again. Use it as
 *
 *     while (await survey.fill()) for (let b = survey.next(); b !== null; b = survey.next()) …
 *
 * Every batch that `next` gives has the right offset, epoch and checksum. When it is over,
 * `damages` tells of all that was passed over. A view is good until the next `fill`.
 */
export class SegmentSurvey {
  readonly damages: Damage[] = [];
  readonly #file: File;
  readonly #range: SurveyRange;
  readonly #chunkBytes: number;
  #position: number;
  #nextOffset: Offset;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Position in the file of the first byte of `#chunk`. */
  #chunkStart: number;
  /** The damaged stretch that the survey is in. */
  #lost: { readonly position: number; readonly problem: string } | null = null;
  #isOver = false;

  /** @param chunkBytes how much is read at a time; a larger batch is read whole */
  constructor(file: File, range: SurveyRange, chunkBytes: number = CHUNK_BYTES) {
    this.#file = file;
    this.#chunkBytes = chunkBytes;
    this.#range = range;
    this.#position = range.from;
    this.#chunkStart = range.from;
    this.#nextOffset = range.nextOffset;
  }

  /** Where the next batch is looked for. */
  get position(): number {
    return this.#position;
  }

  /** Reads on; false when all was looked at. */
  async fill(): Promise<boolean> {
    const left = this.#range.to - this.#position;
    if (left > 0) await this.#read(Math.min(left, this.#chunkBytes));
    if (left === 0 || this.#chunk.length === 0) {
      this.#end();
      return false;
    }
    const size = batchSizeAt(this.#chunk, 0);
    if (size > this.#chunk.length && size <= left && (await this.#isTrusted(size))) {
      await this.#read(size);
    }
    return true;
  }

  /** The next sound batch of what was read; `null` if there is none in it. */
  next(): BatchView | null {
    while (true) {
      const at = this.#position - this.#chunkStart;
      const size = batchSizeAt(this.#chunk, at);
      if (at === this.#chunk.length || this.#isCutShort(at, size)) return null;
      const found = this.#examine(at, size);
      if (typeof found !== 'string') return this.#take(found);
      this.#lost ??= { position: this.#position, problem: found };
      this.#position += this.#stepOver(at, size);
    }
  }

  /** What the chunk cuts short comes again, at the beginning of the next one. */
  #isCutShort(at: number, size: number): boolean {
    const isLast = this.#chunkStart + this.#chunk.length === this.#range.to;
    if (isLast || at === 0) return false;
    if (size >= 0 && Math.max(size, BATCH_HEADER_BYTES) <= this.#chunk.length - at) return false;
    return this.#lost === null || this.#couldBegin(at);
  }

  /** The batch that begins there, or what is wrong with it. */
  #examine(at: number, size: number): BatchView | string {
    const left = this.#range.to - this.#chunkStart - at;
    if (size < 0) return `${left} bytes, too few for a batch`;
    if (size > this.#chunk.length - at) {
      return size > left
        ? `a batch that claims ${size} bytes where ${left} are left`
        : `a batch that claims ${size} bytes, behind which there is none`;
    }
    try {
      const batch = new BatchView(this.#chunk, at);
      const problem = this.#offsetProblem(batch) ?? headerProblem(batch, this.#range.epochs);
      if (problem !== null) return problem;
      if (!batch.isCrcValid()) return 'a batch fails its checksum';
      return batch;
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      return error.message;
    }
  }

  #offsetProblem(batch: BatchView): string | null {
    const { from, isFirst, endOffset } = this.#range;
    const { baseOffset, nextOffset } = batch;
    if (nextOffset > endOffset)
      return `a batch to offset ${nextOffset} of a segment to ${endOffset}`;
    if (this.#lost === null && this.#position === from && isFirst !== undefined) {
      return isFirst(batch) ? null : `a batch from ${baseOffset} that the index knows otherwise`;
    }
    // Behind a damaged stretch some are missing, but for one that did not belong there.
    const isNext =
      this.#lost === null ? baseOffset === this.#nextOffset : baseOffset >= this.#nextOffset;
    return isNext ? null : `a batch from offset ${baseOffset} where ${this.#nextOffset} is next`;
  }

  /** Whether a batch may begin there, as far as its first bytes are in the chunk. */
  #couldBegin(at: number): boolean {
    const chunk = this.#chunk;
    if (chunk.length - at < BATCH_HEADER_BYTES) return true;
    if (chunk[at + BatchField.magic] !== BATCH_MAGIC) return false;
    const size = batchSizeAt(chunk, at);
    if (size < BATCH_HEADER_BYTES || size > this.#range.to - this.#chunkStart - at) return false;
    const view = new DataView(chunk.buffer, chunk.byteOffset + at, 8);
    const baseOffset = view.getInt32(0) * 0x1_0000_0000 + view.getUint32(4);
    return baseOffset >= this.#nextOffset && baseOffset < this.#range.endOffset;
  }

  #take(batch: BatchView): BatchView {
    if (this.#lost !== null) this.#endDamage(batch.baseOffset);
    this.#position += batch.sizeInBytes;
    this.#nextOffset = batch.nextOffset;
    return batch;
  }

  /**
   * How far to go on from something that is no sound batch: to the end that it claims if a batch is
   * there that fits, else to the next byte at which one might begin.
   */
  #stepOver(at: number, size: number): number {
    const chunk = this.#chunk;
    const afterIt = at + size;
    if (size >= BATCH_HEADER_BYTES && afterIt + BATCH_HEADER_BYTES <= chunk.length) {
      const next = this.#examine(afterIt, batchSizeAt(chunk, afterIt));
      if (typeof next !== 'string') return size;
    }
    let step = 1;
    while (at + step < chunk.length && !this.#couldBegin(at + step)) step++;
    return step;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { endOffset } = this.#range;
    if (this.#lost === null && this.#nextOffset !== endOffset) {
      const problem = `it ends before offset ${this.#nextOffset}, it must before ${endOffset}`;
      this.#lost = { position: this.#position, problem };
    }
    if (this.#lost !== null) this.#endDamage(endOffset);
  }

  #endDamage(toOffset: Offset): void {
    const { position, problem } = this.#lost!;
    const fromOffset = offset(Math.min(this.#nextOffset, toOffset));
    this.damages.push({ position, end: this.#position, problem, fromOffset, toOffset });
    this.#lost = null;
  }

  async #isTrusted(size: number): Promise<boolean> {
    const end = this.#position + size;
    if (size <= TRUSTED_SIZE_BYTES || end === this.#range.to) return true;
    const header = await this.#file.read(end, BATCH_HEADER_BYTES);
    return header[BatchField.magic] === BATCH_MAGIC;
  }

  async #read(length: number): Promise<void> {
    this.#chunk = await this.#file.read(this.#position, length);
    this.#chunkStart = this.#position;
  }
}
