import { describe, expect, test } from 'vitest';
import { runCrashStates } from '../simulation/crash-states/run-crash-states.ts';

describe('every update of the disk', () => {
  test('leaves, whatever a crash takes, what was acknowledged and nothing else', async () => {
    const { short, mixed, violations } = await runCrashStates({
      firstSeed: 1,
      orders: 1,
      mostWays: [800, 8],
      mixedSeeds: 60,
      print: () => {},
    });
    expect(violations).toEqual([]);
    // What a run must have tried, else it proves nothing.
    expect(short.states).toBeGreaterThan(3000);
    expect(mixed.states).toBeGreaterThan(1000);
    expect(short.mostPending).toBeGreaterThan(6);
  });
});
