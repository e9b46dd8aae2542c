import { expect, test } from 'vitest';
import { describeRed, runSeeds } from './run-seeds.ts';
import { voidReason } from './totals.ts';

test('power cuts of the whole broker under mixed load lose nothing acknowledged: some seeds', {
  tags: ['slow'],
}, async () => {
  const { totals, red } = await runSeeds(1, ({ seeds }) => seeds >= 15);
  expect(red === undefined ? '' : describeRed(red)).toBe('');
  expect(voidReason(totals)).toBeNull();
});
