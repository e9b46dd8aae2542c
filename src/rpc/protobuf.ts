import { CorruptError } from '../codec/reader.ts';
import { assert } from '../model/assert.ts';
import { toBytes } from './plain-bytes.ts';

/**
 * Protobuf's wire format, as far as `log-codecs.ts` needs it: a message is a row of fields,
 *
 *     tag     varint: field number * 8 + wire type
 *     value   wire type 0: varint; 1: 8 bytes; 2: varint length, then that many bytes; 5: 4 bytes
 *
 * Groups (wire types 3 and 4) are refused: nobody has written them since proto2, and skipping them is
 * the only way to nest without bound.
 */
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/**
 * Most messages inside one message, at any depth. An empty one takes two bytes on the wire and some
 * hundred in memory.
 */
export const MAX_SUBMESSAGES: number = 200_000;

/** More than any sound message comes to: an entry that says something takes five bytes or more. */
const SMALL_MESSAGE_TIMES = 128;

/**
 * What a request may come to in memory when it is decoded, in bytes beside its own: three for each byte
 * of it, so that with the message itself it is four (DESIGN D15), and room for ten thousand partitions
 * with short names, which a message of 100 KiB can list. A small one cannot come to all of that.
 */
export const requestHeapBytes = (messageBytes: number): number =>
  Math.min(2 * 1024 * 1024 + 3 * messageBytes, SMALL_MESSAGE_TIMES * messageBytes);

/** What V8 takes for a small object in an array, a view of bytes, and a text beside its characters. */
const MESSAGE_HEAP_BYTES = 96;
const VIEW_HEAP_BYTES = 112;
const TEXT_HEAP_BYTES = 24;
/** A number in an array, which has room for more, and in the copy that we make of it. */
const NUMBER_HEAP_BYTES = 20;

/** The tag of a field that holds an integer, a boolean or an enum. */
export const integerTag = (field: number): number => field << 3;
/** The tag of a field that holds a text, bytes or a message. */
export const bytesTag = (field: number): number => (field << 3) | WIRE_BYTES;

