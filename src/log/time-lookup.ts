import type { LeaderEpoch, Offset } from '../model/ids.ts';
import { BatchView } from '../records/batch-view.ts';
import { RecordCursor } from '../records/record-cursor.ts';

/** A record that was found by its time. */
export interface TimedOffset {
  readonly offset: Offset;
  readonly timestampMs: number;
  readonly leaderEpoch: LeaderEpoch;
}

/** What a batch may come to when it is decompressed to look at its records' times. */
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

/**
 * The first record among `batches` with a timestamp from `timestampMs` on whose offset is at least
 * `from`. Only batches whose header promises one are decompressed. Throws `CorruptError`.
 */
export function findByTime(
  batches: Uint8Array,
  timestampMs: number,
  from: Offset,
): TimedOffset | undefined {
  for (let at = 0; at < batches.length; ) {
    const batch = new BatchView(batches, at);
    at += batch.sizeInBytes;
    if (batch.maxTimestamp < timestampMs || batch.lastOffset < from) continue;
    const cursor = new RecordCursor(batch, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
    while (cursor.advance()) {
      if (cursor.timestamp >= timestampMs && cursor.offset >= from) {
        const { offset, timestamp } = cursor;
        return { offset, timestampMs: timestamp, leaderEpoch: batch.leaderEpoch };
      }
    }
  }
  return undefined;
}

/** The record of a batch with the largest timestamp from `from` on, the first such. Throws `CorruptError`. */
export function findLargest(batch: BatchView, from: Offset): TimedOffset | undefined {
  let largest: TimedOffset | undefined;
  const cursor = new RecordCursor(batch, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
  while (cursor.advance()) {
    const { offset, timestamp: timestampMs } = cursor;
    if (offset < from || timestampMs <= (largest?.timestampMs ?? -1)) continue;
    largest = { offset, timestampMs, leaderEpoch: batch.leaderEpoch };
  }
  return largest;
}
