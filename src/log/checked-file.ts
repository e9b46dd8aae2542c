import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';

/**
 * The frame of our own small binary files:
 *
 *     magic u32 | version i16 | length i32 | crc u32 | content (length bytes)
 *
 * The checksum is CRC-32C of the content, seeded with that of magic, version and length.
 */
const FRAME_BYTES = 14;
const CRC_POSITION = 10;

export function encodeChecked(magic: number, version: number, content: Uint8Array): Uint8Array {
  const out = new ByteWriter(FRAME_BYTES + content.length);
  out.uint32(magic);
  out.int16(version);
  out.int32(content.length);
  out.uint32(crc32c(content, crc32c(out.toBytes())));
  out.bytes(content);
  return out.toBytes();
}

/**
 * The content of a file that `encodeChecked` made, in a version from 1 to `newest`. Throws
 * `CorruptError` for anything else.
 */
export function decodeChecked(magic: number, newest: number, bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes);
  if (reader.uint32() !== magic) throw new CorruptError('the file does not begin with its magic');
  const version = reader.int16();
  if (version < 1 || version > newest) {
    throw new CorruptError(`the file has version ${version}, this program reads 1 to ${newest}`);
  }
  const length = reader.int32();
  const crc = reader.uint32();
  if (length !== reader.remaining) {
    throw new CorruptError(
      `the file has ${reader.remaining} bytes of content, it claims ${length}`,
    );
  }
  const content = reader.view(length);
  if (crc32c(content, crc32c(bytes.subarray(0, CRC_POSITION))) !== crc) {
    throw new CorruptError('the file fails its checksum');
  }
  return new ByteReader(content);
}
