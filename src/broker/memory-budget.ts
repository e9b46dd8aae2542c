import { assert } from '../model/assert.ts';

/** Bytes of requests that the broker may hold at a time (DESIGN D15). */
export class MemoryBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** False if it does not fit; a request larger than the whole budget fits when nothing else is there. */
  tryTake(bytes: number): boolean {
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > this.limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Calls back once when half of it is free: at once, or inside a `give`. */
  whenRoom(proceed: () => void): void {
    if (this.#hasRoom()) proceed();
    else this.#waiting.add(proceed);
  }

  /** Forgets who no longer waits. */
  stopWaiting(proceed: () => void): void {
    this.#waiting.delete(proceed);
  }

  give(bytes: number): void {
    assert(bytes <= this.#usedBytes, 'only what was taken is given back');
    this.#usedBytes -= bytes;
    if (this.#waiting.size === 0 || !this.#hasRoom()) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const proceed of waiting) proceed();
  }

  #hasRoom(): boolean {
    return this.#usedBytes <= this.limitBytes / 2;
  }
}
