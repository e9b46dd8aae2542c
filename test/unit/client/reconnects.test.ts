import { expect, test } from 'vitest';
import { Reconnects } from '../../../src/client/reconnects.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

const setUp = () => new Reconnects(new SimulatedRandom(1));

test('a node that was not lost is tried at once', () => {
  expect(setUp().atMs(1)).toBeLessThan(0);
});

test('the pauses before a node is tried again grow, to a second at most', () => {
  const reconnects = setUp();
  const pauses = [...Array(12)].map(() => reconnects.postpone(1, 500) - 500);
  expect(pauses[0]).toBeLessThanOrEqual(50);
  expect(pauses[4]).toBeGreaterThan(pauses[0]!);
  for (const pause of pauses.slice(5)) expect(pause).toBeGreaterThanOrEqual(500);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1000);
});

test('the time that was told is the one that is kept, for each node by itself', () => {
  const reconnects = setUp();
  const atMs = reconnects.postpone(1, 500);
  expect(reconnects.atMs(1)).toBe(atMs);
  expect(reconnects.atMs(2)).toBeLessThan(0);
});

test('once a node has spoken its next loss is the first again', () => {
  const reconnects = setUp();
  for (let i = 0; i < 10; i++) reconnects.postpone(1, 0);
  reconnects.reached(1);
  expect(reconnects.atMs(1)).toBeLessThan(0);
  expect(reconnects.postpone(1, 0)).toBeLessThanOrEqual(50);
});
