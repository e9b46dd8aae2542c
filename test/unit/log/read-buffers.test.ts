import { expect, test } from 'vitest';
import { ReadBuffers } from '../../../src/log/read-buffers.ts';

const MIB = 1024 * 1024;

test('a buffer is lent to one borrower at a time, and again when it was given back', () => {
  const buffers = new ReadBuffers();
  const first = buffers.lend(MIB)!;
  const second = buffers.lend(MIB)!;
  expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
  first.giveBack();
  first.giveBack();
  expect(buffers.lend(MIB)!.bytes).toBe(first.bytes);
  expect(buffers.lend(MIB)!.bytes).not.toBe(first.bytes);
});

test('nothing is lent for small reads, nor for those that are too large', () => {
  const buffers = new ReadBuffers();
  expect(buffers.lend(100_000)).toBeUndefined();
  expect(buffers.lend(2 * MIB)).toBeUndefined();
});

test('no more than a few are kept', () => {
  const buffers = new ReadBuffers();
  const lent = Array.from({ length: 20 }, () => buffers.lend(MIB)!);
  for (const one of lent) one.giveBack();
  const again = Array.from({ length: 20 }, () => buffers.lend(MIB)!.bytes);
  expect(lent.filter(({ bytes }) => again.includes(bytes)).length).toBe(8);
});
