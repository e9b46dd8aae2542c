import { type Offset, offset } from '../model/ids.ts';
import { BatchView } from '../records/batch-view.ts';
import type { BatchRange } from './batch-slice.ts';
import { StorageError } from './disk-health.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';
import { findByTime, findLargest, type TimedOffset } from './time-lookup.ts';
import { maxTimestampOf, provedSearchFrom } from './time-proof.ts';

/** How much is read at a time when a record is looked for by its time. */
const LOOKUP_BYTES = 256 * 1024;

/** What a read brings, of `LogReader.read`. */
type Outcome =
  | {
      readonly ok: true;
      readonly batches: readonly Uint8Array[];
      readonly bytes: number;
      readonly nextOffset: Offset;
    }
  | { readonly ok: false; readonly detail: string };

type Read = (range: BatchRange, intervalBytes: number) => Outcome | Promise<Outcome>;

/** What is known of the largest timestamp of a segment. */
interface Peak {
  /** No batch has a larger one, perhaps none that may be read has it. */
  readonly maxTimestampMs: number;
  /** Every batch before the one that holds this offset has a smaller one than that has. */
  readonly from: Offset;
}

/** A batch and its largest timestamp, as its header says. */
interface TimedBatch {
  readonly timestampMs: number;
  readonly batch: BatchView;
}

/** Finds records of a log by their time: the indexes of the segments lead near, the batches decide. */
export class TimeSearch {
  readonly #shared: LogShared;
  readonly #state: LogState;
  readonly #read: Read;

  constructor(shared: LogShared, state: LogState, read: Read) {
    this.#shared = shared;
    this.#state = state;
    this.#read = read;
  }

  /** The first record before `endOffset` with a timestamp from `timestampMs` on. Throws if it cannot be read. */
  async firstFrom(
    timestampMs: number,
    endOffset: Offset,
    intervalBytes: number,
  ): Promise<TimedOffset | undefined> {
    for (const { baseOffset, endOffset: segmentEnd } of [...this.#state.segments]) {
      if (baseOffset >= endOffset) return undefined;
      const from = await this.#beginInSegment(baseOffset, timestampMs, intervalBytes);
      if (from === undefined) continue;
      const range = { from, to: Math.min(segmentEnd, endOffset), endOffset };
      for await (const { batches, from: at } of this.#pieces(range, intervalBytes)) {
        const found = findByTime(batches, timestampMs, at);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /**
   * The record before `endOffset` with the largest timestamp, the first such; `undefined` if none has
   * one. Batches are chosen by what their headers say. Throws if it cannot be read.
   */
  async largest(endOffset: Offset, intervalBytes: number): Promise<TimedOffset | undefined> {
    let largest: TimedBatch | undefined;
    // The newest first: it mostly has the largest, and no other is read then.
    for (const { baseOffset, endOffset: segmentEnd } of [...this.#state.segments].reverse()) {
      if (baseOffset >= endOffset) continue;
      const leastMs = largest?.timestampMs ?? 0;
      const peak = await this.#peakOf(baseOffset, { endOffset, leastMs }, intervalBytes);
      if (peak === undefined) continue;
      const range = { from: peak.from, to: Math.min(segmentEnd, endOffset), endOffset };
      const found = await this.#largestBatch(range, peak.maxTimestampMs, intervalBytes);
      if (found !== undefined && found.timestampMs >= leastMs) largest = found;
    }
    return largest && findLargest(largest.batch, this.#state.logStartOffset);
  }

  async #largestBatch(
    range: SearchRange,
    maxTimestampMs: number,
    intervalBytes: number,
  ): Promise<TimedBatch | undefined> {
    let largest: TimedBatch | undefined;
    for await (const { batches } of this.#pieces(range, intervalBytes)) {
      for (let at = 0; at < batches.length; ) {
        const batch = new BatchView(batches, at);
        at += batch.sizeInBytes;
        const { logStartOffset } = this.#state;
        // Of the one in which the log starts some records are gone, perhaps those.
        const timestampMs =
          batch.baseOffset < logStartOffset
            ? (findLargest(batch, logStartOffset)?.timestampMs ?? -1)
            : batch.maxTimestamp;
        if (timestampMs > (largest?.timestampMs ?? -1)) largest = { timestampMs, batch };
        if (timestampMs >= maxTimestampMs) return largest;
      }
    }
    return largest;
  }

  /** The batches of a range of a segment, and from which offset on they count. */
  async *#pieces(
    { from: first, to, endOffset }: SearchRange,
    intervalBytes: number,
  ): AsyncGenerator<{ readonly batches: Uint8Array; readonly from: Offset }> {
    for (let from = first; ; ) {
      // While we waited the start may have moved on, or the end back.
      from = offset(Math.max(from, this.#state.logStartOffset));
      if (from >= Math.min(to, this.#state.logEndOffset)) return;
      const outcome = await this.#read({ from, endOffset, maxBytes: LOOKUP_BYTES }, intervalBytes);
      if (!outcome.ok) throw new StorageError(outcome.detail);
      if (outcome.bytes === 0) return;
      for (const batches of outcome.batches) yield { batches, from };
      from = outcome.nextOffset;
    }
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

  /** `undefined` if no timestamp of a segment reaches `leastMs`. */
  async #peakOf(
    base: Offset,
    { endOffset, leastMs }: { readonly endOffset: Offset; readonly leastMs: number },
    intervalBytes: number,
  ): Promise<Peak | undefined> {
    const segment = this.#state.segments.find((candidate) => candidate.baseOffset === base);
    if (segment === undefined || segment.isEmpty) return undefined;
    const { indexes } = segment;
    if (indexes !== null) {
      const { maxTimestampMs } = indexes;
      if (maxTimestampMs < leastMs) return undefined;
      const from = indexes.searchFrom(indexes.peakBefore(endOffset));
      return from === undefined ? undefined : { maxTimestampMs, from };
    }
    return await this.#shared.readers.use(segment, intervalBytes, async (open) => {
      const maxTimestampMs = await maxTimestampOf(open, segment);
      if (maxTimestampMs < leastMs) return undefined;
      const from = await provedSearchFrom(open, segment, open.indexes.peakBefore(endOffset));
      return from === undefined ? undefined : { maxTimestampMs, from };
    });
  }
}

/** A part of a segment, and where what may be read ends. */
interface SearchRange {
  readonly from: Offset;
  readonly to: number;
  readonly endOffset: Offset;
}
