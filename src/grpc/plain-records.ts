import { Compression } from '../codec/compression.ts';
import { CorruptError } from '../codec/reader.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { BatchBuilder } from '../records/batch-builder.ts';
import { BatchView, batchSizeAt } from '../records/batch-view.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import type { PlainRecord, PlainRecords } from '../rpc/log-messages.ts';
import { malformedRequest } from '../rpc/method.ts';

/**
 * Batches for clients that do not build or read them: convenient, not fast. Everything per record
 * that the broker otherwise never does happens here.
 */

/**
 * One batch of records as a client sent them; `nowMs` for those without a time.
 *
 * @throws ApiError INVALID_TIMESTAMP, or INVALID_REQUEST for a record that is malformed
 */
export function batchOf(records: PlainRecords, nowMs: number): Uint8Array {
  const builder = new BatchBuilder({ compression: Compression.none });
  try {
    appendAll(builder, records, nowMs);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw malformedRequest(error);
  }
  return builder.build();
}

function appendAll(builder: BatchBuilder, records: PlainRecords, nowMs: number): void {
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
}

export interface PortionLimits {
  /** Most bytes that a batch may come to when it is decompressed. */
  readonly batchBytes: number;
  /** Most bytes of one portion, unless one record is larger. */
  readonly portionBytes: number;
}

/**
 * The records of whole batches from `fromOffset` on, without control records, in order and in portions;
 * at least one portion, perhaps an empty one.
 *
 * @throws CorruptError if a batch does not hold what it claims, or too much; what comes before is given
 */
export function* portionsOf(
  batches: readonly Uint8Array[],
  fromOffset: number,
  limits: PortionLimits,
): Iterable<readonly PlainRecord[]> {
  let records: PlainRecord[] = [];
  let bytes = 0;
  for (const batch of batchesIn(batches)) {
    if (batch.isControl) continue;
    const cursor = new RecordCursor(batch, { maxDecompressedBytes: limits.batchBytes });
    while (cursor.advance()) {
      if (cursor.offset < fromOffset) continue;
      const record = recordAt(cursor);
      const size = sizeOf(record);
      if (records.length > 0 && bytes + size > limits.portionBytes) {
        yield records;
        records = [];
        bytes = 0;
      }
      records.push(record);
      bytes += size;
    }
  }
  yield records;
}

function* batchesIn(pieces: readonly Uint8Array[]): Iterable<BatchView> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const size = batchSizeAt(piece, at);
      if (size <= 0) throw new CorruptError('a piece of a read is not whole batches');
      yield new BatchView(piece, at);
      at += size;
    }
  }
}

const recordAt = (cursor: RecordCursor): PlainRecord => ({
  key: cursor.key ?? undefined,
  value: cursor.value ?? undefined,
  headers: cursor.headers.map(({ key, value }) => ({ key, value: value ?? undefined })),
  timestampMs: cursor.timestamp,
  offset: cursor.offset,
});

/** What a record takes in a message beside its key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 64;

function sizeOf({ key, value, headers }: PlainRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  // A name takes at most 3 bytes a character.
  for (const header of headers) bytes += 16 + header.key.length * 3 + (header.value?.length ?? 0);
  return bytes;
}
