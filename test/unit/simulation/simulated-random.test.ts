import { expect, test } from 'vitest';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

const draw = (random: SimulatedRandom): number[] =>
  Array.from({ length: 8 }, () => random.uint32());

test('the same seed gives the same numbers, another seed others', () => {
  expect(draw(new SimulatedRandom(7))).toEqual(draw(new SimulatedRandom(7)));
  const firsts = new Set<number>();
  for (let seed = -500; seed < 500; seed++) firsts.add(new SimulatedRandom(seed).uint32());
  expect(firsts.size).toBe(1000);
});

test('the upper bits of a seed matter', () => {
  expect(draw(new SimulatedRandom(1))).not.toEqual(draw(new SimulatedRandom(2 ** 32 + 1)));
});

test('a fork depends on the seed and its label, not on what was drawn before', () => {
  const random = new SimulatedRandom(7);
  const before = draw(random.fork('disk'));
  draw(random);
  expect(draw(random.fork('disk'))).toEqual(before);
  expect(draw(random.fork('timers'))).not.toEqual(before);
  expect(draw(new SimulatedRandom(8).fork('disk'))).not.toEqual(before);
  expect(draw(random.fork('a').fork('b'))).not.toEqual(draw(random.fork('b').fork('a')));
});

test('numbers are spread evenly', () => {
  const random = new SimulatedRandom(1);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  let heads = 0;
  for (let i = 0; i < 100_000; i++) heads += random.chance(0.25) ? 1 : 0;
  expect(Math.abs(heads - 25_000)).toBeLessThan(800);
  expect(random.chance(0)).toBe(false);
  expect(random.chance(1)).toBe(true);
});
