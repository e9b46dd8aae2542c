import { AssertionError } from '../model/assert.ts';

/** Bytes from outside do not say what they should: cut short, out of range, or inconsistent. */
export class CorruptError extends Error {
  override readonly name: string = 'CorruptError';
}

/**
 * Runs a decoder that makes ids of what it reads. Ids assert what they are; in bytes from outside
 * a broken one is no bug of ours.
 */
export function corruptIfBroken<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof AssertionError)) throw cause;
    throw new CorruptError(`what was read is wrong: ${cause.message}`, { cause });
  }
}

/**
 * A cursor over bytes from outside, big-endian. Every count is checked against the bytes that are
 * left before anything is allocated for it (DESIGN D15), and 64-bit numbers that JavaScript cannot
 * hold exactly are refused, never rounded (D12).
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.bytes.length - this.#position;
  }

  /** Moves over `count` bytes and returns where they begin. */
  skip(count: number): number {
    const start = this.#position;
    if (!(count >= 0 && count <= this.bytes.length - start)) {
      throw new CorruptError(`${count} bytes are claimed where ${this.remaining} are left`);
    }
    this.#position += count;
    return start;
  }

  int8(): number {
    return this.#view.getInt8(this.skip(1));
  }

  uint8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  int16(): number {
    return this.#view.getInt16(this.skip(2));
  }

  int32(): number {
    return this.#view.getInt32(this.skip(4));
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4));
  }

  uint32le(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  int64(): number {
    const at = this.skip(8);
    const value = this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new CorruptError('a 64-bit number is beyond 2^53');
    return value;
  }

  /** Zig-zag varint of up to 32 bits (protobuf's sint32, Kafka's VARINT). */
  varint(): number {
    const short = this.#shortVarint();
    if (short >= 0) return (short >>> 1) ^ -(short & 1);
    const raw = this.#longVarint(5);
    if (raw > 0xffff_ffff) throw new CorruptError('a varint is beyond 32 bits');
    return (raw >>> 1) ^ -(raw & 1);
  }

  /** Zig-zag varint of up to 64 bits whose value is from -2^52 to below 2^52. */
  varlong(): number {
    const short = this.#shortVarint();
    if (short >= 0) return (short >>> 1) ^ -(short & 1);
    const raw = this.#longVarint(10);
    if (!Number.isSafeInteger(raw)) throw new CorruptError('a varint is beyond 2^52');
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  /** Unsigned varint whose value is a safe integer. */
  uvarint(): number {
    const short = this.#shortVarint();
    if (short >= 0) return short;
    const value = this.#longVarint(10);
    if (!Number.isSafeInteger(value)) throw new CorruptError('a varint is beyond 2^53');
    return value;
  }

  /** A view of the next `count` bytes, not a copy. */
  view(count: number): Uint8Array {
    const start = this.skip(count);
    return this.bytes.subarray(start, start + count);
  }

  /** UTF-8 of the next `count` bytes; malformed UTF-8 is refused. */
  utf8(count: number): string {
    try {
      return strictUtf8.decode(this.view(count));
    } catch (cause) {
      throw new CorruptError('a text is not UTF-8', { cause });
    }
  }

  /** Checks a number of elements, each at least `minBytes` long, against what is left. */
  count(claimed: number, minBytes: number): number {
    if (claimed < 0 || claimed * minBytes > this.remaining) {
      throw new CorruptError(`${claimed} elements are claimed in ${this.remaining} bytes`);
    }
    return claimed;
  }

  /**
   * A varint of one or two bytes, as most are, before the last byte; else -1, and nothing was read.
   * Hot path: seven of them make a record.
   */
  #shortVarint(): number {
    const { bytes } = this;
    const at = this.#position;
    if (at + 1 >= bytes.length) return -1;
    const first = bytes[at]!;
    if (first < 0x80) {
      this.#position = at + 1;
      return first;
    }
    const second = bytes[at + 1]!;
    if (second >= 0x80) return -1;
    this.#position = at + 2;
    return (first & 0x7f) | (second << 7);
  }

  /** Sum of 7-bit groups, least significant first; may exceed 2^53 (the callers refuse that). */
  #longVarint(maxBytes: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < maxBytes; i++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new CorruptError('a varint is too long');
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
