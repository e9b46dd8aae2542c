import { expect, test } from 'vitest';
import { TurnClock } from '../../../src/client/turn-clock.ts';

/** A clock that tells a later time at each look, and turns that end when the test says so. */
function machine() {
  let looks = 0;
  const due: (() => void)[] = [];
  const clock = { monotonicMs: () => 0, wallMs: () => ++looks };
  const timers = {
    after: () => expect.unreachable(),
    nextTurn: (fn: () => void) => void due.push(fn),
  };
  return {
    env: { clock, timers },
    looks: () => looks,
    endTurn: () => {
      for (const fn of due.splice(0)) fn();
    },
  };
}

test('calls in one turn share a look at the clock', () => {
  const { env, looks } = machine();
  const clock = new TurnClock(env);
  expect([clock.wallMs(), clock.wallMs(), clock.wallMs()]).toEqual([1, 1, 1]);
  expect(looks()).toBe(1);
});

test('the next turn looks again', () => {
  const { env, endTurn } = machine();
  const clock = new TurnClock(env);
  clock.wallMs();
  endTurn();
  expect(clock.wallMs()).toBe(2);
  expect(clock.wallMs()).toBe(2);
  endTurn();
  expect(clock.wallMs()).toBe(3);
});

test('a long turn looks again after a few calls', () => {
  const { env, looks } = machine();
  const clock = new TurnClock(env);
  const times = Array.from({ length: 160 }, () => clock.wallMs());
  expect(looks()).toBe(10);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
