import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DecompressedTooLargeError } from '../../../src/codec/bounded-output.ts';
import { decodeLz4Frame } from '../../../src/codec/lz4-frame.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { xxhash32 } from '../../../src/codec/xxhash32.ts';
import { foreignLz4 } from '../../support/foreign-codecs.ts';
import { kafkaVectors, LARGE_VALUE_SHA256, linkedBlocksFrame } from '../records/kafka-vectors.ts';

const MAX = 1024 * 1024;
const INDEPENDENT = 0x60;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const u32 = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24];

/** A frame of 64 KiB blocks whose header checksum is right. */
function frame(flags: number, ...rest: number[][]): Uint8Array {
  const descriptor = Uint8Array.of(flags, 0x40);
  const check = (xxhash32(descriptor) >>> 8) & 0xff;
  return Uint8Array.from([...u32(0x184d2204), ...descriptor, check, ...rest.flat()]);
}
const block = (...bytes: number[]): number[] => [...u32(bytes.length), ...bytes];
const END = u32(0);

describe('the LZ4 frame decoder', () => {
  test('reads checksums, sizes and several blocks as lz4-java writes them', () => {
    const content = decodeLz4Frame(Buffer.from(kafkaVectors.lz4Frame, 'hex'), MAX);
    expect(sha256(content)).toBe(LARGE_VALUE_SHA256);
  });

  test('reads blocks that refer to earlier ones, as the lz4 command writes them', () => {
    expect(sha256(decodeLz4Frame(linkedBlocksFrame(), MAX))).toBe(LARGE_VALUE_SHA256);
  });

  test('reads stored blocks, long lengths and overlapping matches', () => {
    for (const content of [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(300_000, 'xyz')]) {
      expect(decodeLz4Frame(foreignLz4(content), MAX)).toEqual(new Uint8Array(content));
    }
    const stored = frame(INDEPENDENT, [...u32(0x8000_0003), 7, 8, 9], END);
    expect(decodeLz4Frame(stored, MAX)).toEqual(Uint8Array.of(7, 8, 9));
  });

  test('a block that must stand alone may not reach into the one before', () => {
    const first = block(0x40, 1, 2, 3, 4);
    const second = block(0x10, 5, 3, 0, 0x00);
    expect([...decodeLz4Frame(frame(0x40, first, second, END), MAX)]).toEqual([
      1, 2, 3, 4, 5, 3, 4, 5, 3,
    ]);
    expect(() => decodeLz4Frame(frame(INDEPENDENT, first, second, END), MAX)).toThrow(
      '3 bytes back where 1 may be reached',
    );
  });

  test('refuses a header that is not its checksum’s', () => {
    const bytes = frame(INDEPENDENT, END);
    bytes[6]! ^= 1;
    expect(() => decodeLz4Frame(bytes, MAX)).toThrow('fails its checksum');
  });

  test('refuses other versions, reserved bits, small blocks and dictionaries', () => {
    for (const flags of [0x20, 0xa0, 0x62]) {
      expect(() => decodeLz4Frame(frame(flags, END), MAX)).toThrow('unknown options');
    }
    expect(() => decodeLz4Frame(frame(0x61, u32(1), END), MAX)).toThrow('dictionary');
    expect(() => decodeLz4Frame(Uint8Array.of(1, 2, 3, 4, 5), MAX)).toThrow('04 22 4d 18');
  });

  test('finds each kind of checksum that fails', () => {
    const sound = Buffer.from(kafkaVectors.lz4Frame, 'hex');
    const flip = (position: number): Uint8Array => {
      const bytes = new Uint8Array(sound);
      bytes[position]! ^= 1;
      return bytes;
    };
    expect(() => decodeLz4Frame(flip(4 + 2 + 1), MAX)).toThrow('header of an lz4 frame');
    expect(() => decodeLz4Frame(flip(40), MAX)).toThrow('lz4 block fails its checksum');
    expect(() => decodeLz4Frame(flip(sound.length - 1), MAX)).toThrow('content of an lz4 frame');
  });

  test('refuses a content size that is not true', () => {
    const descriptor = Uint8Array.of(0x68, 0x40, 5, 0, 0, 0, 0, 0, 0, 0);
    const check = (xxhash32(descriptor) >>> 8) & 0xff;
    const bytes = [...u32(0x184d2204), ...descriptor, check, ...block(0x40, 1, 2, 3, 4), ...END];
    expect(() => decodeLz4Frame(Uint8Array.from(bytes), MAX)).toThrow('claims 5 bytes and holds 4');
  });

  test('refuses bytes after the frame', () => {
    expect(() => decodeLz4Frame(frame(INDEPENDENT, END, [0]), MAX)).toThrow('1 bytes follow');
  });

  test('refuses a block beyond the size that the frame allows, compressed or not', () => {
    const claimed = frame(INDEPENDENT, u32(64 * 1024 + 1), END);
    expect(() => decodeLz4Frame(claimed, MAX)).toThrow(
      '65537 bytes is in a frame of at most 65536',
    );
    // One literal, repeated 65,536 times.
    const match = Array.from({ length: 256 }, () => 255);
    const long = block(0x1f, 7, 1, 0, ...match, 237, 0x00);
    expect(() => decodeLz4Frame(frame(INDEPENDENT, long, END), MAX)).toThrow(
      'longer than the 65536 bytes',
    );
    const right = block(0x1f, 7, 1, 0, ...match, 236, 0x00);
    expect(decodeLz4Frame(frame(INDEPENDENT, right, END), MAX)).toHaveLength(65_536);
  });

  test('refuses a block that ends within a sequence', () => {
    for (const cut of [[0x10], [0xf0], [0x20, 1], [0x10, 1, 1], [0x1f, 1, 1, 0], [0x10, 1, 1, 0]]) {
      expect(() => decodeLz4Frame(frame(INDEPENDENT, block(...cut), END), MAX)).toThrow(
        CorruptError,
      );
    }
  });

  test('stops at the bytes allowed, however often the blocks repeat themselves', () => {
    const bomb = foreignLz4(Buffer.alloc(50_000_000));
    expect(() => decodeLz4Frame(bomb, 100_000)).toThrow(DecompressedTooLargeError);
    const content = Buffer.alloc(100_000);
    expect(decodeLz4Frame(foreignLz4(content), 100_000)).toHaveLength(100_000);
    expect(() => decodeLz4Frame(foreignLz4(content), 99_999)).toThrow(DecompressedTooLargeError);
  });
});
