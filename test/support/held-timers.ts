import { NodeTimers } from '../../src/env/node-timers.ts';
import type { Timer, Timers } from '../../src/env/ports.ts';

/** Real timers, but that delays of `ms` are over when the test says so: no stall of the machine ends them early. */
export class HeldTimers implements Timers {
  readonly #others = new NodeTimers({ keepProcess: false });
  readonly #ms: number;
  readonly #held: Set<() => void> = new Set();

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#held.size;
  }

  after(delayMs: number, fn: () => void): Timer {
    if (delayMs !== this.#ms) return this.#others.after(delayMs, fn);
    const held = (): void => fn();
    this.#held.add(held);
    return { cancel: () => void this.#held.delete(held), unref: () => {} };
  }

  nextTurn(fn: () => void): void {
    this.#others.nextTurn(fn);
  }

  /** Ends all delays that wait. */
  fire(): void {
    for (const held of this.#held) {
      this.#held.delete(held);
      held();
    }
  }
}
