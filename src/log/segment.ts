import type { Offset } from '../model/ids.ts';
import { type IndexMark, NO_INDEX } from './durable-marks.ts';
import { type OffsetFileSuffix, offsetFile } from './file-names.ts';
import type { ProducerSnapshot } from './producer-snapshot.ts';
import { SegmentIndexes } from './segment-indexes.ts';

/**
 * One segment of a log: what is known of it in memory. The last segment of a log is active, all
 * others are closed and change no more.
 *
 *     synced <= written <= size, in bytes of the `.log` file
 */
export class Segment {
  readonly folder: string;
  readonly baseOffset: Offset;
  /** Exclusive. */
  endOffset: Offset;
  /** With what is queued. */
  sizeInBytes = 0;
  writtenBytes = 0;
  syncedBytes = 0;
  /** Appended and not yet given to the file. */
  queue: Uint8Array[] = [];
  /** So many of the first in the queue, and their bytes, are durable in the commit journal, or about to be. */
  journaledChunks = 0;
  journaledBytes = 0;
  /** The file is there and its name durable. Only then may anything in it count as flushed. */
  isNamed = false;
  /** Closed, and everything that belongs to it is durable: bytes, indexes, producers at its end. */
  isFinished = false;
  /** `null` if they are only on the disk. */
  indexes: SegmentIndexes | null;
  /** How many entries of the indexes the files hold. */
  savedOffsetEntries = 0;
  savedTimeEntries = 0;
  /** What the files of the indexes held when they were saved last. */
  indexMark: IndexMark = NO_INDEX;
  /** Largest timestamp of the first batch; -1 if there is none. */
  firstTimestampMs = -1;
  /** Producers at the end of the segment, taken when it was closed, until they are saved. */
  producersAtEnd: ProducerSnapshot | null = null;

  constructor(folder: string, baseOffset: Offset) {
    this.folder = folder;
    this.baseOffset = baseOffset;
    this.endOffset = baseOffset;
    this.indexes = new SegmentIndexes(baseOffset);
  }

  get isEmpty(): boolean {
    return this.sizeInBytes === 0;
  }

  path(suffix: OffsetFileSuffix): string {
    return `${this.folder}/${offsetFile(this.baseOffset, suffix)}`;
  }
}
