import { Compression, decompress } from '../codec/compression.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import type { Offset } from '../model/ids.ts';
import type { BatchView } from './batch-view.ts';
import type { RecordHeader } from './record.ts';

export interface RecordCursorOptions {
  /** What the records of a compressed batch may come to; more is a `DecompressedTooLargeError`. */
  readonly maxDecompressedBytes: number;
}

/**
 * Walks the records of one batch. `advance` moves to the next record and checks it; the getters then
 * tell of that record, and say nothing before the first `advance` or after one that returned false.
 * Keys and values are views of the batch (or of what it decompressed to): whoever keeps one, keeps
 * all.
 *
 * Strict: records that disagree with their lengths, their count or the header are a `CorruptError`,
 * as is an offset that does not rise. The checksum of the batch is the caller's to check first.
 *
 * Hot path: no allocation per record but the views that are asked for.
 */
export class RecordCursor {
  readonly #reader: ByteReader;
  readonly #buffer: ArrayBufferLike;
  readonly #bufferAt: number;
  readonly #baseOffset: Offset;
  readonly #lastOffsetDelta: number;
  readonly #baseTimestamp: number;
  readonly #isAppendTime: boolean;
  /** The time of all records if they carry that of the append. */
  readonly #maxTimestamp: number;
  #recordsLeft: number;
  #offsetDelta = -1;
  #timestamp = -1;
  #keyStart = 0;
  #keyBytes = -1;
  #valueStart = 0;
  #valueBytes = -1;
  #headerCount = 0;
  #headersStart = 0;

  /** Decompresses. Throws `CorruptError`. */
  constructor(batch: BatchView, options: RecordCursorOptions) {
    const records = recordsOf(batch, options.maxDecompressedBytes);
    this.#reader = new ByteReader(records);
    this.#buffer = records.buffer;
    this.#bufferAt = records.byteOffset;
    this.#baseOffset = batch.baseOffset;
    this.#lastOffsetDelta = batch.lastOffset - batch.baseOffset;
    this.#baseTimestamp = batch.baseTimestamp;
    this.#isAppendTime = batch.timestampType === 'append';
    this.#maxTimestamp = batch.maxTimestamp;
    this.#recordsLeft = batch.recordCount;
  }

  /** Moves to the next record; false after the last. */
  advance(): boolean {
    const reader = this.#reader;
    if (this.#recordsLeft === 0) {
      if (reader.remaining === 0) return false;
      throw new CorruptError(`${reader.remaining} bytes follow the last record of a batch`);
    }
    this.#recordsLeft--;
    if (!this.#readUsual()) this.#readAny();
    return true;
  }

  /**
   * Reads a record whose numbers take one or two bytes each and that has no headers, as most are. False
   * for all others and for what is no record: then nothing has happened.
   */
  #readUsual(): boolean {
    const { bytes, position } = this.#reader;
    const body = shortVarint(bytes, position);
    // The attributes lie between.
    const time = shortVarint(bytes, position + (body & 3) + 1);
    const timeEnd = position + (body & 3) + 1 + (time & 3);
    const offsetDelta = shortVarint(bytes, timeEnd);
    const key = shortVarint(bytes, timeEnd + (offsetDelta & 3));
    if (body === 0 || time === 0 || offsetDelta === 0 || key === 0) return false;
    const keyBytes = zigZag(key >>> 2);
    const keyStart = timeEnd + (offsetDelta & 3) + (key & 3);
    const keyEnd = keyStart + Math.max(0, keyBytes);
    const value = shortVarint(bytes, keyEnd);
    const valueBytes = zigZag(value >>> 2);
    const valueStart = keyEnd + (value & 3);
    const end = valueStart + Math.max(0, valueBytes);
    if (value === 0 || keyBytes < -1 || valueBytes < -1 || bytes[end] !== 0) return false;
    if (end + 1 !== position + (body & 3) + zigZag(body >>> 2)) return false;
    this.#readTimestamp(zigZag(time >>> 2));
    this.#readOffset(zigZag(offsetDelta >>> 2));
    this.#keyStart = keyStart;
    this.#keyBytes = keyBytes;
    this.#valueStart = valueStart;
    this.#valueBytes = valueBytes;
    this.#headerCount = 0;
    this.#reader.skip(end + 1 - position);
    return true;
  }

