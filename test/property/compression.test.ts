import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecompressedTooLargeError } from '../../src/codec/bounded-output.ts';
import { Compression, compress, decompress } from '../../src/codec/compression.ts';
import { crc32c } from '../../src/codec/crc32c.ts';
import { decodeLz4Frame } from '../../src/codec/lz4-frame.ts';
import { CorruptError } from '../../src/codec/reader.ts';
import { decodeSnappy } from '../../src/codec/snappy.ts';
import { foreignLz4, foreignSnappy } from '../support/foreign-codecs.ts';

const MAX = 512 * 1024;
const COMPRESSED = [Compression.gzip, Compression.snappy, Compression.lz4, Compression.zstd];

/** Content with repeats at all distances: pieces of earlier content, runs, and noise. */
const content = fc
  .array(
    fc.oneof(
      fc.record({ noise: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ byte: fc.nat(255), run: fc.nat(70_000) }),
      fc.record({ back: fc.nat(100_000), length: fc.nat(3000) }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => {
    let bytes = Buffer.alloc(0);
    for (const piece of pieces) {
      const next =
        'noise' in piece
          ? piece.noise
          : 'run' in piece
            ? Buffer.alloc(piece.run, piece.byte)
            : bytes.subarray(Math.max(0, bytes.length - piece.back)).subarray(0, piece.length);
      bytes = Buffer.concat([bytes, next]).subarray(0, MAX);
    }
    return bytes;
  });

/** The other implementation cannot take no bytes at all once its memory has grown. */
const someContent = content.filter((bytes) => bytes.length > 0);

/** Runs `decode`; only `CorruptError` may come out, and never more bytes than allowed. */
function decodeHostile(decode: () => Uint8Array, maxBytes: number): Uint8Array | undefined {
  try {
    const decoded = decode();
    expect(decoded.length).toBeLessThanOrEqual(maxBytes);
    // The buffer behind the view counts, too, but Node's small ones are shared.
    expect(decoded.buffer.byteLength).toBeLessThanOrEqual(Math.max(maxBytes, 64 * 1024) * 2);
    return decoded;
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptError);
    return undefined;
  }
}

describe('the decoders against another implementation', () => {
  test('lz4 frames give back their content', () => {
    fc.assert(
      fc.property(someContent, (bytes) => {
        expect(Buffer.compare(decodeLz4Frame(foreignLz4(bytes), MAX), bytes)).toBe(0);
      }),
    );
  });

  test('raw snappy gives back its content', () => {
    fc.assert(
      fc.property(someContent, (bytes) => {
        expect(Buffer.compare(decodeSnappy(foreignSnappy(bytes), MAX), bytes)).toBe(0);
      }),
    );
  });
});

describe.each(COMPRESSED)('codec %i', (type) => {
  test('gives back what it took, within exactly as many bytes', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const block = compress(type, bytes);
        expect(Buffer.compare(decompress(type, block, bytes.length), bytes)).toBe(0);
        if (bytes.length === 0) return;
        expect(() => decompress(type, block, bytes.length - 1)).toThrow(DecompressedTooLargeError);
      }),
      { numRuns: 50 },
    );
  });

  test('a block cut anywhere is corrupt or still whole', () => {
    fc.assert(
      fc.property(
        content.map((bytes) => bytes.subarray(0, 4000)),
        (bytes) => {
          const block = compress(type, bytes);
          for (let end = 0; end < block.length; end++) {
            const cut = block.subarray(0, end);
            const decoded = decodeHostile(() => decompress(type, cut, MAX), MAX);
            // Snappy framing has no end: cut between chunks it is a shorter stream.
            if (decoded === undefined || type === Compression.snappy) continue;
            expect(Buffer.compare(decoded, bytes)).toBe(0);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test('flipped bytes are corrupt or decode to no more than allowed', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(content, flips, fc.integer({ min: 0, max: MAX }), (bytes, at, maxBytes) => {
        const block = new Uint8Array(compress(type, bytes));
        for (const [position, mask] of at) block[position % block.length]! ^= mask;
        decodeHostile(() => decompress(type, block, maxBytes), maxBytes);
      }),
      { numRuns: 400 },
    );
  });

  test('random bytes behind a sound beginning are corrupt or bounded', () => {
    const sound = compress(type, new Uint8Array(100_000));
    fc.assert(
      fc.property(fc.nat(24), fc.uint8Array({ maxLength: 2000 }), (kept, noise) => {
        const block = Buffer.concat([sound.subarray(0, kept), noise]);
        decodeHostile(() => decompress(type, block, 10_000), 10_000);
      }),
      { numRuns: 400 },
    );
  });
});

test('CRC-32C of two parts is the CRC of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(700), (bytes, cut) => {
      const first = crc32c(bytes.subarray(0, cut));
      expect(crc32c(bytes.subarray(cut), first)).toBe(crc32c(bytes));
    }),
  );
});
