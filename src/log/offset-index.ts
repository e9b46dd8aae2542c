import type { Offset } from '../model/ids.ts';
import { EntryTable, firstBeyond } from './entry-table.ts';

/**
 * Offset index of a segment, as Kafka writes it (`.index`). An entry is 8 bytes:
 *
 *     last offset of a batch − base offset of the segment i32 | where that batch begins i32
 *
 * Offsets and positions rise strictly.
 */
export class OffsetIndex {
  readonly baseOffset: Offset;
  readonly table: EntryTable;

  constructor(baseOffset: Offset, content?: Uint8Array) {
    this.baseOffset = baseOffset;
    this.table = new EntryTable(8, content);
  }

  get count(): number {
    return this.table.count;
  }

  /** Perhaps no offset at all: in a file may stand anything. */
  offsetAt(index: number): Offset {
    return (this.baseOffset + this.table.view.getInt32(index * 8)) as Offset;
  }

  positionAt(index: number): number {
    return this.table.view.getInt32(index * 8 + 4);
  }

  append(lastOffset: Offset, position: number): void {
    const at = this.table.push();
    this.table.view.setInt32(at, lastOffset - this.baseOffset);
    this.table.view.setInt32(at + 4, position);
  }

  /** Index of the last entry whose offset is not above `target`; -1 if there is none. */
  floor(target: Offset): number {
    const relative = target - this.baseOffset;
    const { view } = this.table;
    return firstBeyond(this.count, (index) => view.getInt32(index * 8) > relative) - 1;
  }

  /** Drops entries of batches that begin at or after `position`. */
  truncateTo(position: number): void {
    this.table.truncate(firstBeyond(this.count, (index) => this.positionAt(index) >= position));
  }

  /** What is wrong with the entries for a segment of that size and end, `null` if nothing is. */
  problem(segmentBytes: number, endOffset: Offset): string | null {
    let lastOffset = -1;
    let lastPosition = 0;
    const { view } = this.table;
    for (let index = 0; index < this.count; index++) {
      const relative = view.getInt32(index * 8);
      const position = view.getInt32(index * 8 + 4);
      if (relative <= lastOffset || position <= lastPosition) {
        return `entry ${index} does not rise above the one before`;
      }
      lastOffset = relative;
      lastPosition = position;
    }
    if (lastPosition >= segmentBytes && this.count > 0) {
      return `it points to byte ${lastPosition} of a segment of ${segmentBytes} bytes`;
    }
    if (this.baseOffset + lastOffset >= endOffset) {
      return `it points to offset ${this.baseOffset + lastOffset} of a segment that ends before ${endOffset}`;
    }
    return null;
  }
}
