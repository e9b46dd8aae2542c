import type { Random, Timers } from '../env/ports.ts';

const FIRST_MS = 50;
const MOST_MS = 1000;

/**
 * How long to wait before attempt `attempt` + 1, where 0 was the first: doubling from 50 ms to 1 s,
 * less up to half by chance, so that clients which failed together do not come back together.
 */
export function backoffMs(attempt: number, random: Random): number {
  const full = Math.min(FIRST_MS * 2 ** Math.min(attempt, 10), MOST_MS);
  return full * (1 - random.uint32() / 2 ** 33);
}

/** Resolves after `ms`; rejects with the signal's reason when it fires before. */
export function delay(ms: number, timers: Timers, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => {
      timer.cancel();
      reject(signal!.reason);
    };
    const timer = timers.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** The promise, unless the signal fires first; the promise itself goes on. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
