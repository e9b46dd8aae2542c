import { assert } from '../model/assert.ts';

const encoder = new TextEncoder();

/** A growing buffer of big-endian fields; the twin of `ByteReader`. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** @param memory to begin with: so many bytes, or these, all of a buffer of their own */
  constructor(memory: number | Uint8Array<ArrayBuffer> = 256) {
    this.#bytes = typeof memory === 'number' ? new Uint8Array(memory) : memory;
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Where it writes now, for another writer when this one has done. */
  get memory(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Bytes written so far, and the position of the next. */
  get length(): number {
    return this.#length;
  }

  /** What was written: a view that the next write may leave stale. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  int8(value: number): void {
    const at = this.reserve(1);
    this.#view.setInt8(at, value);
  }

  int16(value: number): void {
    const at = this.reserve(2);
    this.#view.setInt16(at, value);
  }

  int32(value: number): void {
    const at = this.reserve(4);
    this.#view.setInt32(at, value);
  }

  uint32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value);
  }

  /** A safe integer as 64 bits. */
  int64(value: number): void {
    assert(Number.isSafeInteger(value), 'only safe integers are written');
    const at = this.reserve(8);
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  /** Zig-zag varint of a 32-bit number. */
  varint(value: number): void {
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** Zig-zag varint of a number from -2^52 to below 2^52. */
  varlong(value: number): void {
    this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Unsigned varint of a safe integer from 0. */
  uvarint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'only safe integers from 0 are written');
    let rest = value;
    let at = this.reserve(uvarintBytes(value));
    // Above 32 bits there are no shifts.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) {
      this.#bytes[at++] = (rest % 128) | 0x80;
    }
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | 0x80;
    this.#bytes[at] = rest;
  }

  bytes(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** UTF-8 without a length. Returns how many bytes it took. */
  utf8(text: string): number {
    // A UTF-16 unit takes at most three bytes.
    const at = this.reserve(text.length * 3);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at));
    this.#length = at + written;
    return written;
  }

  /** Overwrites four bytes that were written before. */
  setInt32(position: number, value: number): void {
    assert(position + 4 <= this.#length, 'only what was written can be overwritten');
    this.#view.setInt32(position, value);
  }

  /**
   * Makes room for `count` bytes and returns where they begin. May move what was written to a new
   * buffer: in `this.#view.setInt8(this.reserve(1), …)` the view would be the old one.
   */
  reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#length = needed;
    return at;
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** How many bytes `ByteWriter.varint` takes. */
export const varintBytes = (value: number): number =>
  uvarintBytes(((value << 1) ^ (value >> 31)) >>> 0);

/** How many bytes `ByteWriter.varlong` takes. */
export const varlongBytes = (value: number): number =>
  uvarintBytes(value >= 0 ? value * 2 : -value * 2 - 1);

function uvarintBytes(value: number): number {
  let bytes = 1;
  let rest = value;
  // Above 32 bits there are no shifts.
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) bytes++;
  for (; rest >= 0x80; rest >>>= 7) bytes++;
  return bytes;
}
