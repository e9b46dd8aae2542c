import { expect, test } from 'vitest';
import { takeInTurns } from '../../../src/quorum/take-in-turns.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

const KIB = 1024;

function* recordsOf(count: number, made: number[] = []): Generator<Uint8Array> {
  for (let at = 0; at < count; at++) {
    made.push(at);
    yield new Uint8Array(10 * KIB).fill(at);
  }
}

test('all records are taken in order, with turns for others between', async () => {
  const { scheduler, env } = simulatedEnv({ seed: 1 });
  const made: number[] = [];
  const seen: number[] = [];
  const look = (): void => {
    seen.push(made.length);
    if (made.length < 50) env.timers.nextTurn(look);
  };
  env.timers.nextTurn(look);
  const taken = await scheduler.complete(takeInTurns(recordsOf(50, made), env.timers, () => true));
  expect(taken?.map(([first]) => first)).toEqual(Array.from({ length: 50 }, (_, at) => at));
  expect(new Set(seen).size).toBeGreaterThan(5);
});

test('few records take no turn', async () => {
  const { env } = simulatedEnv({ seed: 1 });
  expect(await takeInTurns(recordsOf(3), env.timers, () => true)).toHaveLength(3);
});

test('what nobody wants any more is not made to its end', async () => {
  const { scheduler, env } = simulatedEnv({ seed: 1 });
  const made: number[] = [];
  const isWanted = (): boolean => made.length < 20;
  const taken = takeInTurns(recordsOf(50, made), env.timers, isWanted);
  expect(await scheduler.complete(taken)).toBeUndefined();
  expect(made.length).toBeLessThan(30);
});
