import type { Compression } from '../codec/compression.ts';
import { crc32c } from '../codec/crc32c.ts';
import { assert } from '../model/assert.ts';
import { NO_LEADER_EPOCH, NO_PRODUCER_ID, type ProducerId } from '../model/ids.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_PREFIX_BYTES,
  BATCH_MAGIC,
  BatchAttribute,
  BatchField,
} from './batch-view.ts';

/** Who wrote a batch; sequences number the records of one producer in one partition. */
export interface BatchProducer {
  readonly id: ProducerId;
  readonly epoch: number;
  /** -1 in control batches, which are not numbered. */
  readonly baseSequence: number;
}

/** What the header says beyond size and checksum. */
export interface BatchHeader {
  readonly baseOffset: number;
  readonly compression: Compression;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly recordCount: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producer: BatchProducer | undefined;
}

/**
 * Writes the header over the first 61 bytes of `bytes`, whose rest is the records of a new batch,
 * without gaps in its offsets, that no leader has placed yet.
 */
export function sealBatch(bytes: Uint8Array, header: BatchHeader): void {
  assert(bytes.length >= BATCH_HEADER_BYTES, 'a batch has room for its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { producer } = header;
  view.setBigInt64(BatchField.baseOffset, BigInt(header.baseOffset));
  view.setInt32(BatchField.batchLength, bytes.length - BATCH_LENGTH_PREFIX_BYTES);
  view.setInt32(BatchField.leaderEpoch, NO_LEADER_EPOCH);
  view.setInt8(BatchField.magic, BATCH_MAGIC);
  view.setUint16(BatchField.attributes, attributesOf(header));
  view.setInt32(BatchField.lastOffsetDelta, header.recordCount - 1);
  view.setBigInt64(BatchField.baseTimestamp, BigInt(header.baseTimestamp));
  view.setBigInt64(BatchField.maxTimestamp, BigInt(header.maxTimestamp));
  view.setBigInt64(BatchField.producerId, BigInt(producer?.id ?? NO_PRODUCER_ID));
  view.setInt16(BatchField.producerEpoch, producer?.epoch ?? -1);
  view.setInt32(BatchField.baseSequence, producer?.baseSequence ?? -1);
  view.setInt32(BatchField.recordCount, header.recordCount);
  view.setUint32(BatchField.crc, crc32c(bytes.subarray(BatchField.attributes)));
}

const attributesOf = (header: BatchHeader): number =>
  header.compression |
  (header.isTransactional ? BatchAttribute.transactional : 0) |
  (header.isControl ? BatchAttribute.control : 0);
