import { expect, test } from 'vitest';
import {
  producerIdsAreGivenOnce,
  registersAreAtomic,
  topicsComeAndGoOnce,
} from './checkers/linearizability.ts';
import { History } from './history.ts';
import { minimise } from './minimise.ts';
import { drawPlan } from './plan.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** Requests as `[from, to, what]`. */
type Made = readonly [from: number, to: number, what: string];

function history(reads: readonly Made[], writes: readonly Made[]): History {
  const made = new History();
  for (const [from, to, value] of writes) made.writes.push({ from, to, value, register: 'r' });
  for (const [from, to, value] of reads) {
    made.reads.push({
      ...{ from, to, values: new Map([['r', value === '' ? null : value]]) },
      ...{ topicIds: new Set(), nextProducerId: 0, brokerEpochs: new Map() },
    });
  }
  return made;
}

test('what a register can have been at its reads is told from what it cannot', () => {
  const verdict = (reads: readonly Made[], writes: readonly Made[]): string[] =>
    registersAreAtomic(history(reads, writes));
  const one: Made = [1, 4, 'a'];
  const two: Made = [5, 8, 'b'];
  expect(verdict([[2, 3, '']], [one])).toEqual([]);
  expect(verdict([[2, 3, 'a']], [one])).toEqual([]);
  expect(verdict([[6, 7, 'a']], [one, two])).toEqual([]);
  // Stale: the write was answered before.
  expect(verdict([[5, 6, '']], [one])).toHaveLength(1);
  expect(verdict([[9, 10, 'a']], [one, two])).not.toEqual([]);
  // Seen, and then not any more.
  const back: Made[] = [
    [6, 7, 'b'],
    [9, 10, 'a'],
  ];
  expect(verdict(back, [one, [5, NEVER, 'b']])).toHaveLength(1);
  expect(verdict(back.slice(1), [one, [5, NEVER, 'b']])).toEqual([]);
  expect(verdict([[1, 2, 'c']], [[3, 4, 'c']])).toEqual(['r: c was read before it was written']);
  expect(verdict([[1, 2, 'x']], [])).toEqual([]);
  expect(verdict([[1, 2, 'x']], [one])).toEqual(['r: nobody wrote x']);
});

test('a topic that is missing after it was there, or there after its end, is noticed', () => {
  const verdict = (deletedTo: number | null, reads: readonly (readonly [number, boolean])[]) => {
    const made = new History();
    made.creations.push({ topicId: 't', from: 1, to: 3 });
    if (deletedTo !== null) made.deletions.push({ topicId: 't', from: 10, to: deletedTo });
    for (const [from, isThere] of reads) {
      made.reads.push({
        ...{ from, to: from + 0.5, values: new Map(), nextProducerId: 0 },
        ...{ topicIds: new Set(isThere ? ['t'] : []), brokerEpochs: new Map() },
      });
    }
    return topicsComeAndGoOnce(made);
  };
  expect(
    verdict(null, [
      [1, false],
      [2, true],
      [4, true],
    ]),
  ).toEqual([]);
  expect(
    verdict(12, [
      [4, true],
      [11, true],
      [13, false],
    ]),
  ).toEqual([]);
  expect(
    verdict(NEVER, [
      [11, false],
      [20, false],
    ]),
  ).toEqual([]);
  expect(verdict(null, [[4, false]])).toEqual(['topic t was there and is missing']);
  expect(verdict(12, [[13, true]])).toEqual(['topic t was seen after it was deleted']);
  expect(
    verdict(NEVER, [
      [11, false],
      [12, true],
    ]),
  ).toEqual(['topic t was gone and is there again']);
});

test('producer ids that are handed out twice, or in the wrong order, are noticed', () => {
  const verdict = (...blocks: readonly (readonly [number, number, number, number])[]) => {
    const made = new History();
    for (const [from, to, first, count] of blocks)
      made.allocations.push({ from, to, first, count });
    return producerIdsAreGivenOnce(made);
  };
  expect(verdict([1, 4, 5, 5], [2, 3, 0, 5])).toEqual([]);
  expect(verdict([1, 2, 0, 5], [3, 4, 4, 5])).toEqual(['producer id 4 was handed out twice']);
  expect(verdict([1, 2, 5, 5], [3, 4, 0, 5])).toEqual([
    'producer ids from 5 were handed out before those from 0',
  ]);
});

test('a plan is made smaller until no part can be left out', async () => {
  const plan = drawPlan(1);
  const needed = [plan.faults[3]!, plan.faults[17]!];
  const command = plan.commands[40]!;
  let runs = 0;
  const small = await minimise(plan, 400, async ({ faults, commands }) => {
    runs++;
    return needed.every((one) => faults.includes(one)) && commands.includes(command);
  });
  expect(small.faults).toEqual(needed);
  expect(small.commands).toEqual([command]);
  expect(runs).toBeLessThanOrEqual(400);
});
