import { snappyDecompress } from '@platformatic/wasm-utils';
import { describe, expect, test } from 'vitest';
import { DecompressedTooLargeError } from '../../../src/codec/bounded-output.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { decodeSnappy, encodeXerialSnappy } from '../../../src/codec/snappy.ts';
import { foreignSnappy } from '../../support/foreign-codecs.ts';

const MAX = 1024 * 1024;
const text = Buffer.from('a line of text that comes again and again\n'.repeat(3000));
const xerial = (content: Uint8Array): Uint8Array =>
  encodeXerialSnappy(content, (chunk) => foreignSnappy(Buffer.from(chunk)));

describe('snappy', () => {
  test('raw blocks of another implementation are read', () => {
    for (const content of [Buffer.alloc(0), Buffer.from('a'), text, Buffer.alloc(200_000)]) {
      expect(decodeSnappy(foreignSnappy(content), MAX)).toEqual(new Uint8Array(content));
    }
  });

  test('every kind of element is read', () => {
    // A literal of 4, a near copy of 5, a copy of 3 with a distance of 16 bits and one of 32.
    const bytes = [15, 0x0c, 1, 2, 3, 4, 0x05, 4, 0x0a, 9, 0, 0x0b, 2, 0, 0, 0];
    expect([...decodeSnappy(Uint8Array.from(bytes), MAX)]).toEqual([
      1, 2, 3, 4, 1, 2, 3, 4, 1, 1, 2, 3, 2, 3, 2,
    ]);
    // A literal whose length takes three bytes.
    const long = Uint8Array.of(0xac, 0x02, 0xf8, 43, 1, 0, ...new Uint8Array(300).fill(6));
    expect(decodeSnappy(long, MAX)).toEqual(new Uint8Array(300).fill(6));
  });

  test('chunks of xerial framing are written as snappy-java cuts them, and read', () => {
    const framed = xerial(text);
    expect([...framed.subarray(0, 16)]).toEqual([
      0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1,
    ]);
    const view = new DataView(framed.buffer, framed.byteOffset);
    const first = framed.subarray(20, 20 + view.getInt32(16));
    expect(snappyDecompress(Buffer.from(first))).toEqual(text.subarray(0, 32 * 1024));
    expect(decodeSnappy(framed, MAX)).toEqual(new Uint8Array(text));
    expect(decodeSnappy(xerial(new Uint8Array(0)), MAX)).toHaveLength(0);
  });

  test('a chunk may not reach into the one before', () => {
    const header = xerial(new Uint8Array(0));
    const chunks = [0, 0, 0, 3, 1, 0x00, 7, 0, 0, 0, 3, 4, 0x01, 1];
    expect(() => decodeSnappy(Uint8Array.of(...header, ...chunks), MAX)).toThrow(
      '1 bytes back where 0 may',
    );
  });

  test('content that is shorter or longer than claimed is refused', () => {
    expect(() => decodeSnappy(Uint8Array.of(2, 0x00, 7), MAX)).toThrow(
      'claims 2 bytes and holds 1',
    );
    expect(() => decodeSnappy(Uint8Array.of(1, 0x04, 7, 8), MAX)).toThrow(
      'claims 1 bytes and holds 2',
    );
    expect(() => decodeSnappy(Uint8Array.of(4, 0x0c, 7), MAX)).toThrow(CorruptError);
    expect(() => decodeSnappy(new Uint8Array(0), MAX)).toThrow(CorruptError);
  });

  test('a length that the input cannot hold takes no memory', () => {
    const claims4GiB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 7);
    expect(() => decodeSnappy(claims4GiB, 2 ** 40)).toThrow('claims 4294967295 bytes and holds 1');
  });

  test('stops at the bytes allowed, over all chunks', () => {
    const raw = foreignSnappy(text);
    expect(decodeSnappy(raw, text.length)).toHaveLength(text.length);
    expect(() => decodeSnappy(raw, text.length - 1)).toThrow(DecompressedTooLargeError);
    expect(decodeSnappy(xerial(text), text.length)).toHaveLength(text.length);
    expect(() => decodeSnappy(xerial(text), text.length - 1)).toThrow(DecompressedTooLargeError);
  });
});
