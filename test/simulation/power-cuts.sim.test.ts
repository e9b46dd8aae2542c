import { expect, test } from 'vitest';
import { runSeed } from './run-seed.ts';
import { describeRed, LIVES, runSeeds } from './run-seeds.ts';
import { describeTotals, voidReason } from './totals.ts';

/** It takes all of a processor for minutes, and others may share it. */
const PATIENCE_MS = 900_000;

test(
  '500 power cuts of the whole broker under mixed load lose nothing acknowledged',
  async () => {
    const { totals, red } = await runSeeds(10_000, ({ powerCuts }) => powerCuts >= 500);
    expect(red === undefined ? '' : describeRed(red)).toBe('');
    expect(voidReason(totals)).toBeNull();
    console.log(describeTotals(totals));
  },
  PATIENCE_MS,
);

/** The canaries: a broker without these must be found out. `--drop-syncs` does this for every fsync. */
test.each([
  ['the segment', /^src\/log\/log-disk\.ts:\d+ < src\/log\/log-disk\.ts:\d+ \(\*\.log\)$/],
  ['the name of a segment', /^src\/log\/log-disk\.ts:\d+ \(folder of a partition\)$/],
  ['the metadata', /^src\/quorum\/metadata-store\.ts:\d+ \(metadata store\)$/],
  ['the marks', /\(durable-marks\.tmp\)$/],
])('without the fsync of %s it goes red', async (_, site) => {
  const { sites } = await runSeed({ seed: 2, lives: LIVES });
  // The most frequent one: a clean stop syncs segments, too.
  const [aim] = [...sites].filter(([name]) => site.test(name)).sort(([, a], [, b]) => b - a)[0]!;
  for (let seed = 1; seed <= 20; seed++) {
    const { violations } = await runSeed({ seed, lives: LIVES, aim, drop: aim });
    if (violations.length > 0) return;
  }
  expect.fail(`${aim} was not missed`);
});
