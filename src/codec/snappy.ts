import { BoundedOutput } from './bounded-output.ts';
import { ByteReader, CorruptError } from './reader.ts';
import { ByteWriter } from './writer.ts';

/**
 * Snappy as Kafka's clients write it. Most write the raw format: the length of the content as a
 * varint, then elements, each begun by a tag byte whose low two bits say what follows:
 *
 *     00  literal: length - 1 in the high 6 bits, or in the next 1 to 4 bytes if those say 60 to 63
 *     01  copy of 4 to 11 bytes: length - 4 in bits 2-4, distance in bits 5-7 and the next byte
 *     10  copy of 1 to 64 bytes: length - 1 in the high 6 bits, distance u16, little-endian
 *     11  the same with a distance of 32 bits
 *
 * Java writes the framing of xerial's snappy-java around it, big-endian:
 *
 *     82 53 4e 41 50 50 59 00, version i32, oldest version that can read it i32,
 *     then chunks: length i32, raw snappy
 *
 * Raw snappy never begins with these bytes: they would be a copy before any output.
 */
const XERIAL_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const XERIAL_VERSION = 1;
/** How much snappy-java puts in a chunk. */
const XERIAL_CHUNK_BYTES = 32 * 1024;

/**
 * Decodes raw and xerial snappy. Throws `CorruptError`, and `DecompressedTooLargeError` beyond
 * `maxBytes`.
 */
export function decodeSnappy(input: Uint8Array, maxBytes: number): Uint8Array {
  const reader = new ByteReader(input);
  const output = new BoundedOutput(input.length * 4, maxBytes);
  if (!isXerial(input)) {
    decodeRaw(input, output);
    return output.toBytes();
  }
  // The versions are not judged: nothing but version 1 was ever written, and the chunks say enough.
  reader.skip(XERIAL_MAGIC.length + 8);
  while (reader.remaining > 0) decodeRaw(reader.view(reader.int32()), output);
  return output.toBytes();
}

/** Frames `content` as snappy-java does; `compressRaw` makes the raw format of one chunk. */
export function encodeXerialSnappy(
  content: Uint8Array,
  compressRaw: (chunk: Uint8Array) => Uint8Array,
): Uint8Array {
  const writer = new ByteWriter((content.length >>> 1) + 64);
  writer.bytes(XERIAL_MAGIC);
  writer.int32(XERIAL_VERSION);
  writer.int32(XERIAL_VERSION);
  for (let at = 0; at < content.length; at += XERIAL_CHUNK_BYTES) {
    const chunk = compressRaw(content.subarray(at, at + XERIAL_CHUNK_BYTES));
    writer.int32(chunk.length);
    writer.bytes(chunk);
  }
  return writer.toBytes();
}

function isXerial(input: Uint8Array): boolean {
  for (let i = 0; i < XERIAL_MAGIC.length; i++) if (input[i] !== XERIAL_MAGIC[i]) return false;
  return true;
}

/** Appends the content of one raw block; copies reach back to its beginning only. */
function decodeRaw(input: Uint8Array, output: BoundedOutput): void {
  const reader = new ByteReader(input);
  // The claim is checked at the end only: nothing is allocated for it.
  const claimed = reader.uvarint();
  const start = output.length;
  decodeElements(reader, output, start);
  if (output.length - start !== claimed) {
    throw new CorruptError(`snappy claims ${claimed} bytes and holds ${output.length - start}`);
  }
}

/** Hot path: no allocation per element. */
function decodeElements(reader: ByteReader, output: BoundedOutput, windowStart: number): void {
  while (reader.remaining > 0) {
    const tag = reader.uint8();
    const kind = tag & 3;
    let count = (tag >>> 2) + 1;
    let distance = 0;
    if (kind === 0) {
      if (count > 60) count = readLittleEndian(reader, count - 60) + 1;
    } else if (kind === 1) {
      count = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | reader.uint8();
    } else {
      distance = readLittleEndian(reader, kind === 2 ? 2 : 4);
    }
    if (kind === 0) output.literal(reader.bytes, reader.skip(count), count);
    else output.repeat(distance, count, windowStart);
  }
}

function readLittleEndian(reader: ByteReader, bytes: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < bytes; i++) {
    value += reader.uint8() * scale;
    scale *= 256;
  }
  return value;
}
