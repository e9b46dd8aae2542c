import type { ErrorRow } from '../model/errors.ts';
import type { Offset } from '../model/ids.ts';

/** Somebody who waits until an offset mark (flushed offset or high watermark) has reached `offset`. */
export interface OffsetWaiter {
  /** The mark that is waited for, exclusive: one past the last record of interest. */
  readonly offset: Offset;
  /** Monotonic time at which waiting ends with an error; `Infinity` for never. */
  readonly deadlineMs: number;
  /** Called once: with null when the mark was reached, else with why it never will be. */
  settle(row: ErrorRow | null): void;
}

/**
 * The waiters of one mark of one partition, in order of offset. Pure: time comes in from outside.
 * `settle` may add waiters again; what it adds is looked at by the next call.
 */
export class OffsetWaiters {
  /** Sorted by offset; equal ones in order of arrival. */
  #waiters: OffsetWaiter[] = [];

  get size(): number {
    return this.#waiters.length;
  }

  add(waiter: OffsetWaiter): void {
    // Appends wait for ever higher offsets, so the place is nearly always at the end.
    let at = this.#waiters.length;
    while (at > 0 && this.#waiters[at - 1]!.offset > waiter.offset) at--;
    this.#waiters.splice(at, 0, waiter);
  }

  /** Forgets a waiter without settling it; nothing happens if it has been settled. */
  remove(waiter: OffsetWaiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at >= 0) this.#waiters.splice(at, 1);
  }

  /** The mark has moved to `mark`: settles everybody who waited for it. */
  release(mark: Offset): void {
    let count = 0;
    while (count < this.#waiters.length && this.#waiters[count]!.offset <= mark) count++;
    if (count === 0) return;
    for (const waiter of this.#waiters.splice(0, count)) waiter.settle(null);
  }

  /** Settles everybody with an error: the mark will not move any more. */
  failAll(row: ErrorRow): void {
    const failed = this.#waiters;
    this.#waiters = [];
    for (const waiter of failed) waiter.settle(row);
  }

  /** Settles with `row` those whose deadline has passed. */
  expire(nowMs: number, row: ErrorRow): void {
    if (!this.#waiters.some((waiter) => waiter.deadlineMs <= nowMs)) return;
    const expired = this.#waiters.filter((waiter) => waiter.deadlineMs <= nowMs);
    this.#waiters = this.#waiters.filter((waiter) => waiter.deadlineMs > nowMs);
    for (const waiter of expired) waiter.settle(row);
  }
}
