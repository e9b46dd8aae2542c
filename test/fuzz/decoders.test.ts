import { expect, test } from 'vitest';
import { fuzzTargets, voidTargets } from './run-targets.ts';
import { targets } from './targets.ts';

test('no decoder takes mutated bytes amiss', async () => {
  const { totals, violations } = await fuzzTargets(targets, { seed: 1, inputs: 60_000 });
  expect(violations).toEqual([]);
  expect(voidTargets(totals)).toEqual([]);
  expect(totals.length).toBe(targets.length);
});
