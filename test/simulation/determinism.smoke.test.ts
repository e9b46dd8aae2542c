import { expect, test } from 'vitest';
import { runSeed } from './run-seed.ts';

const LIVES = 5;

test('the same seed gives the same trace and the same history', { tags: ['slow'] }, async () => {
  for (const seed of [3, 14]) {
    const [first, second] = [
      await runSeed({ seed, lives: LIVES }),
      await runSeed({ seed, lives: LIVES }),
    ];
    expect(first.history.acknowledged).toBeGreaterThan(0);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.history.sends).toEqual(first.history.sends);
    expect([...second.sites]).toEqual([...first.sites]);
  }
});

test('another seed gives another trace', async () => {
  const [first, second] = [
    await runSeed({ seed: 1, lives: 2 }),
    await runSeed({ seed: 2, lives: 2 }),
  ];
  expect(second.traceHash).not.toBe(first.traceHash);
});
