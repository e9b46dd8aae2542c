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
  /** What waits for the next turn. Each event takes the first, which keeps them in order. */
  readonly #turns: (() => void)[] = [];

  constructor(scheduler: Scheduler, incarnation: Incarnation, random: SimulatedRandom) {
    this.#scheduler = scheduler;
    this.#incarnation = incarnation;
    this.#random = random.fork('timers');
  }

  after(ms: number, fn: () => void): Timer {
    const lateMs = this.#random.below(MOST_LATE_US) / 1000;
    return this.#scheduler.after(Math.max(0, ms) + lateMs, () => this.#incarnation.deliver(fn));
  }

  nextTurn(fn: () => void): void {
    this.#turns.push(fn);
    this.#scheduler.after(TURN_MS, () => {
      const first = this.#turns.shift();
      if (first !== undefined) this.#incarnation.deliver(first);
    });
  }
}
