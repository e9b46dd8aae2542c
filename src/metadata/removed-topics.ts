import type { TopicId } from '../model/ids.ts';
import { PersistentMap } from './persistent-map.ts';

/** How many removed topics are remembered; the oldest is forgotten first. */
export const REMOVED_TOPICS_LIMIT = 10_000;

/**
 * The ids of topics that were removed, oldest first; immutable.
 *
 * A folder of a removed topic may be deleted, one of an unknown topic only set aside: what is not
 * known may be metadata that this node has lost (K6 of the reliability rules). So forgetting is
 * safe: it keeps a folder too long, and never deletes one too early.
 */
export class RemovedTopics implements Iterable<TopicId> {
  readonly #numbers: PersistentMap<TopicId, number>;
  /** By number in order of removal, without gaps up to `#next`. */
  readonly #ids: PersistentMap<number, TopicId>;
  readonly #next: number;

  /** None; the arguments are for this class itself. */
  constructor(
    numbers: PersistentMap<TopicId, number> = new PersistentMap(),
    ids: PersistentMap<number, TopicId> = new PersistentMap(),
    next = 0,
  ) {
    this.#numbers = numbers;
    this.#ids = ids;
    this.#next = next;
  }

  get size(): number {
    return this.#ids.size;
  }

  has(id: TopicId): boolean {
    return this.#numbers.has(id);
  }

  add(id: TopicId): RemovedTopics {
    if (this.has(id)) return this;
    let numbers = this.#numbers.set(id, this.#next);
    let ids = this.#ids.set(this.#next, id);
    if (ids.size > REMOVED_TOPICS_LIMIT) {
      const oldest = this.#next - REMOVED_TOPICS_LIMIT;
      numbers = numbers.delete(ids.get(oldest)!);
      ids = ids.delete(oldest);
    }
    return new RemovedTopics(numbers, ids, this.#next + 1);
  }

  *[Symbol.iterator](): Iterator<TopicId> {
    for (let number = this.#next - this.size; number < this.#next; number++) {
      yield this.#ids.get(number)!;
    }
  }
}
