import type { Scheduler } from './scheduler.ts';

/** What is held back leaves one by one, each a step of virtual time after the one before. */
const STEP_MS = 0.001;

/**
 * One life of a process, from its start to its crash. What reaches the process (an answer of the
 * disk, a timer, a message) goes through `deliver`, so that nothing of it runs after its death, nor while
 * it stands still.
 */
export class Incarnation {
  #isAlive = true;
  #isPaused = false;
  /** What has come while it stood still, and since then until all of that is delivered. */
  readonly #held: (() => void)[] = [];

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Nothing is delivered any more; what is under way never settles. */
  kill(): void {
    this.#isAlive = false;
  }

  /** The process stands still, as after SIGSTOP: what comes waits. */
  pause(): void {
    this.#isPaused = true;
  }

  /** It goes on, first of all with what has come meanwhile, in order. */
  resume(scheduler: Scheduler): void {
    this.#isPaused = false;
    const deliverFirst = (): void => {
      if (this.#isPaused || this.#held.length === 0) return;
      const first = this.#held.shift()!;
      if (this.#isAlive) first();
      scheduler.after(STEP_MS, deliverFirst);
    };
    scheduler.after(STEP_MS, deliverFirst);
  }

  deliver(fn: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused || this.#held.length > 0) this.#held.push(fn);
    else fn();
  }
}
