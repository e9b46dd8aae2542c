import { expect, test } from 'vitest';
import { PrefetchBudget } from '../../../src/client/prefetch-budget.ts';

test('members share alike, and are told when bytes are free', () => {
  const budget = new PrefetchBudget(1000);
  const told: string[] = [];
  const [a, b] = ['a', 'b'].map((name) => ({ grant: () => told.push(name) > 0 }));
  budget.join(a!);
  expect(budget.shareBytes).toBe(1000);
  budget.join(b!);
  expect(budget.shareBytes).toBe(500);
  budget.take(900);
  expect(budget.freeBytes).toBe(100);
  budget.give(300);
  expect(told).toEqual(['a', 'b']);
  budget.leave(a!);
  budget.grantAll();
  expect(told).toEqual(['a', 'b', 'b']);
  expect([budget.shareBytes, budget.freeBytes]).toEqual([1000, 400]);
});
