/** Where a record is: as its acknowledgement says, or as a consumer finds it. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** The records of a run, numbered per key from 0; how many were sent and acknowledged, and where they are. */
export class Ledger {
  readonly #sent: Uint32Array;
  readonly #acknowledged: Uint32Array;
  readonly #places = new PlaceSum();
  #total = 0;

  constructor(keys: number) {
    this.#sent = new Uint32Array(keys);
    this.#acknowledged = new Uint32Array(keys);
  }

  /** How many records are acknowledged. */
  get total(): number {
    return this.#total;
  }

  get places(): number {
    return this.#places.value;
  }

  /** The number of the next record with this key. */
  send(key: number): number {
    return this.#sent[key]!++;
  }

  acknowledge(key: number, number: number, place: Place): void {
    this.#acknowledged[key]!++;
    this.#places.add(key, number, place);
    this.#total++;
  }

  acknowledgedOf(key: number): number {
    return this.#acknowledged[key]!;
  }
}

/** What is wrong in what a consumer read; all zero if nothing is. */
export interface Verdict {
  /** Acknowledged and not read. */
  readonly lost: number;
  /** Read more than once. */
  readonly duplicated: number;
  /** Read after a later record with the same key, or in another partition than others with it. */
  readonly reordered: number;
  /** 1 if some record was read elsewhere than its acknowledgement said. */
  readonly misplaced: number;
}

/** What one consumer has read, held against the ledger. */
export class Reading {
  /** The number that each key is to have next. */
  readonly #next: Uint32Array;
  /** Numbers that were skipped, by key, and have not come since. */
  readonly #skipped: (Set<number> | undefined)[] = [];
  readonly #partitions: Int32Array;
  readonly #places = new PlaceSum();
  #total = 0;
  #duplicated = 0;
  #reordered = 0;

  constructor(keys: number) {
    this.#next = new Uint32Array(keys);
    this.#partitions = new Int32Array(keys).fill(-1);
  }

  /** How many records were read. */
  get total(): number {
    return this.#total;
  }

  read(key: number, number: number, place: Place): void {
    this.#total++;
    this.#places.add(key, number, place);
    const home = this.#partitions[key]!;
    if (home < 0) this.#partitions[key] = place.partition;
    else if (home !== place.partition) this.#reordered++;
    const next = this.#next[key]!;
    if (number < next) {
      if (this.#skipped[key]?.delete(number)) this.#reordered++;
      else this.#duplicated++;
      return;
    }
    for (let skipped = next; skipped < number; skipped++) {
      this.#skipped[key] ??= new Set();
      this.#skipped[key].add(skipped);
    }
    this.#next[key] = number + 1;
  }

  /** To be asked when all that was sent is acknowledged. */
  verdict(ledger: Ledger): Verdict {
    let lost = 0;
    for (let key = 0; key < this.#next.length; key++) {
      lost += Math.max(0, ledger.acknowledgedOf(key) - this.#next[key]!);
      lost += this.#skipped[key]?.size ?? 0;
    }
    const misplaced = lost === 0 && this.#places.value !== ledger.places ? 1 : 0;
    return { lost, duplicated: this.#duplicated, reordered: this.#reordered, misplaced };
  }
}

/** A sum over records and their places, the same in whatever order they come: memory for one number. */
class PlaceSum {
  #sum = 0;

  get value(): number {
    return this.#sum;
  }

  add(key: number, number: number, { partition, offset }: Place): void {
    let hash = Math.imul(key + 1, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae3d) ^ Math.imul(partition + 1, 0x27d4_eb2f);
    hash = Math.imul(hash ^ (hash >>> 13), 0x1656_67b1) ^ Math.imul(offset + 1, 0x9e37_79b1);
    this.#sum = (this.#sum + (hash ^ (hash >>> 16))) >>> 0;
  }
}
