import { type ProducerId, producerId } from '../model/ids.ts';

/** How many ids the controller is asked for at a time. */
const BLOCK = 1000;

/**
 * Hands out producer ids from blocks of the controller. What is left of a block is lost when the
 * broker ends: an id is never handed out twice.
 */
export class ProducerIds {
  readonly #allocate: (count: number) => Promise<ProducerId>;
  #next = 0;
  #end = 0;
  /** The request for the next block that is under way, shared by all who need it. */
  #refill: Promise<void> | null = null;

  constructor(allocate: (count: number) => Promise<ProducerId>) {
    this.#allocate = allocate;
  }

  async next(): Promise<ProducerId> {
    // More than a block of callers may have waited for one block, hence the loop.
    while (this.#next === this.#end) {
      this.#refill ??= this.#allocate(BLOCK)
        .then((first) => {
          this.#next = first;
          this.#end = first + BLOCK;
        })
        .finally(() => {
          this.#refill = null;
        });
      await this.#refill;
    }
    return producerId(this.#next++);
  }
}
