import { expect, test } from 'vitest';
import { delay, orAbort } from '../../../src/env/abortable.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

test('a delay ends after its time, or at once with the reason of the signal', async () => {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const began = scheduler.nowMs;
  await scheduler.complete(delay(100, env.timers));
  expect(scheduler.nowMs - began).toBeGreaterThanOrEqual(100);
  const asked = new AbortController();
  const ended = delay(100, env.timers, asked.signal);
  asked.abort(new Error('enough'));
  await expect(ended).rejects.toThrow('enough');
  await expect(delay(100, env.timers, asked.signal)).rejects.toThrow('enough');
});

test('a promise is waited for until it is settled or the signal fires', async () => {
  const asked = new AbortController();
  expect(await orAbort(Promise.resolve(1), undefined)).toBe(1);
  expect(await orAbort(Promise.resolve(2), asked.signal)).toBe(2);
  await expect(orAbort(Promise.reject(new Error('no')), asked.signal)).rejects.toThrow('no');
  const waiting = orAbort(new Promise(() => {}), asked.signal);
  asked.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(orAbort(Promise.resolve(3), asked.signal)).rejects.toThrow('enough');
});
