interface Waiter {
  readonly index: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Who waits until everything up to an index of the log is applied. */
export class IndexWaiters {
  #waiters: Waiter[] = [];

  wait(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ index, resolve, reject });
    });
  }

  /** Everything up to here is applied. */
  reached(index: number): void {
    const waiters = this.#waiters;
    if (waiters.length === 0) return;
    this.#waiters = waiters.filter((waiter) => waiter.index > index);
    for (const waiter of waiters) if (waiter.index <= index) waiter.resolve();
  }

  /** It will not be known here what becomes of it. */
  fail(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }
}
