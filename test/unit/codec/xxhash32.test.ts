import { describe, expect, test } from 'vitest';
import { xxhash32 } from '../../../src/codec/xxhash32.ts';

/** The generator of xxHash's own sanity check. */
function sanityBuffer(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let generator = 2654435761n;
  for (let i = 0; i < length; i++) {
    bytes[i] = Number((generator >> 56n) & 0xffn);
    generator = (generator * 11400714785074694797n) & 0xffff_ffff_ffff_ffffn;
  }
  return bytes;
}

describe('xxHash32', () => {
  test('has the values of the sanity check of xxHash', () => {
    const buffer = sanityBuffer(222);
    expect(xxhash32(buffer.subarray(0, 0))).toBe(0x02cc5d05);
    expect(xxhash32(buffer.subarray(0, 1))).toBe(0xcf65b03e);
    expect(xxhash32(buffer.subarray(0, 14))).toBe(0x1208e7e2);
    expect(xxhash32(buffer)).toBe(0x5bd11dbd);
  });

  test('reads a view at any alignment', () => {
    const bytes = sanityBuffer(100);
    const shifted = new Uint8Array(101);
    shifted.set(bytes, 1);
    expect(xxhash32(shifted.subarray(1))).toBe(xxhash32(bytes));
  });
});
