import { expect, test } from 'vitest';
import { parseVoters } from '../../../src/server/voters.ts';

test('voters are ids with addresses', () => {
  expect([...parseVoters('1@a:9093, 2@[::1]:9093,30@10.0.0.3:1')]).toEqual([
    [1, 'a:9093'],
    [2, '[::1]:9093'],
    [30, '10.0.0.3:1'],
  ]);
  expect(parseVoters('').size).toBe(0);
});

test.for([
  ['a:9093', '"a:9093" is not ID@HOST:PORT'],
  ['1@a', '"1@a" is not ID@HOST:PORT: address "a" is not HOST:PORT'],
  ['-1@a:1', '"-1@a:1" is not ID@HOST:PORT'],
  ['2147483648@a:1', '"2147483648@a:1" is not ID@HOST:PORT'],
  ['1@a:1,1@b:1', 'node 1 stands twice in it'],
  ['1@a:1,2@a:1', 'two nodes have the address a:1'],
  ['1@a:0', '"1@a:0" has no port that others can find'],
] as const)('%s is refused: %s', ([text, message]) => {
  expect(() => parseVoters(text)).toThrow(message);
});
