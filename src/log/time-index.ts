import { assert } from '../model/assert.ts';
import type { Offset } from '../model/ids.ts';
import { EntryTable, firstBeyond } from './entry-table.ts';

/**
 * Time index of a segment, as Kafka writes it (`.timeindex`). An entry is 12 bytes:
 *
 *     largest timestamp so far i64 | last offset of the batch that has it − base offset i32
 *
 * Timestamps rise strictly, offsets never fall.
 */
export class TimeIndex {
  readonly baseOffset: Offset;
  readonly table: EntryTable;

  constructor(baseOffset: Offset, content?: Uint8Array) {
    this.baseOffset = baseOffset;
    this.table = new EntryTable(12, content);
  }

  get count(): number {
    return this.table.count;
  }

  timestampAt(index: number): number {
    const { view } = this.table;
    return view.getInt32(index * 12) * 0x1_0000_0000 + view.getUint32(index * 12 + 4);
  }

  /** Perhaps no offset at all: in a file may stand anything. */
  offsetAt(index: number): Offset {
    return (this.baseOffset + this.table.view.getInt32(index * 12 + 8)) as Offset;
  }

  /** False for an entry that nobody can have written; `problem` says so, and nothing may trust it. */
  isPlausible(index: number): boolean {
    return this.table.view.getInt32(index * 12 + 8) >= 0;
  }

  /** Adds an entry if its timestamp is larger than all before. */
  maybeAppend(timestampMs: number, lastOffset: Offset): void {
    const last = this.count - 1;
    if (timestampMs < 0 || (last >= 0 && timestampMs <= this.timestampAt(last))) return;
    assert(Number.isSafeInteger(timestampMs), 'a timestamp is a safe integer');
    const at = this.table.push();
    this.table.view.setInt32(at, Math.floor(timestampMs / 0x1_0000_0000));
    this.table.view.setUint32(at + 4, timestampMs >>> 0);
    this.table.view.setInt32(at + 8, lastOffset - this.baseOffset);
  }

  /** Index of the last entry whose timestamp is below `timestampMs`; -1 if there is none. */
  lower(timestampMs: number): number {
    return firstBeyond(this.count, (index) => this.timestampAt(index) >= timestampMs) - 1;
  }

  /** Drops entries of batches that end at or after `endOffset`. */
  truncateTo(endOffset: Offset): void {
    this.table.truncate(firstBeyond(this.count, (index) => this.offsetAt(index) >= endOffset));
  }

  /** What is wrong with the entries for a segment with that end, `null` if nothing is. */
  problem(endOffset: Offset): string | null {
    let lastTimestampMs = -1;
    let lastOffset = 0;
    for (let index = 0; index < this.count; index++) {
      const timestampMs = this.timestampAt(index);
      const relative = this.table.view.getInt32(index * 12 + 8);
      if (timestampMs <= lastTimestampMs || relative < lastOffset) {
        return `entry ${index} does not rise above the one before`;
      }
      if (!Number.isSafeInteger(timestampMs)) return `entry ${index} is beyond 2^53`;
      lastTimestampMs = timestampMs;
      lastOffset = relative;
    }
    if (this.count > 0 && this.baseOffset + lastOffset >= endOffset) {
      return `it points to offset ${this.baseOffset + lastOffset} of a segment that ends before ${endOffset}`;
    }
    return null;
  }
}
