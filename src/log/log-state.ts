import { assert } from '../model/assert.ts';
import { type Offset, offset } from '../model/ids.ts';
import type { DurablePoint, LogMark } from './durable-marks.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import type { RecoveredLog } from './log-recovery.ts';
import { ProducerStates } from './producer-states.ts';
import type { Segment } from './segment.ts';
import { LogTail, type TailCache } from './tail-cache.ts';

/**
 * What one log knows of itself, shared by the classes that make up a log.
 *
 *     log start <= durable end <= log end, and log start <= flushed offset <= log end
 */
export class LogState {
  /** In order of offset; the last one is active. None before the first append. */
  readonly segments: Segment[];
  readonly epochs: LeaderEpochs;
  readonly tail: LogTail;
  producers: ProducerStates;
  /** First offset that is served. It rises only after that is durable. */
  logStartOffset: Offset;
  /** What the next marks say: ahead of `logStartOffset` while the rise is being made durable. */
  markedStartOffset: Offset;
  logEndOffset: Offset;
  flushedOffset: Offset;
  /** `null` while the log has no folder. */
  durable: DurablePoint | null;
  /** Exclusive: all below is durable, in the files or in the commit journal. */
  journaledOffset: Offset;
  /** How often the log was truncated at its end: what began before a truncation does not count after it. */
  generation = 0;
  /** The files have been let go; others may be there under their names. */
  isReleased = false;

  constructor(recovered: RecoveredLog, cache: TailCache) {
    const endOffset = recovered.durable?.endOffset ?? recovered.logStartOffset;
    this.segments = recovered.segments;
    this.epochs = recovered.epochs;
    this.producers = recovered.producers;
    this.tail = new LogTail(cache, endOffset);
    this.logStartOffset = recovered.logStartOffset;
    this.markedStartOffset = recovered.logStartOffset;
    this.logEndOffset = endOffset;
    this.flushedOffset = endOffset;
    this.durable = recovered.durable;
    this.journaledOffset = endOffset;
  }

  get active(): Segment | undefined {
    return this.segments.at(-1);
  }

  /** Bytes of all segments. */
  get sizeInBytes(): number {
    let bytes = 0;
    for (const segment of this.segments) bytes += segment.sizeInBytes;
    return bytes;
  }

  /** What the marks say of the log; `null` while it has no folder. */
  mark(): Omit<LogMark, 'topicPartition' | 'topicId' | 'isClean'> | null {
    const { durable, segments, epochs } = this;
    if (durable === null) return null;
    // A flush that a truncation overtook finishes segments without moving the durable end: above it
    // recovery trusts no snapshot, so these are to be finished again.
    const unfinished =
      segments.find(({ isFinished, endOffset }) => !isFinished || endOffset > durable.endOffset) ??
      segments.at(-1)!;
    return {
      ...durable,
      logStartOffset: this.markedStartOffset,
      finishedBefore: unfinished.baseOffset,
      index: this.segmentOf(durable.segmentBase).indexMark,
      segmentCount: segments.length,
      totalBytes: this.sizeInBytes,
      epochs: epochs.entries.filter((entry) => entry.startOffset <= durable.endOffset),
    };
  }

  /** The segment that holds `target`, or that would. */
  segmentOf(target: Offset): Segment {
    const segment = this.segments.findLast((candidate) => candidate.baseOffset <= target);
    assert(segment !== undefined, 'an offset of the log is in one of its segments');
    return segment;
  }
}

/** A log that nothing was ever appended to. */
export const emptyLog = (producerIdsMax: number): RecoveredLog => ({
  segments: [],
  logStartOffset: offset(0),
  epochs: new LeaderEpochs(),
  producers: new ProducerStates(producerIdsMax),
  durable: null,
});
