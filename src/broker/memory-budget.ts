import { assert } from '../model/assert.ts';

/** Bytes of requests that the broker may hold at a time (DESIGN D15). */
export class MemoryBudget {
  readonly limitBytes: number;
  #usedBytes = 0;

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

  give(bytes: number): void {
    assert(bytes <= this.#usedBytes, 'only what was taken is given back');
    this.#usedBytes -= bytes;
  }
}
