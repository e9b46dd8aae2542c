import { expect, test } from 'vitest';
import { excess, FIXED_HEAP_BYTES, measureHeap } from './heap.ts';
import { fuzzTargets, voidTargets } from './run-targets.ts';
import { targets } from './targets.ts';

test('no decoder takes mutated bytes amiss', async () => {
  const { totals, violations } = await fuzzTargets(targets, { seed: 1, inputs: 60_000 });
  expect(violations).toEqual([]);
  expect(voidTargets(totals)).toEqual([]);
  expect(totals.length).toBe(targets.length);
});

test('a request that is decoded takes little more memory than four times its bytes', async () => {
  const measures = await measureHeap(1, 8);
  expect(measures.filter((measure) => excess(measure) > FIXED_HEAP_BYTES)).toEqual([]);
  // Something was decoded at all.
  expect(measures.some(({ heapBytes }) => heapBytes > 100_000)).toBe(true);
});
