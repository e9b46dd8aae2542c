import { expect, test } from 'vitest';
import { BatchMemory } from '../../../src/client/batch-memory.ts';

test('what was given back is taken again, the last first', () => {
  const memory = new BatchMemory(1 << 20);
  const [one, two] = [memory.take(5000), memory.take(5000)];
  memory.give(one);
  memory.give(two);
  expect(memory.take(4097)).toBe(two);
  expect(memory.take(8192)).toBe(one);
});

test('what is taken has room, also for a batch a little larger than was asked for', () => {
  const memory = new BatchMemory(1 << 20);
  for (const capacity of [1, 61, 4096, 4097, 262_144]) {
    const { length } = memory.take(capacity);
    expect(length).toBeGreaterThanOrEqual(capacity);
    expect(length).toBeLessThan(2 * capacity);
  }
});

test('what is too small makes way, and a small batch does not get a large memory', () => {
  const memory = new BatchMemory(1 << 20);
  const [small, large] = [memory.take(1024), memory.take(65_536)];
  memory.give(small);
  expect(memory.take(2048)).not.toBe(small);
  expect(memory.take(1024)).not.toBe(small);
  memory.give(large);
  expect(memory.take(1024)).not.toBe(large);
  expect(memory.take(8192)).toBe(large);
});

test('an eighth of the buffer is kept, and no more', () => {
  const memory = new BatchMemory(8 * 4096);
  const [one, two] = [memory.take(4096), memory.take(4096)];
  memory.give(one);
  memory.give(two);
  expect(memory.take(4096)).toBe(one);
  expect(memory.take(4096)).not.toBe(two);
});
