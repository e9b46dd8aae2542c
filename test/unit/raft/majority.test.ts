import { expect, test } from 'vitest';
import { electionResult, majorityIndex, majorityOf } from '../../../src/raft/majority.ts';

test('a majority is more than half', () => {
  expect([1, 2, 3, 4, 5].map(majorityOf)).toEqual([1, 2, 2, 3, 3]);
});

test.each([
  [[7], 7],
  [[7, 3], 3],
  [[7, 3, 5], 5],
  [[7, 3, 5, 9], 5],
  [[0, 0, 5, 9, 9], 5],
  [[10, 9, 8], 9],
  [[], 0],
])('of %j a majority has %i', (indexes, index) => {
  expect(majorityIndex(indexes)).toBe(index);
});

test.each([
  [[true], 'won'],
  [[true, undefined], 'open'],
  [[true, false], 'lost'],
  [[true, true, undefined], 'won'],
  [[true, false, undefined], 'open'],
  [[true, false, false], 'lost'],
  [[true, true, false, false], 'lost'],
  [[undefined, undefined, undefined], 'open'],
] as const)('votes %j: %s', (votes, result) => {
  expect(electionResult(votes)).toBe(result);
});
