import type { Clock, Timers } from '../env/ports.ts';

/** Asking the machine for the time costs about as much as writing a short record. */
const MOST_SHARED = 16;

/**
 * Wall time for those who ask often: a few calls in one turn of the event loop share a look at the
 * clock. It is never older than the turn.
 */
export class TurnClock {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #endTurn = (): void => {
    this.#turnEndIsDue = false;
    this.#left = 0;
  };
  #wallMs = 0;
  /** How many more calls are answered without a look. */
  #left = 0;
  #turnEndIsDue = false;

  constructor(env: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = env.clock;
    this.#timers = env.timers;
  }

  /** Ms since 1970. */
  wallMs(): number {
    if (this.#left > 0) {
      this.#left--;
      return this.#wallMs;
    }
    this.#left = MOST_SHARED - 1;
    this.#wallMs = this.#clock.wallMs();
    if (!this.#turnEndIsDue) {
      this.#turnEndIsDue = true;
      this.#timers.nextTurn(this.#endTurn);
    }
    return this.#wallMs;
  }
}
