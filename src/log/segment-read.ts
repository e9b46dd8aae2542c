import { CorruptError } from '../codec/reader.ts';
import type { Offset } from '../model/ids.ts';
import { BatchView, batchSizeAt } from '../records/batch-view.ts';
import { BatchScanner } from './batch-scanner.ts';
import { type BatchRange, sliceBatches } from './batch-slice.ts';
import { MisledError } from './disk-health.ts';
import type { Segment } from './segment.ts';
import type { OpenSegment } from './segment-readers.ts';

/** Read ahead of the first wanted batch: index entries are about this far apart, and batches small. */
const APPROACH_BYTES = 16 * 1024;
/** A size beyond this is no wish but "everything": it is read in steps. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/** What a read of a segment brought. */
export interface SegmentRead {
  readonly batches: readonly Uint8Array[];
  readonly bytes: number;
  readonly nextOffset: Offset;
}

/**
 * Reads wanted batches from what is written of a segment. Throws `CorruptError`, which names the
 * position, for anything that is not the batches that should be there.
 */
export async function readSegment(
  open: OpenSegment,
  segment: Segment,
  range: BatchRange,
  options: { readonly verifyCrc: boolean },
): Promise<SegmentRead> {
  // Only what is written before we begin; the file may grow while we wait.
  const end = segment.writtenBytes;
  let position = open.indexes.floorPosition(range.from);
  let isFirst = true;
  while (position < end) {
    const wanted = Math.min(range.maxBytes, MAX_READ_BYTES) + APPROACH_BYTES;
    let chunk = await open.file.read(position, Math.min(wanted, end - position));
    const size = batchSizeAt(chunk, 0);
    if (size > chunk.length && size <= end - position) chunk = await open.file.read(position, size);
    const where = `${segment.path('.log')} at byte ${position}`;
    if (isFirst) checkIndexed(open, chunk, position, where);
    isFirst = false;
    const slice = slicesOf(chunk, range, where);
    if (slice.end > slice.start) {
      const batches = chunk.subarray(slice.start, slice.end);
      if (options.verifyCrc) verify(batches, position + slice.start, segment);
      return { batches: [batches], bytes: batches.length, nextOffset: slice.nextOffset };
    }
    if (slice.isComplete) break;
    if (slice.end === 0) throw new CorruptError(`${where}: no whole batch is there`);
    position += slice.end;
  }
  return { batches: [], bytes: 0, nextOffset: range.from };
}

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

interface ChunkSlice {
  readonly start: number;
  readonly end: number;
  readonly nextOffset: Offset;
  /** The first wanted batch reaches the end offset: there is nothing to find further on. */
  readonly isComplete: boolean;
}

function slicesOf(chunk: Uint8Array, range: BatchRange, where: string): ChunkSlice {
  try {
    const slice = sliceBatches(chunk, 0, range);
    const isCutShort =
      slice.stoppedAt === chunk.length ||
      batchSizeAt(chunk, slice.stoppedAt) > chunk.length - slice.stoppedAt ||
      batchSizeAt(chunk, slice.stoppedAt) < 0;
    return { ...slice, isComplete: slice.end === slice.start && !isCutShort };
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw new CorruptError(`${where}: ${error.message}`, { cause: error });
  }
}

/** The batch to which the indexes led must be the one that they know. */
function checkIndexed(open: OpenSegment, chunk: Uint8Array, position: number, where: string): void {
  try {
    const { lastOffset } = new BatchView(chunk, 0);
    if (!open.indexes.agreesWith(position, lastOffset)) {
      throw new CorruptError(`a batch that ends at ${lastOffset}, the index knows another`);
    }
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw new MisledError(`${where}: ${error.message}`, { cause: error });
  }
}

function verify(batches: Uint8Array, position: number, segment: Segment): void {
  for (let at = 0; at < batches.length; ) {
    const batch = new BatchView(batches, at);
    if (!batch.isCrcValid()) {
      throw new CorruptError(
        `${segment.path('.log')} at byte ${position + at}: a batch fails its checksum`,
      );
    }
    at += batch.sizeInBytes;
  }
}
