import { expect, test } from 'vitest';
import { type Puller, PullIterator } from '../../../src/client/pull-iterator.ts';

/** Gives what is in `items`; a wait lets `more` add to them, and ends when it does not. */
function setUp(items: (number | Promise<number | undefined> | Error)[], more: number[][] = []) {
  let ends = 0;
  const puller: Puller<number> = {
    pull: () => {
      const item = items.shift();
      if (item instanceof Error) throw item;
      return item;
    },
    wait: async () => {
      const some = more.shift();
      items.push(...(some ?? []));
      return some !== undefined;
    },
    end: () => {
      ends++;
    },
  };
  return { iterator: new PullIterator(puller), ends: () => ends };
}

async function rest(iterator: PullIterator<number>): Promise<number[]> {
  const seen: number[] = [];
  for await (const item of { [Symbol.asyncIterator]: () => iterator }) seen.push(item);
  return seen;
}

test('items come in order, whether they are here, are being made or are waited for', async () => {
  const { iterator, ends } = setUp([1, Promise.resolve(2), 3], [[], [4, 5]]);
  expect(await rest(iterator)).toEqual([1, 2, 3, 4, 5]);
  expect(ends()).toBe(1);
});

test('an item that is no longer wanted when it is made is left out', async () => {
  const { iterator } = setUp([Promise.resolve(undefined), 2]);
  expect(await rest(iterator)).toEqual([2]);
});

test('calls that do not wait for each other are answered in order', async () => {
  const { iterator } = setUp([Promise.resolve(1), 2], [[3]]);
  const calls = [1, 2, 3, 4, 5].map(() => iterator.next());
  const results = await Promise.all(calls);
  expect(results.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
});

test.each([
  ['at once', () => new Error('boom')],
  ['later', () => Promise.reject(new Error('boom'))],
] as const)('a failure %s ends the iteration, once', async (_when, fail) => {
  const { iterator, ends } = setUp([fail(), 2]);
  await expect(iterator.next()).rejects.toThrow('boom');
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect(ends()).toBe(1);
});

test('leaving the loop ends it, also while an item is being made', async () => {
  const late = Promise.withResolvers<number>();
  const { iterator, ends } = setUp([late.promise, 2]);
  const next = iterator.next();
  await iterator.return();
  late.resolve(1);
  expect(await next).toEqual({ done: true, value: undefined });
  expect(ends()).toBe(1);
});
