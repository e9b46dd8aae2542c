import { CorruptError } from '../codec/reader.ts';
import { assert } from '../model/assert.ts';
import { type Offset, offsetAfter } from '../model/ids.ts';
import { BatchView, batchSizeAt } from '../records/batch-view.ts';
import { headerProblem } from './batch-check.ts';
import { BatchScanner } from './batch-scanner.ts';
import { type BatchRange, hasWholeBatch } from './batch-slice.ts';
import { MisledError } from './disk-health.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { Segment } from './segment.ts';
import type { OpenSegment } from './segment-readers.ts';
import { DamagedError, SegmentSurvey } from './segment-survey.ts';

/** Read ahead of the first wanted batch: index entries are about this far apart, and batches small. */
const APPROACH_BYTES = 16 * 1024;
/** A size beyond this is no wish but "everything": it is read in steps. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);
const NOTHING = { batches: [], bytes: 0, isContinued: false };

/** What a read of a segment brought. */
export interface SegmentRead {
  readonly batches: readonly Uint8Array[];
  readonly bytes: number;
  readonly nextOffset: Offset;
  /** It began where another read had ended, or at the beginning. */
  readonly isContinued: boolean;
}

/** The same, with what it was read into, if that was lent. */
export interface LentSegmentRead extends SegmentRead {
  /** As in `LogRead`. */
  readonly release?: () => void;
}

/**
 * Reads wanted batches from what is written of a segment: only sound ones, checked against the one
 * before, the index, the leader epochs and their checksums. It stops before damage; if that is what
 * is wanted first, it throws `DamagedError`. What lies behind damage is found all the same.
 *
 * @param spare memory that may be read into, of `chunkBytes(range)` or more
 */
export async function readSegment(
  open: OpenSegment,
  segment: Segment,
  range: BatchRange,
  epochs: LeaderEpochs | null,
  spare?: Uint8Array,
): Promise<SegmentRead> {
  // Only what is written before we begin; the file may grow while we wait.
  const end = segment.writtenBytes;
  const isThere = end === segment.sizeInBytes && range.from < segment.endOffset;
  const known = open.ends.positionOf(range.from);
  let position = known ?? open.indexes.floorPosition(range.from);
  let expected: Offset | null = known === undefined ? null : range.from;
  if (position === 0) expected = segment.baseOffset;
  const isContinued = known !== undefined || range.from === segment.baseOffset;
  while (position < end) {
    const wanted = Math.min(chunkBytes(range), end - position);
    let chunk = await open.file.read(position, wanted, spare);
    const size = batchSizeAt(chunk, 0);
    const isCutShort = size > chunk.length && size <= Math.min(end - position, MAX_READ_BYTES);
    if (isCutShort) chunk = await open.file.read(position, size);
    const isRight = expected !== null || isIndexed(open, segment, chunk, position);
    const slice = soundSlice(isRight ? chunk : NO_BYTES, range, expected, epochs);
    if (slice.end > slice.start) {
      const batches = chunk.subarray(slice.start, slice.end);
      open.ends.add(slice.nextOffset, position + slice.end);
      const { nextOffset } = slice;
      return { batches: [batches], bytes: batches.length, nextOffset, isContinued };
    }
    if (slice.isComplete) return { ...NOTHING, nextOffset: range.from };
    if (slice.isDamaged || slice.end === 0) {
      return await readBehindDamage(open, segment, range, end, epochs);
    }
    position += slice.end;
    expected = slice.expected;
  }
  if (isThere) return await readBehindDamage(open, segment, range, end, epochs);
  return { ...NOTHING, nextOffset: range.from };
}

/** How much is read at a time for a range, before it is known how large its batches are. */
export const chunkBytes = ({ maxBytes }: BatchRange): number =>
  Math.min(maxBytes, MAX_READ_BYTES) + APPROACH_BYTES;

/** Where the batch begins that holds `target`, or else the end of the segment, and its base offset. */
export async function findBatch(
  open: OpenSegment,
  segment: Segment,
  target: Offset,
): Promise<{ readonly position: number; readonly baseOffset: Offset }> {
  const from = open.indexes.floorPosition(target);
  const scanner = new BatchScanner(open.file, { from, to: segment.writtenBytes });
  let nextOffset = segment.baseOffset;
  while (await scanner.fill()) {
    let position = scanner.position;
    for (let batch = scanner.next(); batch !== null; batch = scanner.next()) {
      if (position === from && !open.indexes.agreesWith(from, batch.lastOffset)) {
        throw new MisledError(
          `${segment.path('.log')} at byte ${from}: the index knows another batch`,
        );
      }
      if (batch.lastOffset >= target) return { position, baseOffset: batch.baseOffset };
      nextOffset = batch.nextOffset;
      position = scanner.position;
    }
  }
  if (scanner.problem !== null) {
    throw new CorruptError(
      `${segment.path('.log')} at byte ${scanner.position}: ${scanner.problem}`,
    );
  }
  return { position: scanner.position, baseOffset: nextOffset };
}

