import { assert } from '../model/assert.ts';

/**
 * Memory that requests and answers may take, of all connections together (DESIGN D15). Requests are
 * taken up to the limit. What arrives may take a quarter more: so a request that is too much is refused
 * by an answer, and only beyond that is its stream ended. What leaves may take another quarter: if that
 * is not enough, it is by answers which nobody reads, and not by requests.
 */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #arrivingLimitBytes: number;
  readonly #leavingLimitBytes: number;
  #usedBytes = 0;
  /** What each of those who wait holds meanwhile. */
  readonly #waiting = new Map<() => void, number>();
  #waitingBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.#arrivingLimitBytes = limitBytes + Math.floor(limitBytes / 4);
    this.#leavingLimitBytes = limitBytes + Math.floor(limitBytes / 2);
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether half of it is free. */
  get hasRoom(): boolean {
    return this.#usedBytes <= this.limitBytes / 2;
  }

  /**
   * Takes memory for a request to be worked on. False if it does not fit; one larger than the whole
   * budget fits when nothing else is there.
   */
  tryTake(bytes: number): boolean {
    if (this.#usedBytes > 0 && this.#usedBytes + bytes > this.limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /**
   * Calls back once when half of it is free: at once, or inside a `give`. False if that would never come:
   * those who wait may not hold half of it themselves, or they would wait for each other.
   *
   * @param heldBytes what the caller keeps of it while it waits
   */
  whenRoom(proceed: () => void, heldBytes = 0): boolean {
    if (this.hasRoom) {
      proceed();
      return true;
    }
    this.stopWaiting(proceed);
    if (this.#waitingBytes + heldBytes > this.limitBytes / 2) return false;
    this.#waiting.set(proceed, heldBytes);
    this.#waitingBytes += heldBytes;
    return true;
  }

  /** Forgets who no longer waits. */
  stopWaiting(proceed: () => void): void {
    this.#waitingBytes -= this.#waiting.get(proceed) ?? 0;
    this.#waiting.delete(proceed);
  }

  /** Takes memory for what arrives. False if it does not fit. */
  tryHold(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#arrivingLimitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Takes memory for what is there already. False if that is too much: something has to go. */
  hold(bytes: number): boolean {
    this.#usedBytes += bytes;
    return this.#usedBytes <= this.#leavingLimitBytes;
  }

  give(bytes: number): void {
    assert(bytes <= this.#usedBytes, 'only what was taken is given back');
    this.#usedBytes -= bytes;
    if (this.#waiting.size === 0 || !this.hasRoom) return;
    const waiting = [...this.#waiting.keys()];
    this.#waiting.clear();
    this.#waitingBytes = 0;
    for (const proceed of waiting) proceed();
  }
}
