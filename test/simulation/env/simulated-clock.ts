import type { Clock } from '../../../src/env/ports.ts';
import type { Scheduler } from './scheduler.ts';

/** Where the wall clocks of all machines begin: a moment in 2026. */
const START_WALL_MS = 1_780_000_000_000;

/** The clocks of one machine. They outlive its processes. */
export class SimulatedClock implements Clock {
  readonly #scheduler: Scheduler;
  /** How many of its milliseconds pass in one. */
  readonly rate: number;
  #wallOffsetMs = 0;

  constructor(scheduler: Scheduler, rate: number) {
    this.#scheduler = scheduler;
    this.rate = rate;
  }

  monotonicMs(): number {
    return this.#scheduler.nowMs * this.rate;
  }

  wallMs(): number {
    return Math.floor(START_WALL_MS + this.monotonicMs() + this.#wallOffsetMs);
  }

  /** Moves the wall clock, as an operator or NTP does. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }
}
