/**
 * Runs asynchronous work one piece after another, in the order it was given. A piece that fails
 * does not stop those behind it.
 */
export class SerialLane {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Something is under way, or waits for its turn. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const done = this.#last.then(work, work);
    const settled = (): void => {
      this.#pending--;
    };
    this.#last = done.then(settled, settled);
    return done;
  }
}

/** Runs `work` for every item, at most `limit` at a time. Rejects with the first failure. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/** The results of `work` for every item, in order, at most `limit` at a time. */
export async function mapLimited<In, Out>(
  items: readonly In[],
  limit: number,
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  await forEachLimited(items.entries(), limit, async ([at, item]) => {
    results[at] = await work(item);
  });
  return results;
}
