import { gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DecompressedTooLargeError } from '../../../src/codec/bounded-output.ts';
import {
  Compression,
  compress,
  compressionByName,
  compressionName,
  decompress,
  isCompression,
} from '../../../src/codec/compression.ts';
import { CorruptError } from '../../../src/codec/reader.ts';

const ALL = Object.values(Compression);
const text = new TextEncoder().encode('one line after another, all the same\n'.repeat(5000));

describe('compression', () => {
  test('knows the codecs by Kafka’s names and numbers', () => {
    expect(ALL.map(compressionName)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd']);
    expect(compressionByName('lz4')).toBe(3);
    expect(compressionByName('producer')).toBeUndefined();
    expect(compressionByName('toString')).toBeUndefined();
    expect([0, 4, 5, 7, -1, 0.5].map(isCompression)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each(ALL)('codec %i gives back what it took, also nothing and after much', (type) => {
    const much = new Uint8Array(20_000_000);
    expect(decompress(type, compress(type, much), much.length)).toHaveLength(much.length);
    for (const content of [new Uint8Array(0), Uint8Array.of(1), text, text.subarray(5, 99)]) {
      expect(Buffer.compare(decompress(type, compress(type, content), text.length), content)).toBe(
        0,
      );
    }
  });

  test.each(ALL)('codec %i refuses one byte more than allowed', (type) => {
    const block = compress(type, text);
    expect(decompress(type, block, text.length)).toHaveLength(text.length);
    expect(() => decompress(type, block, text.length - 1)).toThrow(DecompressedTooLargeError);
    expect(() => decompress(type, compress(type, Uint8Array.of(1)), 0)).toThrow(
      DecompressedTooLargeError,
    );
  });

  test.each(ALL.slice(1))('codec %i refuses what it did not write', (type) => {
    expect(() => decompress(type, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 1000)).toThrow(
      CorruptError,
    );
    expect(() => decompress(type, new Uint8Array(0), 1000)).toThrow(CorruptError);
  });

  test('a codec that no one knows is corrupt', () => {
    expect(() => decompress(5, text, 1000)).toThrow('compression 5 is unknown');
  });

  test('a limit that makes no sense is not blamed on the block', () => {
    expect(() =>
      decompress(Compression.gzip, gzipSync(text), Number.POSITIVE_INFINITY),
    ).not.toThrow(CorruptError);
    expect(() => decompress(Compression.gzip, gzipSync(text), Number.POSITIVE_INFINITY)).toThrow(
      RangeError,
    );
  });

  test('zstd windows of the highest level are read', () => {
    const params = { [zlib.ZSTD_c_compressionLevel]: 22 };
    expect(
      decompress(Compression.zstd, zstdCompressSync(text, { params }), text.length),
    ).toHaveLength(text.length);
  });

  test('what a zstd header claims takes no memory', () => {
    // A window of 128 MiB, then a block that is cut.
    const claims = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 0x29, 0, 0, 1);
    const before = process.memoryUsage().rss;
    expect(() => decompress(Compression.zstd, claims, 1000)).toThrow(CorruptError);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });
});
