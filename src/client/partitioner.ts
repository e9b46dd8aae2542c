import { partitionForKey } from '../codec/murmur2.ts';
import type { Random } from '../env/ports.ts';

/**
 * Picks the partition of a record that names none itself: a whole number from 0 to below
 * `partitionCount`. `key` is as it will be stored.
 */
export type Partitioner = (topic: string, key: Uint8Array | null, partitionCount: number) => number;

/**
 * Where the records of one topic go. With a key: the partition that every Kafka client picks for it
 * (murmur2). Without: all to one partition until its batch has left, then to another at random
 * (KIP-480), so that batches are as few and as full as they can be.
 */
export class StickyPartitioner {
  readonly #random: Random;
  /** -1 while the next record picks one. */
  #current = -1;
  #previous = -1;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @param hasLeader says of a partition whether it can be written to, as far as is known */
  pick(
    key: Uint8Array | null,
    partitionCount: number,
    hasLeader: (partition: number) => boolean,
  ): number {
    if (key !== null) return partitionForKey(key, partitionCount);
    if (this.#current < 0 || this.#current >= partitionCount) {
      this.#current = this.#another(partitionCount, hasLeader);
    }
    return this.#current;
  }

  /** A batch for `partition` takes no more records. */
  batchClosed(partition: number): void {
    if (this.#current !== partition) return;
    this.#previous = partition;
    this.#current = -1;
  }

  /** A partition at random, not the one before if there are others, with a leader if one has. */
  #another(partitionCount: number, hasLeader: (partition: number) => boolean): number {
    const before = this.#previous;
    const choices: number[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      if (partition !== before && hasLeader(partition)) choices.push(partition);
    }
    if (choices.length > 0) return choices[this.#random.uint32() % choices.length]!;
    const isAlone = before >= 0 && before < partitionCount && hasLeader(before);
    return isAlone ? before : this.#random.uint32() % partitionCount;
  }
}
