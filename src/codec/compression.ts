import { createRequire } from 'node:module';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { DecompressedTooLargeError } from './bounded-output.ts';
import { decodeLz4Frame } from './lz4-frame.ts';
import { CorruptError } from './reader.ts';
import { decodeSnappy, encodeXerialSnappy } from './snappy.ts';

/** The codecs of record batches by name; the numbers are Kafka's. */
export const Compression = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export type Compression = (typeof Compression)[keyof typeof Compression];
export type CompressionName = keyof typeof Compression;

const names = Object.keys(Compression) as CompressionName[];

/** True for the numbers that `Compression` lists; a batch header has room for others. */
export const isCompression = (id: number): id is Compression => id in names;

export const compressionName = (id: Compression): CompressionName => names[id]!;

export const compressionByName = (name: string): Compression | undefined =>
  Object.hasOwn(Compression, name) ? Compression[name as CompressionName] : undefined;

/**
 * Compresses as Kafka's Java client would frame it: gzip, xerial snappy, an LZ4 frame of independent
 * 64 KiB blocks, a zstd frame. `none` returns `bytes` itself.
 */
export function compress(type: Compression, bytes: Uint8Array): Uint8Array {
  switch (type) {
    case Compression.none:
      return bytes;
    case Compression.gzip:
      return gzipSync(bytes);
    case Compression.snappy:
      return encodeXerialSnappy(bytes, wasm().snappyCompress);
    case Compression.lz4:
      return bytes.length === 0 ? emptyLz4Frame : wasm().lz4Compress(bytes);
    case Compression.zstd:
      return zstdCompressSync(bytes);
  }
}

/**
 * The content of one compressed block; `none` returns `bytes` itself. `type` comes from outside and
 * may be no codec at all. Throws `CorruptError` for what is malformed and
 * `DecompressedTooLargeError` beyond `maxBytes`. Memory is bounded by `maxBytes` and follows what
 * the input really holds, never what its header claims (DESIGN D15).
 */
export function decompress(type: number, bytes: Uint8Array, maxBytes: number): Uint8Array {
  switch (type) {
    case Compression.none:
      if (bytes.length > maxBytes) throw new DecompressedTooLargeError(maxBytes);
      return bytes;
    case Compression.gzip:
      return inflate(gunzipSync, bytes, maxBytes);
    case Compression.snappy:
      return decodeSnappy(bytes, maxBytes);
    case Compression.lz4:
      return decodeLz4Frame(bytes, maxBytes);
    case Compression.zstd:
      return inflate(zstdDecompressSync, bytes, maxBytes);
    default:
      throw new CorruptError(`compression ${type} is unknown; 0 to 4 are known`);
  }
}

type ZlibDecoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

function inflate(decode: ZlibDecoder, bytes: Uint8Array, maxBytes: number): Uint8Array {
  let content: Uint8Array;
  try {
    // zlib takes no limit of 0. A zstd window of up to 128 MiB, which its highest levels claim for
    // any content, is reserved and only touched as far as content fills it.
    content = decode(bytes, { maxOutputLength: Math.max(maxBytes, 1) });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new DecompressedTooLargeError(maxBytes, { cause });
    if (!code.startsWith('Z')) throw cause;
    throw new CorruptError('a compressed block is malformed', { cause });
  }
  if (content.length > maxBytes) throw new DecompressedTooLargeError(maxBytes);
  // Never a Buffer, whose `slice` does not copy: readers see the same type with every codec.
  return new Uint8Array(content.buffer, content.byteOffset, content.length);
}

/** What the package writes for no bytes; it cannot take none after its memory has grown. */
// biome-ignore format: fields of the frame
const emptyLz4Frame = Uint8Array.of(
  0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0);

interface WasmCodecs {
  readonly lz4Compress: (bytes: Uint8Array) => Uint8Array;
  readonly snappyCompress: (bytes: Uint8Array) => Uint8Array;
}

let loaded: WasmCodecs | undefined;

/** Loaded at first use: most processes never compress with lz4 or snappy. */
function wasm(): WasmCodecs {
  loaded ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as WasmCodecs;
  return loaded;
}
