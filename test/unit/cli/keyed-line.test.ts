import { expect, test } from 'vitest';
import { splitKey } from '../../../src/cli/keyed-line.ts';

const split = (line: string, separator: string): string[] | undefined => {
  // Not at the start of its memory, as lines of a chunk are.
  const chunk = Buffer.from(`xx${line}yy`);
  const found = splitKey(chunk.subarray(2, -2), Buffer.from(separator));
  return found && [found.key, found.value].map((part) => Buffer.from(part!).toString());
};

test('a line is split at the first separator', () => {
  expect(split('k:v', ':')).toEqual(['k', 'v']);
  expect(split('k:v:w', ':')).toEqual(['k', 'v:w']);
  expect(split('k::v', '::')).toEqual(['k', 'v']);
  expect(split('é→v', '→')).toEqual(['é', 'v']);
});

test('key and value may be empty', () => {
  expect(split(':v', ':')).toEqual(['', 'v']);
  expect(split('k:', ':')).toEqual(['k', '']);
});

test('a line without the separator has no key', () => {
  expect(split('kv', ':')).toBeUndefined();
  expect(split('k:v', '::')).toBeUndefined();
  // Those around it in the same memory do not count.
  expect(split('kv', 'yy')).toBeUndefined();
});