/** The wanted batches at the beginning of a chunk of a segment, as far as they are sound. */
interface SoundSlice {
  readonly start: number;
  readonly end: number;
  /** Where to read on. */
  readonly nextOffset: Offset;
  /** Offset of the batch at `end`. */
  readonly expected: Offset | null;
  /** The first wanted batch reaches the end offset: there is nothing to find further on. */
  readonly isComplete: boolean;
  /** At `end` is no sound batch. */
  readonly isDamaged: boolean;
}

// Hot path of cold reads: a view and a checksum a batch, nothing else.
function soundSlice(
  chunk: Uint8Array,
  range: BatchRange,
  firstOffset: Offset | null,
  epochs: LeaderEpochs | null,
): SoundSlice {
  let start = -1;
  let at = 0;
  let expected = firstOffset;
  let nextOffset = range.from;
  let isComplete = false;
  let isDamaged = false;
  try {
    while (hasWholeBatch(chunk, at)) {
      const batch = new BatchView(chunk, at);
      const { baseOffset, lastOffset, sizeInBytes } = batch;
      isDamaged = expected !== null && baseOffset !== expected;
      if (isDamaged) break;
      if (lastOffset >= range.from) {
        const isBeyond = lastOffset >= range.endOffset;
        if (start >= 0 && (isBeyond || at + sizeInBytes - start > range.maxBytes)) break;
        isDamaged = headerProblem(batch, epochs) !== null || !batch.isCrcValid();
        isComplete = isBeyond && !isDamaged;
        if (isDamaged || isComplete) break;
        if (start < 0) start = at;
        nextOffset = batch.nextOffset;
      }
      expected = batch.nextOffset;
      at += sizeInBytes;
    }
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    isDamaged = true;
  }
  return { start: start < 0 ? at : start, end: at, nextOffset, expected, isComplete, isDamaged };
}

/** There is damage before or at what is wanted: brings the one batch that holds `range.from`. */
async function readBehindDamage(
  { file, indexes }: OpenSegment,
  segment: Segment,
  range: BatchRange,
  end: number,
  epochs: LeaderEpochs | null,
): Promise<SegmentRead> {
  // From the entry before, as the batch of this one may be what is damaged.
  const entry = indexes.offsets.floor(range.from) - 1;
  const from = entry < 0 ? 0 : indexes.offsets.positionAt(entry);
  const survey = new SegmentSurvey(file, {
    ...{ from, to: end, endOffset: segment.endOffset, epochs },
    nextOffset:
      entry < 1 ? segment.baseOffset : offsetAfter(indexes.offsets.offsetAt(entry - 1), 1),
    ...(entry < 0 ? {} : { isFirst: ({ lastOffset }) => indexes.agreesWith(from, lastOffset) }),
  });
  const found = await firstReaching(survey, range.from);
  if (found !== null && found.baseOffset <= range.from) {
    if (found.lastOffset >= range.endOffset) return { ...NOTHING, nextOffset: range.from };
    const { bytes, nextOffset } = found;
    return { batches: [bytes], bytes: bytes.length, nextOffset, isContinued: false };
  }
  const damage = survey.damages.findLast(({ fromOffset }) => fromOffset <= range.from);
  assert(damage !== undefined, 'an offset that no batch holds lies in a damaged stretch');
  throw new DamagedError(segment.path('.log'), damage);
}

/** The first batch that does not end before `target`. */
async function firstReaching(survey: SegmentSurvey, target: Offset): Promise<BatchView | null> {
  while (await survey.fill()) {
    for (let batch = survey.next(); batch !== null; batch = survey.next()) {
      if (batch.lastOffset >= target) return batch;
    }
  }
  return null;
}

/**
 * Whether the batch to which an index entry led is the one that it knows. Throws `MisledError` if it
 * may be the entry that is wrong: those in memory were made from the batches.
 */
function isIndexed(
  open: OpenSegment,
  segment: Segment,
  chunk: Uint8Array,
  position: number,
): boolean {
  let problem: string;
  try {
    const { lastOffset } = new BatchView(chunk, 0);
    if (open.indexes.agreesWith(position, lastOffset)) return true;
    problem = `a batch that ends at ${lastOffset}, the index knows another`;
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    problem = error.message;
  }
  if (segment.indexes !== null) return false;
  throw new MisledError(`${segment.path('.log')} at byte ${position}: ${problem}`);
}
