import { expect, test } from 'vitest';
import { ReadRounds } from '../../../src/raft/read-rounds.ts';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';

const one = (heardOf: readonly unknown[]) => heardOf.length >= 1;

test('a round sees what was committed when it began', () => {
  const reads = new ReadRounds();
  expect(reads.begin(5)).toBe(false);
  reads.add(1);
  reads.add(2);
  expect(reads.begin(5)).toBe(true);
  expect(reads.finish(one)).toBeNull();
  reads.answered(memberOf(2), 1);
  expect(reads.finish(one)).toMatchObject({ index: 5, requestIds: [1, 2] });
  expect(reads.finish(one)).toBeNull();
});

test('reads that come during a round share the next one', () => {
  const reads = new ReadRounds();
  reads.add(1);
  reads.begin(5);
  reads.add(2);
  reads.add(3);
  expect(reads.begin(6)).toBe(false);
  reads.answered(memberOf(2), 1);
  expect(reads.finish(one)).toMatchObject({ requestIds: [1] });
  expect(reads.begin(7)).toBe(true);
  expect(reads.number).toBe(2);
  // An answer to the round before says nothing.
  reads.answered(memberOf(3), 1);
  expect(reads.finish(one)).toBeNull();
  reads.answered(memberOf(3), 2);
  expect(reads.finish(one)).toMatchObject({ index: 7, requestIds: [2, 3] });
});

test('who answers twice counts once, and another directory is another one', () => {
  const reads = new ReadRounds();
  reads.add(1);
  reads.begin(0);
  reads.answered(memberOf(2), 1);
  reads.answered(memberOf(2), 1);
  expect(reads.finish((heardOf) => heardOf.length === 1)).not.toBeNull();
});

test('what is not answered is given back', () => {
  const reads = new ReadRounds();
  reads.add(1);
  reads.begin(0);
  reads.add(2);
  expect(reads.drain()).toEqual([1, 2]);
  expect(reads.drain()).toEqual([]);
});
