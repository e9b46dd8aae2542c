import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Instant, msSince, now, plusMs } from './clock.ts';
import type { MetronomeBeat } from './metronome.ts';

/**
 * Sends at a fixed rate, whatever the answers do. The send of number `i` is due `i` intervals after
 * the start; `age(i)` tells how long ago that was. Latency measured by it counts the time a record
 * waited for a stalled sender, which a loop that waits for each answer would hide.
 */
export class OpenLoop {
  readonly count: number;
  readonly #intervalMs: number;
  #start: Instant = now();

  constructor(ratePerSecond: number, seconds: number) {
    this.#intervalMs = 1_000 / ratePerSecond;
    this.count = Math.round(ratePerSecond * seconds);
  }

  /** Milliseconds since the send of number `index` was due. */
  age(index: number): number {
    return msSince(this.#start) - index * this.#intervalMs;
  }

  /** Runs once; resolves when the last one was sent. `send` must not wait, and must not throw. */
  async run(send: (index: number) => void): Promise<void> {
    this.#start = plusMs(now(), LEAD_MS);
    const beat: MetronomeBeat = {
      start: this.#start,
      intervalMs: this.#intervalMs,
      count: this.count,
    };
    const metronome = new Worker(new URL('./metronome.ts', import.meta.url), { workerData: beat });
    // Beats that come during a stall wait in the port, and are all sent after it.
    metronome.on('message', send);
    await once(metronome, 'exit');
  }
}

/** Time for the thread to come up before the first beat. */
const LEAD_MS = 200;
