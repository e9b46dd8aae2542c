import { Compression } from '../codec/compression.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BatchAttribute,
  BatchField,
  batchSizeAt,
} from '../records/batch-view.ts';

/** From this version of Produce on clients may send zstd (KIP-110). */
const ZSTD_SINCE = 7;

/**
 * The one batch that Produce carries for a partition from version 3 on; else why there is none. All else
 * that a batch must be is for whoever stores it.
 */
export function onlyBatch(records: Uint8Array | undefined, version: number): Uint8Array | ErrorRow {
  if (records === undefined || records.length < BATCH_HEADER_BYTES) return Errors.INVALID_RECORD;
  if (records[BatchField.magic] !== BATCH_MAGIC) return Errors.INVALID_RECORD;
  if (batchSizeAt(records, 0) !== records.length) return Errors.INVALID_RECORD;
  const codec = records[BatchField.attributes + 1]! & BatchAttribute.codecMask;
  return codec === Compression.zstd && version < ZSTD_SINCE
    ? Errors.UNSUPPORTED_COMPRESSION_TYPE
    : records;
}
