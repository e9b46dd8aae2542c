import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { ApplyQueue } from '../../../src/quorum/apply-queue.ts';
import type { Entry } from '../../../src/raft/entry.ts';
import { command, metaAt } from '../../support/storage-story.ts';

function queueWith(appliedIndex = 0) {
  const told: string[] = [];
  const turns: (() => void)[] = [];
  const errors: unknown[] = [];
  let failure: Error | undefined;
  const target = {
    apply(entries: readonly Entry[]) {
      if (failure !== undefined) throw failure;
      told.push(`${entries[0]!.index}-${entries.at(-1)!.index}`);
    },
    restore: ({ last }: { readonly last: { readonly index: number } }) => {
      told.push(`restored ${last.index}`);
    },
  };
  const timers = { ...memoryEnv().timers, nextTurn: (fn: () => void) => void turns.push(fn) };
  const queue = new ApplyQueue(appliedIndex, timers, target, {
    onApplied: (index) => told.push(`=${index}`),
    onError: (error) => errors.push(error),
  });
  const turn = () => turns.shift()?.();
  const fail = (error: Error) => {
    failure = error;
  };
  return { queue, told, turns, turn, errors, fail };
}

const run = (from: number, through: number): Entry[] =>
  Array.from({ length: through - from + 1 }, (_, i) => command(from + i, 1));

test('a few entries are applied at once', () => {
  const { queue, told, turns } = queueWith();
  queue.add(run(1, 3));
  queue.add(run(4, 4));
  expect(told).toEqual(['1-3', '=3', '4-4', '=4']);
  expect([queue.appliedIndex, queue.isBusy, turns.length]).toEqual([4, false, 0]);
});

test('many entries leave turns to others', () => {
  const { queue, told, turn } = queueWith(10);
  queue.add(run(11, 1200));
  queue.add(run(1201, 1210));
  expect(told).toEqual(['11-510', '=510']);
  expect(queue.isBusy).toBe(true);
  turn();
  turn();
  expect(told.slice(2)).toEqual(['511-1010', '=1010', '1011-1200', '=1200', '1201-1210', '=1210']);
  expect(queue.isBusy).toBe(false);
});

test('large entries count by their bytes', () => {
  const { queue, told } = queueWith();
  const large = run(1, 3).map((entry) => ({ ...entry, bytes: new Uint8Array(700 * 1024) }));
  queue.add(large as Entry[]);
  expect(told).toEqual(['1-2', '=2']);
});

test('a snapshot takes a turn, in its place', () => {
  const { queue, told, turn } = queueWith();
  queue.add(run(1, 2));
  queue.restore(metaAt(9, 1), []);
  queue.add(run(10, 11));
  expect(told).toEqual(['1-2', '=2', 'restored 9', '=9', '10-11', '=11']);
  queue.add(run(12, 600));
  queue.restore(metaAt(700, 1), []);
  queue.add(run(701, 701));
  turn();
  turn();
  expect(told.slice(-5)).toEqual(['=600', 'restored 700', '=700', '701-701', '=701']);
});

test('what the state machine throws ends it', () => {
  const { queue, told, errors, fail } = queueWith();
  const error = new Error('broken');
  fail(error);
  queue.add(run(1, 2));
  expect([told, errors, queue.appliedIndex]).toEqual([[], [error], 0]);
});
