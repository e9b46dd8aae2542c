import { expect, test } from 'vitest';
import { fuzzLive } from './live.ts';

test('mutated traffic hurts neither the broker nor anybody else', async () => {
  const { violations, bystanderRecords } = await fuzzLive({ seed: 1, inputs: 1500 });
  expect(violations).toEqual([]);
  expect(bystanderRecords).toBeGreaterThan(10);
});
