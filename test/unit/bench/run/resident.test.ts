import { expect, test } from 'vitest';
import { residentBytes } from '../../../../bench/run/resident.ts';

test('the memory of a process is what it says itself, more or less', () => {
  const told = residentBytes(process.pid);
  expect(told).toBeGreaterThan(process.memoryUsage.rss() / 2);
  expect(told).toBeLessThan(process.memoryUsage.rss() * 2);
});

test('a process that is not there has none', () => {
  expect(() => residentBytes(2 ** 30)).toThrow('no memory is told of process 1073741824');
});
