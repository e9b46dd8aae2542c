import type { Timer, Timers } from './ports.ts';

/** Node takes a longer delay for 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Timers of the event loop. */
export class NodeTimers implements Timers {
  readonly #keepProcess: boolean;

  /** @param options `keepProcess`: a timer keeps the process alive until it fires or is cancelled */
  constructor(options: { readonly keepProcess: boolean }) {
    this.#keepProcess = options.keepProcess;
  }

  after(ms: number, fn: () => void): Timer {
    const timer = new NodeTimer(ms, fn);
    if (!this.#keepProcess) timer.unref();
    return timer;
  }

  nextTurn(fn: () => void): void {
    setImmediate(fn);
  }
}

class NodeTimer implements Timer {
  readonly #dueMs: number;
  readonly #fn: () => void;
  #keepsProcess = true;
  #handle: NodeJS.Timeout;

  constructor(ms: number, fn: () => void) {
    this.#dueMs = performance.now() + ms;
    this.#fn = fn;
    this.#handle = this.#wait(ms);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  unref(): void {
    this.#keepsProcess = false;
    this.#handle.unref();
  }

  #wait(ms: number): NodeJS.Timeout {
    const delayMs = Math.min(Math.ceil(ms), LONGEST_DELAY_MS);
    const handle = setTimeout(() => this.#fire(), delayMs);
    return this.#keepsProcess ? handle : handle.unref();
  }

  /** Waits on if this was one step of a long delay, or a fraction of a millisecond is missing. */
  #fire(): void {
    const leftMs = this.#dueMs - performance.now();
    if (leftMs > 0) this.#handle = this.#wait(leftMs);
    else this.#fn();
  }
}
