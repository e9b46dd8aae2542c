import { crc32c as nativeCrc32c } from '@node-rs/crc32';
import { describe, expect, test } from 'vitest';
import { crc32c, useNativeCrc32c } from '../../../src/codec/crc32c.ts';

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
const pattern = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) >>> 3);

/** RFC 3720 B.4, and the check value of the CRC catalogue. */
function expectKnownValues(): void {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(0))).toBe(0);
}

/** Every length across the steps of the loop, at every alignment. */
function expectNativeValues(): void {
  for (let length = 0; length < 600; length++) {
    const bytes = pattern.subarray(length % 9, (length % 9) + length);
    expect(crc32c(bytes)).toBe(nativeCrc32c(bytes));
  }
  expect(crc32c(pattern)).toBe(nativeCrc32c(pattern));
}

function expectChaining(): void {
  for (const cut of [0, 1, 7, 8, 255, 256, 300, 4999, 5000]) {
    const first = crc32c(pattern.subarray(0, cut));
    expect(crc32c(pattern.subarray(cut), first)).toBe(crc32c(pattern));
  }
}

describe('CRC-32C', () => {
  // In this order: switching to native code is for good.
  test('has the values of RFC 3720', expectKnownValues);
  test('agrees with a native implementation at every length', expectNativeValues);
  test('goes on from the checksum of what came before', expectChaining);

  test('keeps its values after switching to native code', () => {
    expect(useNativeCrc32c()).toBe(true);
    expectKnownValues();
    expectNativeValues();
    expectChaining();
  });
});
