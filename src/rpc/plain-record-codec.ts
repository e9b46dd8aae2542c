import { CorruptError } from '../codec/reader.ts';
import type { PlainHeader, PlainRecord, PlainRecords } from './log-messages.ts';
import {
  bytesTag,
  integerFieldSize,
  integerTag,
  messageFieldSize,
  ProtobufReader,
  type ProtobufWriter,
  textFieldSize,
} from './protobuf.ts';

/**
 * `varve.v1.Record`, for clients that do not build batches. Its keys and values are `optional`: an
 * empty one is written, a missing one is not.
 */

/** Most headers of one record. */
const MAX_HEADERS = 10_000;

/** Size of a repeated field of records. */
export function plainRecordsSize(records: Iterable<PlainRecord> = []): number {
  let size = 0;
  for (const record of records) size += messageFieldSize(plainRecordSize(record));
  return size;
}

export function writePlainRecords(
  writer: ProtobufWriter,
  field: number,
  records: Iterable<PlainRecord> = [],
): void {
  for (const record of records) {
    writer.startBytes(field, plainRecordSize(record));
    writePlainRecord(writer, record);
  }
}

const plainRecordSize = (record: PlainRecord): number =>
  optionalBytesSize(record.key) +
  optionalBytesSize(record.value) +
  record.headers.reduce((size, header) => size + messageFieldSize(headerSize(header)), 0) +
  integerFieldSize(record.timestampMs) +
  integerFieldSize(record.offset);

function writePlainRecord(writer: ProtobufWriter, record: PlainRecord): void {
  writeOptionalBytes(writer, 1, record.key);
  writeOptionalBytes(writer, 2, record.value);
  for (const header of record.headers) {
    writer.startBytes(3, headerSize(header));
    writer.textField(1, header.key);
    writeOptionalBytes(writer, 2, header.value);
  }
  writer.integerField(4, record.timestampMs);
  writer.integerField(5, record.offset);
}

/**
 * Records of a request as they came, decoded one at a time by who goes through them: decoded at once
 * many small ones would take many times their bytes (DESIGN D15). Going through them throws
 * `CorruptError` at one that is malformed.
 */
export class EncodedRecords implements PlainRecords {
  readonly length: number;
  readonly #message: Uint8Array;
  readonly #field: number;

  /** @param message the one that holds the records as `length` elements of a repeated field */
  constructor(message: Uint8Array, field: number, length: number) {
    this.#message = message;
    this.#field = field;
    this.length = length;
  }

  *[Symbol.iterator](): Iterator<PlainRecord> {
    const reader = new ProtobufReader(this.#message);
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag === bytesTag(this.#field)) yield readPlainRecord(reader);
      else reader.skip(tag);
    }
  }
}

export function readPlainRecord(reader: ProtobufReader): PlainRecord {
  let key: Uint8Array | undefined;
  let value: Uint8Array | undefined;
  let timestampMs = 0;
  let offset = 0;
  const headers: PlainHeader[] = [];
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) key = reader.bytes();
    else if (tag === bytesTag(2)) value = reader.bytes();
    else if (tag === bytesTag(3)) headers.push(readHeader(reader, headers.length));
    else if (tag === integerTag(4)) timestampMs = reader.int64();
    else if (tag === integerTag(5)) offset = reader.int64();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { key, value, headers, timestampMs, offset };
}

const headerSize = (header: PlainHeader): number =>
  textFieldSize(header.key) + optionalBytesSize(header.value);

function readHeader(reader: ProtobufReader, count: number): PlainHeader {
  if (count === MAX_HEADERS)
    throw new CorruptError(`a record has more than ${MAX_HEADERS} headers`);
  let key = '';
  let value: Uint8Array | undefined;
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) key = reader.text();
    else if (tag === bytesTag(2)) value = reader.bytes();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { key, value };
}

const optionalBytesSize = (bytes: Uint8Array | undefined): number =>
  bytes === undefined ? 0 : messageFieldSize(bytes.length);

function writeOptionalBytes(
  writer: ProtobufWriter,
  field: number,
  bytes: Uint8Array | undefined,
): void {
  if (bytes === undefined) return;
  writer.startBytes(field, bytes.length);
  writer.append(bytes);
}
