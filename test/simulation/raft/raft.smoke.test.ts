import { expect, test } from 'vitest';
import { firstSeed } from '../../support/property-seed.ts';
import { runCluster } from './random-cluster.ts';
import { addCounts, missingCounts, STEPS } from './totals.ts';

const SEEDS = 300;

test(`clusters of Raft nodes under ${SEEDS} seeds break no invariant and serve when they are healed`, {
  tags: ['slow'],
}, () => {
  const totals = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const result = runCluster(seed, STEPS);
    const [violation] = result.violations;
    if (violation !== undefined) {
      throw new Error(`seed ${seed}: ${violation.checker}: ${violation.problem}`);
    }
    addCounts(totals, result);
  }
  expect(missingCounts(totals), 'what did not occur').toEqual([]);
});

test('the same seed gives the same trace, another seed another', () => {
  const hashes = [7, 7, 8].map((seed) => runCluster(seed, 500).traceHash);
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});
