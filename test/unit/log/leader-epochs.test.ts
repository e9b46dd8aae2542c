import { describe, expect, it } from 'vitest';
import { LeaderEpochs } from '../../../src/log/leader-epochs.ts';
import { leaderEpoch, offset } from '../../../src/model/ids.ts';

function epochs(...entries: [epoch: number, startOffset: number][]): LeaderEpochs {
  const made = new LeaderEpochs();
  for (const [epoch, startOffset] of entries) made.assign(leaderEpoch(epoch), offset(startOffset));
  return made;
}

const list = (made: LeaderEpochs): [number, number][] =>
  made.entries.map(({ epoch, startOffset }) => [epoch, startOffset]);

describe('leader epochs', () => {
  it('know the epoch of an offset', () => {
    const made = epochs([2, 10], [5, 20]);
    expect(made.latestEpoch).toBe(5);
    expect([9, 10, 19, 20, 99].map((at) => made.epochAt(offset(at)))).toEqual([-1, 2, 2, 5, 5]);
    expect(epochs().latestEpoch).toBe(-1);
  });

  it('replace an epoch under which nothing was written', () => {
    expect(list(epochs([1, 0], [2, 10], [3, 10], [3, 15]))).toEqual([
      [1, 0],
      [3, 10],
    ]);
  });

  it('never fall', () => {
    expect(() => epochs([3, 0], [2, 10])).toThrow('never fall');
  });

  it('answer where an epoch ends as Kafka’s OffsetForLeaderEpoch does', () => {
    const made = epochs([2, 10], [5, 20]);
    const end = (epoch: number) => made.endOffsetFor(leaderEpoch(epoch), offset(33));
    expect(end(5)).toEqual({ epoch: 5, endOffset: 33 });
    expect(end(6)).toBe(undefined);
    expect(end(3)).toEqual({ epoch: 2, endOffset: 20 });
    expect(end(2)).toEqual({ epoch: 2, endOffset: 20 });
    expect(end(1)).toEqual({ epoch: 1, endOffset: 10 });
    expect(end(-1)).toBe(undefined);
  });

  it('are truncated at both ends', () => {
    const made = epochs([1, 0], [2, 10], [5, 20]);
    made.truncateFromEnd(offset(20));
    made.truncateFromStart(offset(4));
    expect(list(made)).toEqual([
      [1, 4],
      [2, 10],
    ]);
    made.truncateFromStart(offset(10));
    expect(list(made)).toEqual([[2, 10]]);
  });

  it('are written as Kafka’s checkpoint', () => {
    expect(epochs([1, 0], [2, 10]).format()).toBe('0\n2\n1 0\n2 10\n');
  });
});
