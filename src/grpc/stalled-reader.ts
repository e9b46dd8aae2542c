import type { Timer, Timers } from '../env/ports.ts';

/**
 * Ends a stream whose peer has stopped reading: what waits for it stays in memory, so it may wait
 * only so long.
 */
export class StalledReader {
  readonly #limitMs: number;
  readonly #timers: Timers;
  readonly #onStalled: () => void;
  #timer: Timer | undefined;

  constructor(limitMs: number, timers: Timers, onStalled: () => void) {
    this.#limitMs = limitMs;
    this.#timers = timers;
    this.#onStalled = onStalled;
  }

  /** The peer does not keep up, from now on. */
  stalled(): void {
    this.#timer ??= this.#timers.after(this.#limitMs, this.#onStalled);
  }

  /** The peer reads again, or the stream is gone. */
  moving(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
