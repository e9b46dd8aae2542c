import { describe, expect, test } from 'vitest';
import { runCrashStates } from '../simulation/crash-states/run-crash-states.ts';

const common = { firstSeed: 1, orders: 1, print: () => {} };

describe('what is acknowledged, and nothing else, is there', {
  tags: ['slow'],
  timeout: 300_000,
}, () => {
  test('after a crash at any moment of every update, whatever it takes', async () => {
    const { short, violations } = await runCrashStates({
      ...common,
      mostWays: [400],
      samples: 40,
      mixedSeeds: 0,
    });
    expect(violations).toEqual([]);
    // What a run must have tried, else it proves nothing.
    expect(short.states).toBeGreaterThan(1500);
    expect(short.mostPending).toBeGreaterThan(6);
  });

  test('after a second crash during the recovery from the first', async () => {
    const { short, violations } = await runCrashStates({
      ...common,
      mostWays: [6, 4],
      samples: 2,
      mixedSeeds: 0,
    });
    expect(violations).toEqual([]);
    expect(short.states).toBeGreaterThan(1500);
  });

  test('after crashes in long scripts of everything', async () => {
    const { mixed, violations } = await runCrashStates({
      ...common,
      orders: 0,
      mostWays: [0],
      mixedSeeds: 40,
    });
    expect(violations).toEqual([]);
    expect(mixed.states).toBeGreaterThan(1000);
  });
});
