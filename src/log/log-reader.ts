import { CorruptError } from '../codec/reader.ts';
import { FileError } from '../env/ports.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { type Offset, offset, partitionName, type TopicPartition } from '../model/ids.ts';
import type { BatchRange } from './batch-slice.ts';
import { LogCorruptError } from './disk-health.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';
import type { LentBuffer } from './read-buffers.ts';
import { chunkBytes, type LentSegmentRead, readSegment, type SegmentRead } from './segment-read.ts';
import { DamagedError } from './segment-survey.ts';
import type { TimedOffset } from './time-lookup.ts';
import { TimeSearch } from './time-search.ts';

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

/** Reads a log: from memory if it is recent, else from the segments. */
export class LogReader {
  readonly #topicPartition: TopicPartition;
  readonly #shared: LogShared;
  readonly #state: LogState;
  readonly #times: TimeSearch;

  constructor(topicPartition: TopicPartition, shared: LogShared, state: LogState) {
    this.#topicPartition = topicPartition;
    this.#shared = shared;
    this.#state = state;
    this.#times = new TimeSearch(shared, state, (range, intervalBytes) =>
      this.read(range, intervalBytes),
    );
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

  /** As `Log.offsetForTime`. */
  offsetForTime(
    time: number | 'largest',
    endOffset: Offset,
    intervalBytes: number,
  ): Promise<TimedOffset | undefined> {
    return time === 'largest'
      ? this.#times.largest(endOffset, intervalBytes)
      : this.#times.firstFrom(time, endOffset, intervalBytes);
  }

  async #readFromDisk(range: BatchRange, intervalBytes: number): Promise<LogReadOutcome> {
    const { generation } = this.#state;
    try {
      const ahead = await this.#shared.readAhead.take(this.#state, range);
      // What a truncation takes away is not looked for: it would be remembered where it was.
      if (generation !== this.#state.generation) return await this.read(range, intervalBytes);
      const read = ahead ?? (await this.#readSegment(range, intervalBytes));
      // A truncation that began meanwhile may have put other bytes in place of those.
      if (generation !== this.#state.generation) return await this.read(range, intervalBytes);
      if (read.isContinued) this.#goAhead(range, read, intervalBytes);
      return { ok: true, ...read };
    } catch (error) {
      if (generation !== this.#state.generation || range.from < this.#state.logStartOffset) {
        return await this.read(range, intervalBytes);
      }
      return this.#refuse(error);
    }
  }

  async #readSegment(range: BatchRange, intervalBytes: number): Promise<LentSegmentRead> {
    const { readers, readBuffers } = this.#shared;
    const segment = this.#state.segmentOf(range.from);
    if (this.#state.isReleased) throw new FileError('EBADF', segment.path('.log'), 'read');
    const { epochs } = this.#state;
    const lent = readBuffers.lend(chunkBytes(range));
    const read = await readers.use(segment, intervalBytes, (open) =>
      readSegment(open, segment, range, epochs, lent?.bytes),
    );
    return released(read, lent);
  }

  /** Reads what one who reads much at a time will ask for next; if that fails, it will be told then. */
  #goAhead(
    range: BatchRange,
    { nextOffset, release }: LentSegmentRead,
    intervalBytes: number,
  ): void {
    const isMuch = release !== undefined;
    const { isReleased, tail } = this.#state;
    if (!isMuch || isReleased || nextOffset >= range.endOffset || tail.holds(nextOffset)) return;
    const next = { ...range, from: nextOffset };
    this.#shared.readAhead.begin(this.#state, next, async () => {
      const read = await this.#readSegment(next, intervalBytes).catch(() => null);
      return read === null || read.bytes === 0 ? null : read;
    });
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
function released(read: SegmentRead, lent: LentBuffer | undefined): LentSegmentRead {
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
