import { describe, expect, it } from 'vitest';
import { playScenario, syncScenarios } from './sync-scenarios.ts';

describe.each(syncScenarios)('$name', (scenario) => {
  it('loses nothing in a power cut', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { problem } = await playScenario(scenario, { seed });
      expect(problem, `seed ${seed}`).toBeUndefined();
    }
  });

  // The canary: one that misses no sync tries nothing. `npm run sim -- --drop-syncs` tries them all.
  it('misses a sync that is taken out', async () => {
    const { sites } = await playScenario(scenario, { seed: 1 });
    const found: string[] = [];
    for (const drop of sites.keys()) {
      for (let seed = 1; seed <= 10 && found.length === 0; seed++) {
        const { problem } = await playScenario(scenario, { seed, drop });
        if (problem !== undefined) found.push(problem);
      }
    }
    expect(found).not.toEqual([]);
  });
});
