import { type ByteWriter, varintBytes, varlongBytes } from '../codec/writer.ts';

/** A named value beside the record's own; names may repeat, order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** A record before it has a place in a batch. */
export interface NewRecord {
  readonly key: Uint8Array | null;
  /** `null` is a tombstone: in a compacted topic it deletes what has the same key. */
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
  /** Whole ms since 1970 from 0; -1 if the record has no time. */
  readonly timestampMs: number;
}

/** Where a record lies in its batch. */
export interface RecordPlace {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
}

const NO_HEADERS: readonly RecordHeader[] = [];

/**
 * One record, all numbers zig-zag varints (the time up to 64 bits, the others 32):
 *
 *     length of what follows, attributes i8 = 0, timestamp delta, offset delta,
 *     key length (-1 = null), key, value length (-1 = null), value,
 *     header count, then each header: name length, name in UTF-8, value length (-1 = null), value
 */
export function writeRecord(writer: ByteWriter, record: NewRecord, place: RecordPlace): void {
  const headers = record.headers ?? NO_HEADERS;
  writer.varint(bodyBytes(record, place));
  writer.int8(0);
  writer.varlong(place.timestampDelta);
  writer.varint(place.offsetDelta);
  writeNullable(writer, record.key);
  writeNullable(writer, record.value);
  writer.varint(headers.length);
  for (const header of headers) {
    writer.varint(Buffer.byteLength(header.key));
    writer.utf8(header.key);
    writeNullable(writer, header.value);
  }
}

/** How many bytes `writeRecord` takes. */
export function recordBytes(record: NewRecord, place: RecordPlace): number {
  const body = bodyBytes(record, place);
  return varintBytes(body) + body;
}

function bodyBytes(record: NewRecord, place: RecordPlace): number {
  const headers = record.headers ?? NO_HEADERS;
  let bytes = 1 + varlongBytes(place.timestampDelta) + varintBytes(place.offsetDelta);
  bytes += nullableBytes(record.key) + nullableBytes(record.value) + varintBytes(headers.length);
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key);
    bytes += varintBytes(keyBytes) + keyBytes + nullableBytes(header.value);
  }
  return bytes;
}

function writeNullable(writer: ByteWriter, value: Uint8Array | null): void {
  if (value === null) {
    writer.varint(-1);
    return;
  }
  writer.varint(value.length);
  writer.bytes(value);
}

const nullableBytes = (value: Uint8Array | null): number =>
  value === null ? 1 : varintBytes(value.length) + value.length;
