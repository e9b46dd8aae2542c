import { expect, test } from 'vitest';
import { type Backoff, backoffMs } from '../../../src/env/backoff.ts';

const always = (uint32: number) => ({ uint32: () => uint32, bytes: () => new Uint8Array() });
const waits = (backoff: Backoff, uint32: number, attempts: readonly number[]): number[] =>
  attempts.map((attempt) => Math.round(backoffMs(backoff, attempt, always(uint32))));

test('waits grow up to the longest, however often it is tried', () => {
  expect(waits({ firstMs: 50, mostMs: 1000 }, 0, [0, 1, 4, 5, 1e9])).toEqual([
    50, 100, 800, 1000, 1000,
  ]);
  expect(waits({ firstMs: 100, mostMs: 1000, factor: 1.2 }, 0, [0, 1, 12, 13, 1e9])).toEqual([
    100, 120, 892, 1000, 1000,
  ]);
});

test('by chance a wait is shorter, by half at most', () => {
  expect(waits({ firstMs: 50, mostMs: 1000 }, 2 ** 31, [0, 9])).toEqual([38, 750]);
  expect(waits({ firstMs: 50, mostMs: 1000 }, 2 ** 32 - 1, [0, 9])).toEqual([25, 500]);
});
