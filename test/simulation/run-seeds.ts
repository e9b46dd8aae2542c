import { runSeed, type SeedResult } from './run-seed.ts';
import { addTo, noTotals, type Totals } from './totals.ts';

/** How often the broker is crashed or stopped under one seed, if not said otherwise. */
export const LIVES = 8;

/** Runs seed after seed until `isEnough`; stops after the first that is red. */
export async function runSeeds(
  firstSeed: number,
  isEnough: (totals: Totals) => boolean,
): Promise<{ readonly totals: Totals; readonly red: SeedResult | undefined }> {
  const totals = noTotals();
  for (let seed = firstSeed; !isEnough(totals); seed++) {
    const result = await runSeed({ seed, lives: LIVES });
    addTo(totals, result);
    if (result.violations.length > 0) return { totals, red: result };
  }
  return { totals, red: undefined };
}

/** What to tell of a seed that is red. */
export const describeRed = ({ seed, violations }: SeedResult): string =>
  [
    ...violations.slice(0, 5).map(({ checker, problem }) => `${checker}: ${problem}`),
    `again with: npm run sim -- --seed ${seed} --lives ${LIVES}`,
  ].join('\n');