  #readAny(): void {
    const reader = this.#reader;
    const bodyBytes = reader.varint();
    const start = reader.position;
    // The attributes of records are reserved; like Kafka's readers this one does not look at them.
    reader.skip(1);
    this.#readTimestamp(reader.varlong());
    this.#readOffset(reader.varint());
    this.#keyBytes = reader.varint();
    this.#keyStart = skipNullable(reader, this.#keyBytes);
    this.#valueBytes = reader.varint();
    this.#valueStart = skipNullable(reader, this.#valueBytes);
    this.#headerCount = reader.varint();
    this.#headersStart = reader.position;
    if (this.#headerCount !== 0) skipHeaders(reader, this.#headerCount);
    if (reader.position - start !== bodyBytes) {
      throw new CorruptError(
        `a record claims ${bodyBytes} bytes and takes ${reader.position - start}`,
      );
    }
  }

  get offset(): Offset {
    // Not above the last offset of the batch, which was checked.
    return (this.#baseOffset + this.#offsetDelta) as Offset;
  }

  /** Whole ms since 1970; -1 is none. */
  get timestamp(): number {
    return this.#timestamp;
  }

  get key(): Uint8Array | null {
    return this.#view(this.#keyStart, this.#keyBytes);
  }

  get value(): Uint8Array | null {
    return this.#view(this.#valueStart, this.#valueBytes);
  }

  /**
   * Decoded anew each time. A name that is not UTF-8 is read with replacement characters, as in
   * Java: no broker checks names, and a reader that threw would be stuck there for good.
   */
  get headers(): readonly RecordHeader[] {
    if (this.#headerCount === 0) return NO_HEADERS;
    const headers: RecordHeader[] = [];
    const reader = new ByteReader(this.#reader.bytes.subarray(this.#headersStart));
    for (let i = 0; i < this.#headerCount; i++) {
      const key = lenientUtf8.decode(reader.view(reader.varint()));
      const valueBytes = reader.varint();
      headers.push({ key, value: valueBytes === -1 ? null : reader.view(valueBytes) });
    }
    return headers;
  }

  #readTimestamp(delta: number): void {
    const timestamp = this.#isAppendTime ? this.#maxTimestamp : this.#baseTimestamp + delta;
    if (!Number.isSafeInteger(timestamp)) {
      throw new CorruptError(`${timestamp} is no timestamp; up to 2^53 is right`);
    }
    this.#timestamp = timestamp;
  }

  #readOffset(delta: number): void {
    if (delta <= this.#offsetDelta || delta > this.#lastOffsetDelta) {
      throw new CorruptError(
        `offset delta ${delta} follows ${this.#offsetDelta} in a batch that ends at ${this.#lastOffsetDelta}`,
      );
    }
    this.#offsetDelta = delta;
  }

  #view(start: number, bytes: number): Uint8Array | null {
    // Half the cost of `subarray`.
    return bytes === -1 ? null : new Uint8Array(this.#buffer, this.#bufferAt + start, bytes);
  }
}

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function recordsOf(batch: BatchView, maxDecompressedBytes: number): Uint8Array {
  const { payload, recordCount } = batch;
  if (recordCount < 0 || (recordCount === 0 && payload.length > 0)) {
    throw new CorruptError(`a batch claims ${recordCount} records in ${payload.length} bytes`);
  }
  // What is not compressed is in memory already, and an emptied batch has no block to decompress.
  if (recordCount === 0 || batch.compression === Compression.none) return payload;
  return decompress(batch.compression, payload, maxDecompressedBytes);
}

/** A varint of one or two bytes before the last byte: its value times 4, plus how many; else 0. */
function shortVarint(bytes: Uint8Array, at: number): number {
  if (at + 1 >= bytes.length) return 0;
  const first = bytes[at]!;
  if (first < 0x80) return (first << 2) | 1;
  const second = bytes[at + 1]!;
  return second < 0x80 ? (((first & 0x7f) | (second << 7)) << 2) | 2 : 0;
}

const zigZag = (raw: number): number => (raw >>> 1) ^ -(raw & 1);

/** Moves over a value of `length` bytes, where -1 is null, and returns where it begins. */
const skipNullable = (reader: ByteReader, length: number): number =>
  length === -1 ? -1 : reader.skip(length);

function skipHeaders(reader: ByteReader, claimed: number): void {
  const count = reader.count(claimed, 2);
  for (let i = 0; i < count; i++) {
    reader.skip(reader.varint());
    skipNullable(reader, reader.varint());
  }
}
