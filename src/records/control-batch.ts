import { Compression } from '../codec/compression.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import type { ProducerId } from '../model/ids.ts';
import { BATCH_HEADER_BYTES, type BatchView } from './batch-view.ts';
import { writeRecord } from './record.ts';
import { RecordCursor } from './record-cursor.ts';
import { sealBatch } from './seal-batch.ts';

/**
 * A control batch holds what brokers tell readers of a partition. The key of its record is
 * version i16, type i16; the value depends on the type. Types from 2 on are written by Raft logs.
 */
// biome-ignore format: the index is the number on the wire
const types = [
  'abort', 'commit', 'leaderChange', 'snapshotHeader', 'snapshotFooter', 'kraftVersion', 'kraftVoters',
] as const;

export type ControlType = (typeof types)[number];
/** How a transaction of one producer ended in this partition. */
export type MarkerType = Extract<ControlType, 'abort' | 'commit'>;

export type ControlRecord =
  | { readonly type: MarkerType; readonly coordinatorEpoch: number }
  | { readonly type: Exclude<ControlType, MarkerType> }
  /** From a newer Kafka; readers pass over it. */
  | { readonly type: 'unknown'; readonly number: number };

export interface TransactionMarker {
  readonly type: MarkerType;
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  /** Epoch of the transaction coordinator; partitions refuse markers of an older one. */
  readonly coordinatorEpoch: number;
  readonly timestampMs: number;
}

const VERSION = 0;
const KEY_BYTES = 4;
/** Control records are tens of bytes; Raft's voter sets are the largest. */
const MAX_CONTROL_BYTES = 1024 * 1024;

/** A batch of 78 bytes with the marker as its only record; the value is version i16, epoch i32. */
export function buildTransactionMarker(marker: TransactionMarker): Uint8Array {
  const key = new ByteWriter(KEY_BYTES);
  key.int16(VERSION);
  key.int16(types.indexOf(marker.type));
  const value = new ByteWriter(6);
  value.int16(VERSION);
  value.int32(marker.coordinatorEpoch);

  const batch = new ByteWriter(BATCH_HEADER_BYTES + 17);
  batch.reserve(BATCH_HEADER_BYTES);
  const { timestampMs } = marker;
  const record = { key: key.toBytes(), value: value.toBytes(), timestampMs };
  writeRecord(batch, record, { offsetDelta: 0, timestampDelta: 0 });
  const bytes = batch.toBytes();
  sealBatch(bytes, {
    baseOffset: 0,
    compression: Compression.none,
    isTransactional: true,
    isControl: true,
    recordCount: 1,
    baseTimestamp: timestampMs,
    maxTimestamp: timestampMs,
    producer: { id: marker.producerId, epoch: marker.producerEpoch, baseSequence: -1 },
  });
  return bytes;
}

/**
 * The first record of a control batch (transaction markers have but one); `undefined` if compaction
 * left none. Throws `CorruptError`.
 */
export function readControlRecord(batch: BatchView): ControlRecord | undefined {
  if (!batch.isControl) throw new CorruptError('a batch of data was read as a control batch');
  const cursor = new RecordCursor(batch, { maxDecompressedBytes: MAX_CONTROL_BYTES });
  if (!cursor.advance()) return undefined;
  const { key, value } = cursor;
  if (key === null) throw new CorruptError('a control record has no key');
  const keyReader = new ByteReader(key);
  requireVersion(keyReader.int16());
  const number = keyReader.int16();
  const type = types[number];
  if (type === undefined) return { type: 'unknown', number };
  if (type !== 'abort' && type !== 'commit') return { type };
  if (value === null) throw new CorruptError('a transaction marker has no value');
  const valueReader = new ByteReader(value);
  requireVersion(valueReader.int16());
  return { type, coordinatorEpoch: valueReader.int32() };
}

/** Newer versions add fields at the end; older ones than 0 do not exist. */
function requireVersion(version: number): void {
  if (version < VERSION) throw new CorruptError(`${version} is no version of a control record`);
}
