import { describe, expect, test } from 'vitest';
import { runCrashStates } from '../simulation/crash-states/run-crash-states.ts';

/** Much more than it takes: other work may share the machine. */
const TIMEOUT_MS = 300_000;

const common = { firstSeed: 1, orders: 1, print: () => {} };

describe('what is acknowledged, and nothing else, is there', () => {
  test('after a crash at any moment of every update, whatever it takes', {
    timeout: TIMEOUT_MS,
  }, async () => {
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

  test('after a second crash during the recovery from the first', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { short, violations } = await runCrashStates({
      ...common,
      mostWays: [6, 4],
      samples: 2,
      mixedSeeds: 0,
    });
    expect(violations).toEqual([]);
    expect(short.states).toBeGreaterThan(1500);
  });

  test('after crashes in long scripts of everything', { timeout: TIMEOUT_MS }, async () => {
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
