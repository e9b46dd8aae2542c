import { crc32c } from '../codec/crc32c.ts';
import { CorruptError } from '../codec/reader.ts';
import {
  type LeaderEpoch,
  leaderEpoch,
  NO_PRODUCER_ID,
  type Offset,
  offset,
  type ProducerId,
  producerId,
} from '../model/ids.ts';

/**
 * RecordBatch v2, big-endian: Kafka's unit on the wire, on disk and in replication.
 *
 *      0 base offset i64            27 base timestamp i64 (or the delete horizon, attribute bit 6)
 *      8 batch length i32           35 max timestamp i64 (append time: the time of all records)
 *     12 leader epoch i32           43 producer id i64, -1 = none
 *     16 magic i8 = 2               51 producer epoch i16
 *     17 CRC-32C of 21.. u32        53 base sequence i32
 *     21 attributes i16             57 record count i32, 0 if compaction left none
 *     23 last offset delta i32      61 records, one compressed block if a codec is set
 *
 * The batch length counts what follows it. Base offset and leader epoch lie before the checksum, so
 * that a broker sets them without touching the rest.
 */
export const BATCH_HEADER_BYTES = 61;
/** Base offset and batch length: what must be there before the size is known. */
export const BATCH_LENGTH_PREFIX_BYTES = 12;
/** The only record format since Kafka 4. */
export const BATCH_MAGIC = 2;

/** Positions of the fields. */
export const BatchField = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/** Bits of the attributes. */
export const BatchAttribute = {
  codecMask: 0x07,
  appendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
  reservedMask: 0xff80,
} as const;

/** `create`: the producer's clock; `append`: the leader's clock when it stored the batch. */
export type TimestampType = 'create' | 'append';

/** Records in one of the formats before Kafka 0.11, which are no longer served (KIP-724). */
export class UnsupportedMagicError extends CorruptError {
  override readonly name = 'UnsupportedMagicError';

  constructor(magic: number) {
    super(`record format ${magic} is not supported; format ${BATCH_MAGIC} is`);
  }
}

/**
 * The size that the batch at `position` claims in full, or -1 if fewer than 12 bytes are there.
 * It may be more than the bytes hold, and anything below 61 is corrupt (a negative length gives 0).
 */
