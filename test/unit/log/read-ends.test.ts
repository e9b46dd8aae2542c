import { expect, test } from 'vitest';
import { ReadEnds } from '../../../src/log/read-ends.ts';
import { offset } from '../../../src/model/ids.ts';

test('the ends of the last reads are known, and not of more than a few', () => {
  const ends = new ReadEnds();
  for (let i = 0; i < 1000; i++) ends.add(offset(i), i * 10);
  expect(ends.positionOf(offset(999))).toBe(9990);
  const known = Array.from({ length: 1000 }, (_, i) => ends.positionOf(offset(i)));
  expect(known.filter((position) => position !== undefined)).toHaveLength(64);
});
