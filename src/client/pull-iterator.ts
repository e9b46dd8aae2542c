/** Where an iterator gets its items from. */
export interface Puller<T> {
  /**
   * The next item if it is here; `undefined` if none is, and a promise of either if it takes time to
   * make. May throw, which ends the iteration.
   */
  pull(): T | undefined | Promise<T | undefined>;
  /** Waits until `pull` may have one; false at the end. */
  wait(): Promise<boolean>;
  /** The iteration is over, however it ended. */
  end(): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Iterates over what a puller gives, without waiting while it has items at hand. */
export class PullIterator<T> implements AsyncIterator<T, undefined> {
  readonly #puller: Puller<T>;
  /** The last call of `next` that is under way: later ones come after it. */
  #pending: Promise<unknown> | undefined;
  #isDone = false;

  constructor(puller: Puller<T>) {
    this.#puller = puller;
  }

  // Hot path: one promise an item.
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#pending !== undefined) return this.#inTurn(this.#pending, undefined);
    if (this.#isDone) return Promise.resolve(DONE);
    try {
      const item = this.#puller.pull();
      if (item === undefined) return this.#inTurn(undefined, undefined);
      if (isPromise(item)) return this.#inTurn(undefined, item);
      return Promise.resolve({ done: false, value: item });
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
  }

  /** The loop was left. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    return DONE;
  }

  #inTurn(
    before: Promise<unknown> | undefined,
    first: Promise<T | undefined> | undefined,
  ): Promise<IteratorResult<T, undefined>> {
    const result = this.#nextLater(before, first);
    const over = (): void => {
      if (this.#pending === settled) this.#pending = undefined;
    };
    const settled: Promise<void> = result.then(over, over);
    this.#pending = settled;
    return result;
  }

  async #nextLater(
    before: Promise<unknown> | undefined,
    first: Promise<T | undefined> | undefined,
  ): Promise<IteratorResult<T, undefined>> {
    await before;
    try {
      let item = await first;
      while (item === undefined && !this.#isDone) {
        item = await this.#puller.pull();
        // While it was waited for, the loop may have been left.
        if (item === undefined && !this.#isDone && !(await this.#puller.wait())) this.#end();
      }
      return item === undefined || this.#isDone ? DONE : { done: false, value: item };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#puller.end();
  }
}

const isPromise = <T>(item: T | Promise<T | undefined>): item is Promise<T | undefined> =>
  item instanceof Promise;