/**
 * A cursor over one message from outside. It allocates nothing but what it returns; what it returns is
 * never larger than the bytes that are there, and all of it together within a budget.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #position = 0;
  #submessages = 0;
  #heapBytesLeft: number;
  /** Where the message ends that is being read: the whole one or the one entered last. */
  #end: number;
  /** Where the message begins that was entered last. */
  #enteredAt = 0;
  /** The two halves of the last varint, both from 0 to 2^32-1. */
  #low = 0;
  #high = 0;

  /** @param heapBytes what views, texts and messages that are read may take in memory */
  constructor(bytes: Uint8Array, heapBytes: number = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#heapBytesLeft = heapBytes;
  }

  get hasMore(): boolean {
    return this.#position < this.#end;
  }

  /** The tag of the next field. */
  tag(): number {
    this.#varint();
    if (this.#high !== 0 || this.#low < 8) throw new CorruptError('a field has no valid number');
    return this.#low;
  }

  /** The low 32 bits of a varint, as every protobuf decoder reads an `int32` or an enum. */
  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  /** A safe integer; others are refused, never rounded (DESIGN D12). */
  int64(): number {
    this.#varint();
    const value = (this.#high | 0) * 0x1_0000_0000 + this.#low;
    if (!Number.isSafeInteger(value)) throw new CorruptError('a 64-bit number is beyond 2^53');
    return value;
  }

  bool(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    this.#pay(VIEW_HEAP_BYTES);
    return this.#view();
  }

  /** Malformed UTF-8 is refused. */
  text(): string {
    const bytes = this.#view();
    // One character beyond Latin-1 makes all of them take two bytes.
    this.#pay(TEXT_HEAP_BYTES + 2 * bytes.length);
    try {
      return strictUtf8.decode(bytes);
    } catch (cause) {
      throw new CorruptError('a text is not UTF-8', { cause });
    }
  }

  /** Moves over a text that somebody else will decode, and counts what that takes. */
  passOverText(): void {
    const length = this.#length();
    this.#pay(TEXT_HEAP_BYTES + 2 * length);
    this.#position += length;
  }

  /** The same for a part of a list of numbers: one of them, or several that are packed. */
  passOverNumbers(tag: number): void {
    const from = this.#position;
    this.skip(tag);
    this.#pay(NUMBER_HEAP_BYTES * (this.#position - from));
  }

  /**
   * Enters the message that is the value of a field; the result is for `leave`.
   *
   * @param objects how many objects it becomes in memory
   */
  enter(objects = 1): number {
    this.#countSubmessage();
    this.#pay(objects * MESSAGE_HEAP_BYTES);
    const outer = this.#end;
    const length = this.#length();
    this.#enteredAt = this.#position;
    this.#end = this.#position + length;
    return outer;
  }

  /** Moves over a message that is to be read later, if at all: it counts, but takes no memory now. */
  passOver(): void {
    this.#countSubmessage();
    this.#skipBytes();
  }

  /** All of the message that was entered last, as a view. */
  entered(): Uint8Array {
    this.#pay(VIEW_HEAP_BYTES);
    return this.#bytes.subarray(this.#enteredAt, this.#end);
  }

  /** Goes on after a message that was entered and read to its end. */
  leave(outer: number): void {
    assert(this.#position === this.#end, 'a message is left at its end');
    this.#end = outer;
  }

  /** Moves over the value of a field that is not known. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === WIRE_VARINT) this.#varint();
    else if (wireType === WIRE_BYTES) this.#skipBytes();
    else if (wireType === WIRE_FIXED64) this.#position += this.#within(8);
    else if (wireType === WIRE_FIXED32) this.#position += this.#within(4);
    else throw new CorruptError(`wire type ${wireType} is not supported`);
  }

  #countSubmessage(): void {
    if (++this.#submessages > MAX_SUBMESSAGES) {
      throw new CorruptError(`more than ${MAX_SUBMESSAGES} messages are inside one`);
    }
  }

  #skipBytes(): void {
    const length = this.#length();
    this.#position += length;
  }

  #view(): Uint8Array {
    const length = this.#length();
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }

  /** Before memory is taken. */
  #pay(heapBytes: number): void {
    this.#heapBytesLeft -= heapBytes;
    if (this.#heapBytesLeft < 0) {
      throw new CorruptError(
        `a message of ${this.#bytes.length} bytes has too many parts: decoded they would take many times as much memory`,
      );
    }
  }

  #length(): number {
    this.#varint();
    if (this.#high !== 0) throw new CorruptError('a length is beyond 32 bits');
    return this.#within(this.#low);
  }

  #within(count: number): number {
    const left = this.#end - this.#position;
    if (count > left) throw new CorruptError(`${count} bytes are claimed where ${left} are left`);
    return count;
  }

  /** Bits beyond the 64th are dropped, as everywhere. */
  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#position >= this.#end) throw new CorruptError('the message ends within a varint');
      const byte = this.#bytes[this.#position++]!;
      const bits = byte & 0x7f;
      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else {
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new CorruptError('a varint is longer than 10 bytes');
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/**
 * Sizes of whole fields, tag included. As in proto3 a field with its default value is not written;
 * an element of a repeated field always is. Field numbers are below 16, so a tag is one byte.
 */
export const integerFieldSize = (value: number): number =>
  value === 0 ? 0 : 1 + integerSize(value);

/** Of an `optional` field: a negative number stands for "not set". */
export const optionalIntegerFieldSize = (value: number): number =>
  value < 0 ? 0 : 1 + integerSize(value);

export const boolFieldSize = (value: boolean): number => (value ? 2 : 0);

export const textFieldSize = (text: string): number => bytesFieldSize(utf8Size(text));

export const bytesFieldSize = (length: number): number =>
  length === 0 ? 0 : 1 + integerSize(length) + length;

export const messageFieldSize = (size: number): number => 1 + integerSize(size) + size;

/** Bytes of a varint; negative numbers take ten, as protobuf extends their sign to 64 bits. */
function integerSize(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 0x80; rest /= 128) size++;
  return size;
}

/** Half a surrogate pair is written as U+FFFD, three bytes, as `TextEncoder` does. */
function utf8Size(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    size += unit < 0x800 ? 1 : 2;
    // A pair of two units takes four bytes.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++;
  }
  return size;
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** Writes a message whose exact size was reckoned before, into memory that is taken once. */
export class ProtobufWriter {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** Finished pieces, and where the next one begins. */
  readonly #pieces: Uint8Array[] = [];
  #pieceAt = 0;

  /** @param size without what is to be shared */
  constructor(size: number) {
    // Not zeroed, which would cost as much as copying the records: `finish` asserts that all of it
    // was written.
    this.#bytes = toBytes(Buffer.allocUnsafe(size));
  }

  integerField(field: number, value: number): void {
    if (value === 0) return;
    this.#byte(integerTag(field));
    this.#integer(value);
  }

  /** An `optional` field, which is written also if it is 0; a negative number stands for "not set". */
  optionalIntegerField(field: number, value: number): void {
    if (value < 0) return;
    this.#byte(integerTag(field));
    this.#integer(value);
  }

  boolField(field: number, value: boolean): void {
    this.integerField(field, value ? 1 : 0);
  }

  textField(field: number, text: string): void {
    if (text.length === 0) return;
    const size = utf8Size(text);
    this.#byte(bytesTag(field));
    this.#integer(size);
    if (size === text.length) {
      for (let i = 0; i < size; i++) this.#byte(text.charCodeAt(i));
    } else {
      utf8.encodeInto(text, this.#bytes.subarray(this.#position));
      this.#position += size;
    }
  }

  bytesField(field: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.startBytes(field, bytes.length);
    this.append(bytes);
  }

  /** Begins bytes or a message of `size` bytes, which are written next. */
  startBytes(field: number, size: number): void {
    this.#byte(bytesTag(field));
    this.#integer(size);
  }

  append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** Adds bytes as a piece of their own: they are not copied. For `finishPieces`. */
  share(bytes: Uint8Array): void {
    this.#pieces.push(this.#bytes.subarray(this.#pieceAt, this.#position), bytes);
    this.#pieceAt = this.#position;
  }

  finishPieces(): Uint8Array[] {
    const last = this.finish().subarray(this.#pieceAt);
    if (last.length > 0) this.#pieces.push(last);
    return this.#pieces;
  }

  finish(): Uint8Array {
    assert(this.#position === this.#bytes.length, 'a message has the size that was reckoned');
    return this.#bytes;
  }

  #byte(value: number): void {
    this.#bytes[this.#position++] = value;
  }

  #integer(value: number): void {
    assert(Number.isSafeInteger(value), 'only safe integers are written');
    if (value < 0) {
      this.#negative(value);
      return;
    }
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  /** Two's complement of 64 bits: nine groups of seven, and the sign. */
  #negative(value: number): void {
    let low = value >>> 0;
    let high = Math.floor(value / 0x1_0000_0000) >>> 0;
    for (let group = 0; group < 9; group++) {
      this.#byte((low & 0x7f) | 0x80);
      low = (low >>> 7) | (high << 25);
      high >>>= 7;
    }
    this.#byte(1);
  }
}
