import type { Offset } from '../model/ids.ts';
import { BATCH_HEADER_BYTES, BatchView, batchSizeAt } from '../records/batch-view.ts';

/** Which batches are wanted. */
export interface BatchRange {
  /** The first batch is the one that holds this offset. */
  readonly from: Offset;
  /** No batch holds this offset or a later one. */
  readonly endOffset: Offset;
  /** More batches are taken only while they fit; the first one always is. */
  readonly maxBytes: number;
}

/** Neighbouring whole batches inside a larger array; none if `start === end`. */
export interface BatchSlice {
  readonly start: number;
  readonly end: number;
  /** The offset after the last batch taken; `from` if none is. */
  readonly nextOffset: Offset;
}

/**
 * The wanted batches among those that begin at `position` of `bytes`; a last one that is cut short
 * is not looked at. Throws `CorruptError` for bytes that are no batches.
 */
export function sliceBatches(bytes: Uint8Array, position: number, range: BatchRange): BatchSlice {
  let start = -1;
  let at = position;
  let nextOffset = range.from;
  while (hasWholeBatch(bytes, at)) {
    const batch = new BatchView(bytes, at);
    const { lastOffset } = batch;
    if (lastOffset >= range.from) {
      if (lastOffset >= range.endOffset) break;
      if (start >= 0 && at + batch.sizeInBytes - start > range.maxBytes) break;
      if (start < 0) start = at;
      nextOffset = batch.nextOffset;
    }
    at += batch.sizeInBytes;
  }
  return { start: start < 0 ? at : start, end: at, nextOffset };
}

/** Whether all of a batch is there. Sizes below a header's count as whole: the view refuses them. */
export function hasWholeBatch(bytes: Uint8Array, at: number): boolean {
  const size = batchSizeAt(bytes, at);
  return size >= 0 && Math.max(size, BATCH_HEADER_BYTES) <= bytes.length - at;
}
