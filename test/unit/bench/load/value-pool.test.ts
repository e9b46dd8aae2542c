import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ValuePool, valueNumber } from '../../../../bench/load/value-pool.ts';

describe('the pool of values', () => {
  test('no two values are the same, also when the pool comes round', () => {
    const pool = new ValuePool(16, 10);
    const seen = new Set(
      Array.from({ length: 100 }, () => Buffer.from(pool.next()).toString('hex')),
    );
    expect(seen.size).toBe(100);
  });

  test('each value carries its number', () => {
    const pool = new ValuePool(100, 4);
    expect(Array.from({ length: 10 }, () => valueNumber(pool.next()))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  test('a value stays as it is until as many others were taken as the pool holds', () => {
    const pool = new ValuePool(8, 4);
    const first = pool.next();
    for (let i = 0; i < 3; i++) pool.next();
    expect(valueNumber(first)).toBe(0);
    pool.next();
    expect(valueNumber(first)).toBe(4);
  });

  test('values do not compress, alone or together', () => {
    const pool = new ValuePool(1_000, 100);
    const all = Buffer.concat(Array.from({ length: 100 }, () => pool.next()));
    expect(deflateRawSync(all).length).toBeGreaterThan(all.length * 0.99);
  });

  test('a value that has no room for its number is refused', () => {
    expect(() => new ValuePool(7, 1)).toThrow('7 bytes');
  });
});