export function batchSizeAt(bytes: Uint8Array, position: number): number {
  if (bytes.length - position < BATCH_LENGTH_PREFIX_BYTES) return -1;
  const at = position + BatchField.batchLength;
  const length =
    (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return Math.max(0, length + BATCH_LENGTH_PREFIX_BYTES);
}

/**
 * The header of one batch inside a larger array, read where it lies. A view is of a whole batch of
 * format 2; nothing more is known of it before `isCrcValid` (and `checkClientBatch` for what comes
 * from clients). Getters throw `CorruptError` for a number that no sound batch has, 64-bit ones
 * beyond 2^53 included (DESIGN D12).
 */
export class BatchView {
  /** Exactly this batch; not a copy. A plain `Uint8Array` also where a `Buffer` was given. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** Throws `CorruptError` if no whole batch lies at `start`, `UnsupportedMagicError` for old ones. */
  constructor(bytes: Uint8Array, start: number) {
    const size = batchSizeAt(bytes, start);
    const available = bytes.length - start;
    const magic = available > BatchField.magic ? bytes[start + BatchField.magic]! : BATCH_MAGIC;
    // The size comes second: old formats have batches of fewer bytes than this header.
    if (magic < BATCH_MAGIC) throw new UnsupportedMagicError(magic);
    if (magic > BATCH_MAGIC) throw new CorruptError(`${magic} is no record format; 2 is`);
    if (size < BATCH_HEADER_BYTES || size > available) {
      throw new CorruptError(`a batch claims ${size} bytes where ${available} are there`);
    }
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset + start, size);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  }

  get sizeInBytes(): number {
    return this.bytes.length;
  }

  get baseOffset(): Offset {
    return offset(this.#atLeast(0, BatchField.baseOffset, 'base offset'));
  }

  get leaderEpoch(): LeaderEpoch {
    const epoch = this.#view.getInt32(BatchField.leaderEpoch);
    if (epoch < -1) throw new CorruptError(`${epoch} is no leader epoch; -1 and up are`);
    return leaderEpoch(epoch);
  }

  /** Always 2: the constructor refuses all else. */
  get magic(): number {
    return this.#view.getUint8(BatchField.magic);
  }

  get crc(): number {
    return this.#view.getUint32(BatchField.crc);
  }

  get attributes(): number {
    return this.#view.getUint16(BatchField.attributes);
  }

  get lastOffsetDelta(): number {
    return this.#view.getInt32(BatchField.lastOffsetDelta);
  }

  /** Time of the first record in ms; -1 is none. What record timestamps count from. */
  get baseTimestamp(): number {
    return this.#atLeast(Number.MIN_SAFE_INTEGER, BatchField.baseTimestamp, 'base timestamp');
  }

  /** Largest time of a record in ms; -1 is none. */
  get maxTimestamp(): number {
    return this.#atLeast(Number.MIN_SAFE_INTEGER, BatchField.maxTimestamp, 'max timestamp');
  }

  get producerId(): ProducerId {
    return producerId(this.#atLeast(-1, BatchField.producerId, 'producer id'));
  }

  /** Means nothing without a producer: some clients write 0 then. */
  get producerEpoch(): number {
    return this.#view.getInt16(BatchField.producerEpoch);
  }

  /** Means nothing without a producer; -1 in control batches. */
  get baseSequence(): number {
    return this.#view.getInt32(BatchField.baseSequence);
  }

  get recordCount(): number {
    return this.#view.getInt32(BatchField.recordCount);
  }

  get lastOffset(): Offset {
    const delta = this.lastOffsetDelta;
    const last = this.baseOffset + delta;
    // The next offset must be a safe integer, too.
    if (delta < 0 || last >= Number.MAX_SAFE_INTEGER) {
      throw new CorruptError(`a batch from ${this.baseOffset} ends ${delta} further`);
    }
    return offset(last);
  }

  get nextOffset(): Offset {
    return offset(this.lastOffset + 1);
  }

  /** Sequence of the last record; after 2^31-1 comes 0. -1 if the batch has no sequence. */
  get lastSequence(): number {
    const base = this.baseSequence;
    return base < 0 ? -1 : (base + this.lastOffsetDelta) % 0x8000_0000;
  }

  /** 0 to 7, of which `Compression` names 0 to 4. */
  get compression(): number {
    return this.attributes & BatchAttribute.codecMask;
  }

  get timestampType(): TimestampType {
    return this.attributes & BatchAttribute.appendTime ? 'append' : 'create';
  }

  get isTransactional(): boolean {
    return (this.attributes & BatchAttribute.transactional) !== 0;
  }

  get isControl(): boolean {
    return (this.attributes & BatchAttribute.control) !== 0;
  }

  get hasProducer(): boolean {
    return this.producerId !== NO_PRODUCER_ID;
  }

  /** When compaction may drop the tombstones and markers of the batch (KIP-534); -1 is not set. */
  get deleteHorizonMs(): number {
    return this.attributes & BatchAttribute.deleteHorizon ? this.baseTimestamp : -1;
  }

  /** What follows the header: records, or one compressed block of them. Not a copy. */
  get payload(): Uint8Array {
    return this.bytes.subarray(BATCH_HEADER_BYTES);
  }

  /** The 64-bit field at `position` (of `BatchField`), NaN if it is beyond 2^53. Never throws. */
  int64Field(position: number): number {
    const view = this.#view;
    const value = view.getInt32(position) * 0x1_0000_0000 + view.getUint32(position + 4);
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }

  isCrcValid(): boolean {
    return this.#computeCrc() === this.crc;
  }

  /** Places the batch in a partition, in the bytes themselves; the checksum does not cover this. */
  assignOffset(baseOffset: Offset, epoch: LeaderEpoch): void {
    this.#setInt64(BatchField.baseOffset, baseOffset);
    this.#view.setInt32(BatchField.leaderEpoch, epoch);
  }

  /** Gives all records the time of the append, in the bytes themselves, and mends the checksum. */
  setLogAppendTime(timestampMs: number): void {
    this.#view.setUint16(BatchField.attributes, this.attributes | BatchAttribute.appendTime);
    this.#setInt64(BatchField.maxTimestamp, timestampMs);
    this.#view.setUint32(BatchField.crc, this.#computeCrc());
  }

  #computeCrc(): number {
    return crc32c(this.bytes.subarray(BatchField.attributes));
  }

  #atLeast(minimum: number, position: number, name: string): number {
    const value = this.int64Field(position);
    if (!(value >= minimum)) {
      throw new CorruptError(`the ${name} of a batch is not from ${minimum} to below 2^53`);
    }
    return value;
  }

  #setInt64(position: number, value: number): void {
    this.#view.setInt32(position, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(position + 4, value >>> 0);
  }
}
