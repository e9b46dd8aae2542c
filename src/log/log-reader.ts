import { CorruptError } from '../codec/reader.ts';
import { FileError } from '../env/ports.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { type Offset, offset, partitionName, type TopicPartition } from '../model/ids.ts';
import type { BatchRange } from './batch-slice.ts';
import { LogCorruptError, StorageError } from './disk-health.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';
import type { LentBuffer } from './read-buffers.ts';
import { readAheadBytes, readSegment, type SegmentRead } from './segment-read.ts';
import { DamagedError } from './segment-survey.ts';
import { findByTime, type TimedOffset } from './time-lookup.ts';
import { provedSearchFrom } from './time-proof.ts';

/** Whole batches in order, in pieces of one or more. They may be served as they are, never changed. */
export interface LogRead {
  readonly ok: true;
  readonly batches: readonly Uint8Array[];
  readonly bytes: number;
  /** Where to read on. */
  readonly nextOffset: Offset;
  /**
   * Call it once when nobody will look at `batches` any more: other reads may then overwrite them. Who
   * keeps them never calls it. Missing if there is nothing to give back.
   */
  readonly release?: () => void;
}

export interface LogReadRefused {
  readonly ok: false;
  readonly row: ErrorRow;
  readonly detail: string;
}

export type LogReadOutcome = LogRead | LogReadRefused;

/** How much is read at a time when a record is looked for by its time. */
const LOOKUP_BYTES = 256 * 1024;

/** Reads a log: from memory if it is recent, else from the segments. */
export class LogReader {
  readonly #topicPartition: TopicPartition;
  readonly #shared: LogShared;
  readonly #state: LogState;

  constructor(topicPartition: TopicPartition, shared: LogShared, state: LogState) {
    this.#topicPartition = topicPartition;
    this.#shared = shared;
    this.#state = state;
  }

  // Hot path: recent batches come from memory, in the same turn.
  read(range: BatchRange, intervalBytes: number): LogReadOutcome | Promise<LogReadOutcome> {
    const { logStartOffset, logEndOffset, tail } = this.#state;
    const { from, maxBytes } = range;
    if (from < logStartOffset || from > logEndOffset) {
      const name = partitionName(this.#topicPartition);
      const detail = `${name} has offsets ${logStartOffset} to ${logEndOffset}, not ${from}`;
      return { ok: false, row: Errors.OFFSET_OUT_OF_RANGE, detail };
    }
    const endOffset = offset(Math.min(range.endOffset, logEndOffset));
    if (from >= endOffset) return { ok: true, batches: [], bytes: 0, nextOffset: from };
    const recent = tail.read(from, maxBytes, endOffset);
    if (recent !== null) {
      const { batches, bytes, nextOffset } = recent;
      return { ok: true, batches, bytes, nextOffset };
    }
    return this.#readFromDisk({ from, maxBytes, endOffset }, intervalBytes);
  }

  /** The first record before `endOffset` with a timestamp from `timestampMs` on. Throws if it cannot be read. */
  async offsetForTime(
    timestampMs: number,
    endOffset: Offset,
    intervalBytes: number,
  ): Promise<TimedOffset | undefined> {
    let from = this.#state.logStartOffset;
    for (const segment of [...this.#state.segments]) {
      const skipTo = await this.#beginInSegment(segment.baseOffset, timestampMs, intervalBytes);
      if (skipTo === undefined) continue;
      from = offset(Math.max(from, skipTo));
      while (from < segment.endOffset) {
        // While we waited the start may have moved on, or the end back.
        from = offset(Math.max(from, this.#state.logStartOffset));
        if (from >= Math.min(endOffset, this.#state.logEndOffset)) return undefined;
        const range = { from, endOffset, maxBytes: LOOKUP_BYTES };
        const outcome = await this.read(range, intervalBytes);
        if (!outcome.ok) throw new StorageError(outcome.detail);
        if (outcome.bytes === 0) return undefined;
        for (const batches of outcome.batches) {
          const found = findByTime(batches, timestampMs, from);
          if (found !== undefined) return found;
        }
        from = outcome.nextOffset;
      }
    }
    return undefined;
  }

  /**
   * From which offset on a segment is to be searched for a record of that time; `undefined` if it
   * has none.
   */
  async #beginInSegment(
    base: Offset,
    timestampMs: number,
    intervalBytes: number,
  ): Promise<Offset | undefined> {
    // Retention may have removed the segment while we waited for the one before.
    const segment = this.#state.segments.find((candidate) => candidate.baseOffset === base);
    if (segment === undefined || segment.isEmpty) return undefined;
    // Those in memory were made from the batches.
    if (segment.indexes !== null) return segment.indexes.searchFrom(timestampMs);
    return await this.#shared.readers.use(segment, intervalBytes, (open) =>
      provedSearchFrom(open, segment, timestampMs),
    );
  }

  async #readFromDisk(range: BatchRange, intervalBytes: number): Promise<LogReadOutcome> {
    const { readers, readBuffers } = this.#shared;
    const { generation, epochs } = this.#state;
    const segment = this.#state.segmentOf(range.from);
    const lent = readBuffers.lend(readAheadBytes(range));
    try {
      const read = await readers.use(segment, intervalBytes, (open) =>
        readSegment(open, segment, range, epochs, lent?.bytes),
      );
      // A truncation that began meanwhile may have put other bytes in place of those.
      if (generation !== this.#state.generation) return await this.read(range, intervalBytes);
      return { ok: true, ...released(read, lent) };
    } catch (error) {
      if (generation !== this.#state.generation || range.from < this.#state.logStartOffset) {
        return await this.read(range, intervalBytes);
      }
      return this.#refuse(error);
    }
  }

  #refuse(error: unknown): LogReadRefused {
    const isCorrupt = error instanceof CorruptError || error instanceof LogCorruptError;
    if (!isCorrupt && !(error instanceof FileError)) throw error;
    const partition = partitionName(this.#topicPartition);
    const { reporter } = this.#shared;
    if (error instanceof DamagedError) reporter.damaged(error.path, error.damage, 'read');
    else reporter.error({ partition, err: error }, 'cannot read a log');
    const row = isCorrupt ? Errors.CORRUPT_MESSAGE : Errors.KAFKA_STORAGE_ERROR;
    // Who reads it may be anybody: no path goes out.
    const what = error instanceof DamagedError ? `is damaged: ${error.lost}` : 'cannot be read';
    const detail = `${partition} ${what}; the log of the broker says why`;
    return { ok: false, row, detail };
  }
}

/** Little is copied out, so that what waits for a slow reader takes no more memory than it may. */
function released(read: SegmentRead, lent: LentBuffer | undefined): Omit<LogRead, 'ok'> {
  if (lent === undefined) return read;
  const [batches] = read.batches;
  if (batches?.buffer !== lent.bytes.buffer) {
    lent.giveBack();
    return read;
  }
  if (batches.length * 2 >= lent.bytes.length) return { ...read, release: () => lent.giveBack() };
  const copied = { ...read, batches: [batches.slice()] };
  lent.giveBack();
  return copied;
}
