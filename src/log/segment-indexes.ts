import type { Offset } from '../model/ids.ts';
import { firstBeyond } from './entry-table.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';

/** Content of the index files of a segment. */
export interface IndexContent {
  readonly offsets: Uint8Array;
  readonly times: Uint8Array;
}

/**
 * Both indexes of a segment, kept by Kafka's rule: a batch that begins more than the interval after
 * the last indexed one gets an entry; the time index then gets the largest timestamp so far, if it
 * has grown, and once more when the segment is closed. All of it can be made anew from the batches.
 */
export class SegmentIndexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  /** Files of a closed segment are believed about times only when that is so: `time-proof.ts`. */
  isTimeProved = false;
  /** Largest timestamp of the batches so far; -1 if none has one. */
  #maxTimestampMs = -1;
  /** Last offset of the batch with the largest timestamp. */
  #maxTimestampOffset: Offset;

  constructor(baseOffset: Offset, content?: IndexContent) {
    this.offsets = new OffsetIndex(baseOffset, content?.offsets);
    this.times = new TimeIndex(baseOffset, content?.times);
    this.#maxTimestampOffset = baseOffset;
    this.#resetMaxTimestamp();
  }

  get baseOffset(): Offset {
    return this.offsets.baseOffset;
  }

  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  /** Where the last indexed batch begins; what follows it is not covered by entries. */
  get lastIndexedPosition(): number {
    return this.offsets.count === 0 ? 0 : this.offsets.positionAt(this.offsets.count - 1);
  }

  /** Where to begin looking for the batch with `target`. */
  floorPosition(target: Offset): number {
    const index = this.offsets.floor(target);
    return index < 0 ? 0 : this.offsets.positionAt(index);
  }

  /** Where to begin looking for a record of that time or later; `undefined` if there is none. */
  searchFrom(timestampMs: number): Offset | undefined {
    if (this.#maxTimestampMs < timestampMs) return undefined;
    const entry = this.times.lower(timestampMs);
    return entry < 0 ? this.baseOffset : this.times.offsetAt(entry);
  }

  /**
   * The time for which `searchFrom` leads to the last entry before `endOffset` that is below the
   * largest timestamp: no batch between that entry and the one before it has a larger one.
   */
  peakBefore(endOffset: Offset): number {
    const beyond = firstBeyond(
      this.times.count,
      (index) => this.times.offsetAt(index) >= endOffset,
    );
    return beyond < this.times.count ? this.times.timestampAt(beyond) : this.#maxTimestampMs;
  }

  /**
   * Whether a batch that ends with `lastOffset` may begin at `position`, where an entry led: the entry
   * is of exactly that batch. Every use of an entry is proved by this (DESIGN D19).
   */
  agreesWith(position: number, lastOffset: Offset): boolean {
    if (position === 0) return true;
    const index = this.offsets.floor(lastOffset);
    return (
      index >= 0 &&
      this.offsets.offsetAt(index) === lastOffset &&
      this.offsets.positionAt(index) === position
    );
  }

  /** Takes in the batch at `position`. Adding one again that is covered changes nothing. */
  add(position: number, lastOffset: Offset, maxTimestampMs: number, intervalBytes: number): void {
    if (maxTimestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = maxTimestampMs;
      this.#maxTimestampOffset = lastOffset;
    }
    if (position - this.lastIndexedPosition > intervalBytes) {
      this.offsets.append(lastOffset, position);
      this.times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset);
    }
  }

  /** Ends the time index with the largest timestamp. */
  finish(): void {
    this.times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset);
  }

  /**
   * Drops what is at or after a batch that begins at `position` with `endOffset`. The largest
   * timestamp is then only that of the entries: batches from the last indexed one are to be added again.
   */
  truncateTo(position: number, endOffset: Offset): void {
    this.offsets.truncateTo(position);
    this.times.truncateTo(endOffset);
    this.#maxTimestampMs = -1;
    this.#maxTimestampOffset = this.baseOffset;
    this.#resetMaxTimestamp();
  }

  /** One time entry is kept free for `finish`. */
  isFull(maxBytes: number): boolean {
    return (
      this.offsets.table.sizeInBytes + 8 > maxBytes || this.times.table.sizeInBytes + 24 > maxBytes
    );
  }

  problem(segmentBytes: number, endOffset: Offset): string | null {
    const ofOffsets = this.offsets.problem(segmentBytes, endOffset);
    if (ofOffsets !== null) return `.index: ${ofOffsets}`;
    const ofTimes = this.times.problem(endOffset);
    return ofTimes === null ? null : `.timeindex: ${ofTimes}`;
  }

  #resetMaxTimestamp(): void {
    const last = this.times.count - 1;
    // Entries from a file are checked after this, by their checksum or by `problem`.
    if (last < 0 || !this.times.isPlausible(last)) return;
    this.#maxTimestampMs = this.times.timestampAt(last);
    this.#maxTimestampOffset = this.times.offsetAt(last);
  }
}
