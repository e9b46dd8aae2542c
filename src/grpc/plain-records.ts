import { Compression } from '../codec/compression.ts';
import { CorruptError } from '../codec/reader.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { BatchBuilder } from '../records/batch-builder.ts';
import { BatchView, batchSizeAt } from '../records/batch-view.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import type { PlainRecord } from '../rpc/log-messages.ts';

/**
 * Batches for clients that do not build or read them: convenient, not fast. Everything per record
 * that the broker otherwise never does happens here.
 */

/**
 * One batch of records as a client sent them; `nowMs` for those without a time.
 *
 * @throws ApiError INVALID_TIMESTAMP
 */
export function batchOf(records: readonly PlainRecord[], nowMs: number): Uint8Array {
  const builder = new BatchBuilder({ compression: Compression.none });
  for (const { key, value, headers, timestampMs } of records) {
    if (timestampMs < 0) {
      const detail = `timestamp ${timestampMs} of a record is before 1970; 0 stands for now`;
      throw new ApiError(Errors.INVALID_TIMESTAMP, detail);
    }
    builder.append({
      key: key ?? null,
      value: value ?? null,
      headers: headers.map((header) => ({ key: header.key, value: header.value ?? null })),
      timestampMs: timestampMs === 0 ? nowMs : timestampMs,
    });
  }
  return builder.build();
}

/**
 * The records of whole batches from `fromOffset` on, without control records.
 *
 * @throws CorruptError if a batch does not hold what it claims, or more than `maxBytes`
 */
export function recordsOf(
  batches: readonly Uint8Array[],
  fromOffset: number,
  maxBytes: number,
): PlainRecord[] {
  const records: PlainRecord[] = [];
  for (const bytes of batches) {
    for (let at = 0; at < bytes.length; ) {
      const size = batchSizeAt(bytes, at);
      if (size <= 0) throw new CorruptError('a piece of a read is not whole batches');
      const batch = new BatchView(bytes, at);
      if (!batch.isControl) addRecords(records, batch, fromOffset, maxBytes);
      at += size;
    }
  }
  return records;
}

function addRecords(
  records: PlainRecord[],
  batch: BatchView,
  fromOffset: number,
  maxDecompressedBytes: number,
): void {
  const cursor = new RecordCursor(batch, { maxDecompressedBytes });
  while (cursor.advance()) {
    if (cursor.offset < fromOffset) continue;
    records.push({
      key: cursor.key ?? undefined,
      value: cursor.value ?? undefined,
      headers: cursor.headers.map(({ key, value }) => ({ key, value: value ?? undefined })),
      timestampMs: cursor.timestamp,
      offset: cursor.offset,
    });
  }
}
