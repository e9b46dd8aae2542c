import { expect, test } from 'vitest';
import { offset } from '../../../src/model/ids.ts';
import { nextHighWatermark } from '../../../src/replication/high-watermark.ts';

const offsets = (...values: number[]) => values.map(offset);

test('the high watermark is the lowest flushed offset of the in-sync replicas', () => {
  expect(nextHighWatermark(offset(3), offsets(9, 5, 7), 2)).toBe(5);
});

test('the high watermark never moves back', () => {
  expect(nextHighWatermark(offset(8), offsets(9, 5), 1)).toBe(8);
});

test('the high watermark stands still while fewer replicas are in sync than required', () => {
  expect(nextHighWatermark(offset(3), offsets(9), 2)).toBe(3);
  expect(nextHighWatermark(offset(3), [], 0)).toBe(3);
});
