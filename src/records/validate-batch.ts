import { Compression, isCompression } from '../codec/compression.ts';
import type { CorruptError } from '../codec/reader.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { BatchAttribute, BatchField, BatchView, UnsupportedMagicError } from './batch-view.ts';

/** Why a batch is not taken. */
export interface BatchRefusal {
  readonly row: ErrorRow;
  readonly detail: string;
}

export interface ClientBatchLimits {
  /** Largest size of a whole batch (`max.message.bytes`). */
  readonly maxBatchBytes: number;
  /**
   * Bounds of the time that producers give (now less `message.timestamp.before.max.ms`, now plus
   * `message.timestamp.after.max.ms`); infinite if there is none or the log gives the time.
   */
  readonly earliestTimestampMs: number;
  readonly latestTimestampMs: number;
}

/** Shortest record: length, attributes, two deltas, two null lengths, header count. */
const MIN_RECORD_BYTES = 7;

/**
 * The batches that lie in `bytes` without a gap. Throws `CorruptError` if they do not fill it
 * exactly; `refusalOfCorrupt` says which error that is to a client.
 */
export function splitBatches(bytes: Uint8Array): BatchView[] {
  const batches: BatchView[] = [];
  for (let at = 0; at < bytes.length; ) {
    const batch = new BatchView(bytes, at);
    batches.push(batch);
    at += batch.sizeInBytes;
  }
  return batches;
}

/** What a client is told when `splitBatches` threw: old formats stay wrong, a flipped bit does not. */
export const refusalOfCorrupt = (error: CorruptError): BatchRefusal => ({
  row: error instanceof UnsupportedMagicError ? Errors.INVALID_RECORD : Errors.CORRUPT_MESSAGE,
  detail: error.message,
});

/**
 * What a broker must refuse in a batch that a client produced, before anything of it counts; null if
 * it may be stored. The rules are those of Kafka's `LogValidator`, as far as the header tells: no
 * record is decoded (DESIGN D2). A max timestamp below the base timestamp passes, as some clients
 * leave it unset; so do an epoch and a sequence without a producer.
 */
export function checkClientBatch(batch: BatchView, limits: ClientBatchLimits): BatchRefusal | null {
  if (batch.sizeInBytes > limits.maxBatchBytes) {
    return refuse(
      Errors.MESSAGE_TOO_LARGE,
      `the batch has ${batch.sizeInBytes} bytes; ${limits.maxBatchBytes} are allowed`,
    );
  }
  // First of what looks at content: what a flipped bit says must not be taken for the client's word.
  if (!batch.isCrcValid()) {
    return refuse(Errors.CORRUPT_MESSAGE, 'the batch fails its checksum');
  }
  return (
    checkAttributes(batch) ??
    checkOffsets(batch) ??
    checkProducer(batch) ??
    checkTimestamps(batch, limits)
  );
}

function checkAttributes(batch: BatchView): BatchRefusal | null {
  const { attributes, compression } = batch;
  if (attributes & (BatchAttribute.reservedMask | BatchAttribute.deleteHorizon)) {
    return refuse(Errors.INVALID_RECORD, `attributes ${attributes} are reserved for brokers`);
  }
  if (batch.isControl) {
    return refuse(Errors.INVALID_RECORD, 'clients write no control batches');
  }
  if (!isCompression(compression)) {
    return refuse(
      Errors.UNSUPPORTED_COMPRESSION_TYPE,
      `compression ${compression} is unknown; 0 to 4 are known`,
    );
  }
  return null;
}

function checkOffsets(batch: BatchView): BatchRefusal | null {
  const { recordCount, lastOffsetDelta, payload } = batch;
  if (batch.int64Field(BatchField.baseOffset) !== 0) {
    return refuse(Errors.INVALID_RECORD, 'the base offset of a client is 0');
  }
  if (recordCount <= 0 || lastOffsetDelta !== recordCount - 1) {
    return refuse(
      Errors.INVALID_RECORD,
      `the batch claims ${recordCount} records and a last offset delta of ${lastOffsetDelta}`,
    );
  }
  // Offsets are given out by the count, so a count that the bytes cannot hold would eat them up.
  const leastBytes = batch.compression === Compression.none ? recordCount * MIN_RECORD_BYTES : 1;
  if (payload.length < leastBytes) {
    return refuse(
      Errors.INVALID_RECORD,
      `the batch claims ${recordCount} records in ${payload.length} bytes`,
    );
  }
  return null;
}

function checkProducer(batch: BatchView): BatchRefusal | null {
  const id = batch.int64Field(BatchField.producerId);
  if (!(id >= -1)) return refuse(Errors.INVALID_RECORD, 'the producer id is not from -1 to 2^53');
  if (id === -1) {
    return batch.isTransactional
      ? refuse(Errors.INVALID_RECORD, 'a transactional batch has a producer id')
      : null;
  }
  if (batch.producerEpoch < 0 || batch.baseSequence < 0) {
    return refuse(
      Errors.INVALID_RECORD,
      `producer ${id} gives epoch ${batch.producerEpoch} and sequence ${batch.baseSequence}; both start at 0`,
    );
  }
  return null;
}

function checkTimestamps(batch: BatchView, limits: ClientBatchLimits): BatchRefusal | null {
  if (batch.timestampType === 'append') {
    return refuse(Errors.INVALID_TIMESTAMP, 'only the log gives the time of the append');
  }
  for (const field of [BatchField.baseTimestamp, BatchField.maxTimestamp]) {
    const timestamp = batch.int64Field(field);
    if (timestamp === -1) continue;
    if (!(timestamp >= 0)) {
      return refuse(Errors.INVALID_TIMESTAMP, 'a timestamp is -1 or from 0 to 2^53');
    }
    if (timestamp < limits.earliestTimestampMs || timestamp > limits.latestTimestampMs) {
      return refuse(
        Errors.INVALID_TIMESTAMP,
        `timestamp ${timestamp} is not from ${limits.earliestTimestampMs} to ${limits.latestTimestampMs}`,
      );
    }
  }
  return null;
}

const refuse = (row: ErrorRow, detail: string): BatchRefusal => ({ row, detail });
