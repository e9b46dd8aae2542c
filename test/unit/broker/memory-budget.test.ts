import { expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/broker/memory-budget.ts';

test('what is taken counts until it is given back', () => {
  const budget = new MemoryBudget(100);
  expect(budget.tryTake(60)).toBe(true);
  expect(budget.tryTake(41)).toBe(false);
  expect(budget.tryTake(40)).toBe(true);
  expect(budget.usedBytes).toBe(100);
  budget.give(60);
  expect(budget.tryTake(60)).toBe(true);
});

test('what is larger than the whole budget fits alone', () => {
  const budget = new MemoryBudget(100);
  expect(budget.tryTake(500)).toBe(true);
  expect(budget.tryTake(1)).toBe(false);
  budget.give(500);
  expect(budget.tryTake(1)).toBe(true);
});

test('who waits for room is told once, when half of it is free', () => {
  const budget = new MemoryBudget(100);
  const told: string[] = [];
  budget.whenRoom(() => told.push('at once'));
  budget.tryTake(60);
  budget.tryTake(40);
  const gone = (): void => {
    told.push('gone');
  };
  budget.whenRoom(() => told.push('later'));
  budget.whenRoom(gone);
  budget.stopWaiting(gone);
  budget.give(40);
  expect(told).toEqual(['at once']);
  budget.give(10);
  budget.give(50);
  expect(told).toEqual(['at once', 'later']);
});

test('those who wait hold half of it at most, so that none waits for another', () => {
  const budget = new MemoryBudget(100);
  budget.tryTake(100);
  const told: string[] = [];
  const [first, second] = [() => told.push('first'), () => told.push('second')];
  expect(budget.whenRoom(first, 50)).toBe(true);
  expect(budget.whenRoom(first, 40)).toBe(true);
  expect(budget.whenRoom(second, 11)).toBe(false);
  expect(budget.whenRoom(second, 10)).toBe(true);
  budget.stopWaiting(first);
  expect(budget.whenRoom(second, 51)).toBe(false);
  expect(budget.whenRoom(first, 50)).toBe(true);
  budget.give(50);
  expect(told).toEqual(['first']);
  budget.tryTake(50);
  expect(budget.whenRoom(second, 50)).toBe(true);
});

test('giving back more than was taken is a bug', () => {
  const budget = new MemoryBudget(100);
  budget.tryTake(5);
  expect(() => budget.give(6)).toThrow('only what was taken is given back');
});

test('what arrives may take a quarter more than requests, what leaves another quarter', () => {
  const budget = new MemoryBudget(100);
  expect(budget.tryHold(120)).toBe(true);
  expect(budget.tryTake(1)).toBe(false);
  expect(budget.tryHold(6)).toBe(false);
  expect(budget.hold(30)).toBe(true);
  expect(budget.tryHold(0)).toBe(false);
  expect(budget.hold(1)).toBe(false);
  expect(budget.usedBytes).toBe(151);
});
