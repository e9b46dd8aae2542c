import { assert } from '../model/assert.ts';
import type { Offset } from '../model/ids.ts';
import { sliceBatches } from './batch-slice.ts';
import { firstBeyond } from './entry-table.ts';

/** Batches that were appended in one call. */
interface Chunk {
  readonly tail: LogTail;
  readonly baseOffset: Offset;
  endOffset: Offset;
  bytes: Uint8Array;
  /** Bytes that count against the budget. */
  readonly costBytes: number;
  isDropped: boolean;
}

/** What a read of the cache brought. */
export interface TailRead {
  readonly batches: readonly Uint8Array[];
  readonly bytes: number;
  readonly nextOffset: Offset;
}

/**
 * Budget of the newest batches of all logs of a directory: the oldest go first, whichever log they
 * are of. What is not written yet stays whatever the budget says, because it is nowhere else.
 */
export class TailCache {
  readonly #limitBytes: number;
  #bytes = 0;
  /** In order of append; those before `#head` are gone. */
  #order: Chunk[] = [];
  #head = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Chunk): void {
    this.#order.push(chunk);
    this.#bytes += chunk.costBytes;
  }

  drop(chunk: Chunk): void {
    assert(!chunk.isDropped, 'a chunk is dropped once');
    chunk.isDropped = true;
    this.#bytes -= chunk.costBytes;
    // What is dropped may wait in the queue until its turn, but not with its bytes.
    chunk.bytes = noBytes;
  }

  /** Drops the oldest chunks that are written until the budget is kept. */
  trim(): void {
    while (this.#head < this.#order.length) {
      const chunk = this.#order[this.#head]!;
      if (!chunk.isDropped) {
        if (this.#bytes <= this.#limitBytes) break;
        if (chunk.endOffset > chunk.tail.writtenOffset) {
          chunk.tail.holdsUp();
          break;
        }
        chunk.tail.dropOldest(chunk);
      }
      this.#head++;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
  }
}

const noBytes = new Uint8Array(0);

/**
 * The newest batches of one log in memory, without a gap up to its end. Everything that is not
 * written yet is here.
 */
export class LogTail {
  readonly #cache: TailCache;
  /** Chunks without a gap; those before `#head` are gone. */
  #chunks: Chunk[] = [];
  #head = 0;
  /** Exclusive: the file holds everything below. */
  #writtenOffset: Offset;
  /** Called when nothing can be dropped before this log is written. */
  onHeldUp: () => void = () => {};
  /** That was told since the file last grew. */
  #isHeldUp = false;

  constructor(cache: TailCache, writtenOffset: Offset) {
    this.#cache = cache;
    this.#writtenOffset = writtenOffset;
  }

  get writtenOffset(): Offset {
    return this.#writtenOffset;
  }

  append(bytes: Uint8Array, baseOffset: Offset, endOffset: Offset): void {
    const chunk: Chunk = {
      tail: this,
      baseOffset,
      endOffset,
      bytes,
      costBytes: bytes.length,
      isDropped: false,
    };
    this.#chunks.push(chunk);
    this.#cache.add(chunk);
    this.#cache.trim();
  }

  /** The file holds everything below `offset` now. */
  written(offset: Offset): void {
    this.#writtenOffset = offset;
    this.#isHeldUp = false;
    this.#cache.trim();
  }

  /**
   * Whole batches from the one that holds `from`, up to `maxBytes` but at least one, none that
   * reaches `endOffset`. `null` if the cache does not go back that far.
   */
  read(from: Offset, maxBytes: number, endOffset: Offset): TailRead | null {
    if (!this.holds(from)) return null;
    const count = this.#chunks.length - this.#head;
    let at = this.#head + firstBeyond(count, (i) => this.#chunks[this.#head + i]!.endOffset > from);
    const batches: Uint8Array[] = [];
    let bytes = 0;
    let nextOffset = from;
    for (; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      const room = maxBytes - bytes;
      if (chunk.baseOffset >= endOffset || (bytes > 0 && room <= 0)) break;
      if (chunk.baseOffset >= from && chunk.endOffset <= endOffset && chunk.bytes.length <= room) {
        batches.push(chunk.bytes);
        bytes += chunk.bytes.length;
        nextOffset = chunk.endOffset;
        continue;
      }
      const range = { from: nextOffset, endOffset, maxBytes: room };
      const { start, end, nextOffset: next } = sliceBatches(chunk.bytes, 0, range);
      if (end === start || (bytes > 0 && end - start > room)) break;
      batches.push(chunk.bytes.subarray(start, end));
      bytes += end - start;
      nextOffset = next;
      if (end < chunk.bytes.length) break;
    }
    return { batches, bytes, nextOffset };
  }

  /** Whether what is at `offset` is read from here. */
  holds(offset: Offset): boolean {
    const first = this.#chunks[this.#head];
    return first !== undefined && first.baseOffset <= offset;
  }

  /** Drops batches that hold `endOffset` or later offsets. */
  truncateTo(endOffset: Offset): void {
    while (this.#chunks.length > this.#head) {
      const last = this.#chunks.at(-1)!;
      if (last.endOffset <= endOffset) break;
      const range = { from: last.baseOffset, endOffset, maxBytes: Number.MAX_SAFE_INTEGER };
      const { start, end, nextOffset } = sliceBatches(last.bytes, 0, range);
      if (end > start) {
        last.bytes = last.bytes.subarray(start, end);
        last.endOffset = nextOffset;
        break;
      }
      this.#chunks.pop();
      this.#cache.drop(last);
    }
    if (this.#writtenOffset > endOffset) this.#writtenOffset = endOffset;
  }

  /** Drops everything. */
  clear(): void {
    for (let at = this.#head; at < this.#chunks.length; at++) this.#cache.drop(this.#chunks[at]!);
    this.#chunks = [];
    this.#head = 0;
  }

  /** Called by the cache: the oldest chunk of all is of this log, and not written. */
  holdsUp(): void {
    if (this.#isHeldUp) return;
    this.#isHeldUp = true;
    this.onHeldUp();
  }

  /** Called by the cache for the oldest chunk of this log. */
  dropOldest(chunk: Chunk): void {
    assert(this.#chunks[this.#head] === chunk, 'the oldest chunk of a log goes first');
    this.#head++;
    this.#cache.drop(chunk);
    if (this.#head > 1024 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }
}
