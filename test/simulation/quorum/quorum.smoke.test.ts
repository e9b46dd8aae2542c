import { expect, test } from 'vitest';
import { firstSeed } from '../../support/property-seed.ts';
import { drawPlan } from './plan.ts';
import { QuorumTotals } from './quorum-totals.ts';
import { runPlan, voidReason } from './run-quorum-seed.ts';

const SEEDS = 300;

test(`clusters of whole nodes under ${SEEDS} seeds break no promise and serve when they are healed`, {
  timeout: 300_000,
}, async () => {
  const totals = new QuorumTotals();
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const result = await runPlan(drawPlan(seed));
    const [violation] = result.violations;
    if (violation !== undefined) {
      throw new Error(`seed ${seed}: ${violation.checker}: ${violation.problem}`);
    }
    expect(voidReason(result), `seed ${seed}`).toBeNull();
    totals.add(result);
  }
  expect(totals.missing, 'what did not occur').toEqual([]);
});

test('the same seed gives the same trace, another seed another', async () => {
  const hashes: string[] = [];
  for (const seed of [7, 7, 8]) hashes.push((await runPlan(drawPlan(seed))).traceHash);
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});
