import type { Timer, Timers } from '../../../src/env/ports.ts';
import type { Incarnation } from './incarnation.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedRandom } from './simulated-random.ts';

/** How late a timer may fire. */
const MOST_LATE_US = 1500;
/** One step of virtual time: what was due at this microsecond comes before the next turn. */
const TURN_MS = 0.001;

/** Timers of one process on virtual time. */
export class SimulatedTimers implements Timers {
  readonly #scheduler: Scheduler;
  readonly #incarnation: Incarnation;
  readonly #random: SimulatedRandom;
  readonly #clockRate: number;
  /** What waits for the next turn. Each event takes the first, which keeps them in order. */
  readonly #turns: (() => void)[] = [];

  /** @param clockRate how many milliseconds of these timers pass in one */
  constructor(
    scheduler: Scheduler,
    incarnation: Incarnation,
    random: SimulatedRandom,
    clockRate: number,
  ) {
    this.#scheduler = scheduler;
    this.#incarnation = incarnation;
    this.#clockRate = clockRate;
    this.#random = random.fork('timers');
  }

  after(ms: number, fn: () => void): Timer {
    const lateMs = this.#random.below(MOST_LATE_US) / 1000;
    let isCancelled = false;
    const event = this.#scheduler.after(Math.max(0, ms) / this.#clockRate + lateMs, () =>
      this.#incarnation.deliver(() => {
        // Also while it waited for a process that stood still.
        if (!isCancelled) fn();
      }),
    );
    const cancel = (): void => {
      isCancelled = true;
      event.cancel();
    };
    return { cancel, unref: () => {} };
  }

  nextTurn(fn: () => void): void {
    this.#turns.push(fn);
    this.#scheduler.after(TURN_MS, () => {
      const first = this.#turns.shift();
      if (first !== undefined) this.#incarnation.deliver(first);
    });
  }
}
