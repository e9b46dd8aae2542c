import type { ByteReader } from '../codec/reader.ts';
import { CorruptError } from '../codec/reader.ts';
import { assert } from '../model/assert.ts';
import type { FrameWriter } from './frame-writer.ts';

/**
 * How values of one type stand in a message. Lengths are `compact` (unsigned varints, one more than the
 * length) in flexible versions, and int16 or int32 in others; null is -1, or 0 in the compact form.
 */
export interface WireType<T> {
  readonly name: string;
  /** What a field is where its version of the message does not have it. */
  readonly empty: T;
  read(reader: ByteReader, isCompact: boolean): T;
  write(writer: FrameWriter, value: T, isCompact: boolean): void;
  /** Moves over a value and says about how many bytes of heap it will take, decoded. */
  skip(reader: ByteReader, isCompact: boolean): number;
}

/** A type whose length stands before its bytes. */
export interface NullableWireType<T> extends WireType<T> {
  readNullable(reader: ByteReader, isCompact: boolean): T | null;
  writeNullable(writer: FrameWriter, value: T | null, isCompact: boolean): void;
  skipNullable(reader: ByteReader, isCompact: boolean): number;
}

/** A view of an array, or a string of its own. */
const VIEW_BYTES = 96;
const STRING_BYTES = 24;
const NUMBER_BYTES = 8;

const UUID_BYTES = 16;

const within2To53 = (value: number): number =>
  Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));

/** A type of fixed length. */
function fixed<T>(
  name: string,
  bytes: number,
  empty: T,
  read: (reader: ByteReader) => T,
  write: (writer: FrameWriter, value: T) => void,
): WireType<T> {
  return {
    name,
    empty,
    read,
    write,
    skip: (reader) => {
      reader.skip(bytes);
      return name === 'uuid' ? VIEW_BYTES : NUMBER_BYTES;
    },
  };
}

export const INT8: WireType<number> = fixed(
  'int8',
  1,
  0,
  (r) => r.int8(),
  (w, v) => w.fields.int8(v),
);
export const INT16: WireType<number> = fixed(
  'int16',
  2,
  0,
  (r) => r.int16(),
  (w, v) => w.fields.int16(v),
);
export const INT32: WireType<number> = fixed(
  'int32',
  4,
  0,
  (r) => r.int32(),
  (w, v) => w.fields.int32(v),
);
export const INT64: WireType<number> = fixed(
  'int64',
  8,
  0,
  // Clients ask for the largest of all times and offsets; what is beyond 2^53 is beyond all of ours.
  (r) => within2To53(r.int32() * 0x1_0000_0000 + r.uint32()),
  (w, v) => w.fields.int64(v),
);
export const BOOL: WireType<boolean> = fixed(
  'bool',
  1,
  false,
  (r) => r.int8() !== 0,
  (w, v) => w.fields.int8(v ? 1 : 0),
);

/** All zeros: no topic has that id. */
export const NO_UUID: Uint8Array = new Uint8Array(UUID_BYTES);

/** 16 bytes: a view of the message. */
export const UUID: WireType<Uint8Array> = fixed(
  'uuid',
  UUID_BYTES,
  NO_UUID,
  (r) => r.view(UUID_BYTES),
  (w, v) => w.fields.bytes(v),
);

/** What an int16 can say; compact strings have the same limit, as they have in Kafka. */
const MAX_SHORT_LENGTH = 0x7fff;

/** Length of what follows, or -1 for null. */
function readLength(reader: ByteReader, isCompact: boolean, isLong: boolean): number {
  const length = isCompact ? reader.uvarint() - 1 : isLong ? reader.int32() : reader.int16();
  if (length < -1 || (!isLong && length > MAX_SHORT_LENGTH)) {
    throw new CorruptError(`a length of ${length} is claimed`);
  }
  return length;
}

export function writeLength(
  writer: FrameWriter,
  length: number,
  isCompact: boolean,
  isLong: boolean,
): void {
  assert(isLong || length <= MAX_SHORT_LENGTH, 'a string has its length in an int16');
  if (isCompact) writer.fields.uvarint(length + 1);
  else if (isLong) writer.fields.int32(length);
  else writer.fields.int16(length);
}

interface Sized<T> {
  readonly name: string;
  readonly empty: T;
  /** Whether its length is an int32 where it is not compact. */
  readonly isLong: boolean;
  /** Heap beside the bytes themselves, and how many bytes one byte becomes. */
  readonly heapBytes: number;
  readonly heapFactor: number;
  read(reader: ByteReader, length: number): T;
  write(writer: FrameWriter, value: T, writeLength: (length: number) => void): void;
}

function sized<T>(type: Sized<T>): NullableWireType<T> {
  const { name, empty, isLong } = type;
  const readNullable = (reader: ByteReader, isCompact: boolean): T | null => {
    const length = readLength(reader, isCompact, isLong);
    return length === -1 ? null : type.read(reader, length);
  };
  const write = (writer: FrameWriter, value: T, isCompact: boolean): void =>
    type.write(writer, value, (length) => writeLength(writer, length, isCompact, isLong));
  const skipNullable = (reader: ByteReader, isCompact: boolean): number => {
    const length = readLength(reader, isCompact, isLong);
    if (length === -1) return NUMBER_BYTES;
    reader.skip(length);
    return type.heapBytes + length * type.heapFactor;
  };
  return {
    name,
    empty,
    read: (reader, isCompact) => {
      const value = readNullable(reader, isCompact);
      if (value === null) throw new CorruptError(`a ${name} is null that must not be`);
      return value;
    },
    write,
    skip: skipNullable,
    readNullable,
    writeNullable: (writer, value, isCompact) => {
      if (value === null) writeLength(writer, -1, isCompact, isLong);
      else write(writer, value, isCompact);
    },
    skipNullable,
  };
}

const encoder = new TextEncoder();

export const STRING: NullableWireType<string> = sized({
  name: 'string',
  empty: '',
  isLong: false,
  heapBytes: STRING_BYTES,
  heapFactor: 2,
  read: (reader, length) => reader.utf8(length),
  write: (writer, value, withLength) => {
    const bytes = encoder.encode(value);
    withLength(bytes.length);
    writer.fields.bytes(bytes);
  },
});

/** Bytes: a view of the message. */
export const BYTES: NullableWireType<Uint8Array> = sized({
  name: 'bytes',
  empty: new Uint8Array(0),
  isLong: true,
  heapBytes: VIEW_BYTES,
  heapFactor: 0,
  read: (reader, length) => reader.view(length),
  write: (writer, value, withLength) => {
    withLength(value.length);
    writer.fields.bytes(value);
  },
});

/** Record batches: one view where they are read, pieces that leave uncopied where they are written. */
export const RECORDS: NullableWireType<readonly Uint8Array[]> = sized({
  name: 'records',
  empty: [],
  isLong: true,
  heapBytes: 2 * VIEW_BYTES,
  heapFactor: 0,
  read: (reader, length) => [reader.view(length)],
  write: (writer, pieces, withLength) => {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    withLength(length);
    writer.lend(pieces);
  },
});
