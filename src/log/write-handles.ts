import { SerialLane } from './serial-lane.ts';

/** Who keeps a file open for writing. */
export interface HandleHolder {
  /** Work on its files is under way, or waits for its turn. */
  readonly isBusy: boolean;
  /** Syncs what is unsynced and closes the file; it is opened again when it is written to. */
  letGo(): Promise<void>;
}

/**
 * The files of a data directory that are open for writing, one a log at most: beyond the limit the
 * least recently used are let go. Those at work are passed over, and may exceed it meanwhile.
 */
export class WriteHandles {
  readonly #limit: number;
  /** In order of use, least recent first. */
  readonly #holders = new Set<HandleHolder>();
  /** No longer counted, and to be let go in their turn. */
  readonly #leaving = new Set<HandleHolder>();
  /** One after another, as letting go may take an fsync, and the threads are for others. */
  readonly #lane = new SerialLane();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get openCount(): number {
    return this.#holders.size;
  }

  /** Called before a file is opened: waits until those are closed that it takes the place of. */
  async makeRoom(): Promise<void> {
    this.letGo(this.#holders.size + 1 - this.#limit);
    if (this.#lane.isBusy) await this.#lane.run(() => Promise.resolve());
  }

  /** The file of a holder was opened, or is used again. */
  // Hot path: once a flush cycle.
  used(holder: HandleHolder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
  }

  closed(holder: HandleHolder): void {
    this.#holders.delete(holder);
    this.#leaving.delete(holder);
  }

  /** Has so many files closed, without waiting for it; fewer if the others are at work. */
  letGo(count: number): void {
    let left = count;
    for (const holder of this.#holders) {
      if (left <= 0) return;
      if (holder.isBusy) continue;
      left--;
      this.#holders.delete(holder);
      this.#leaving.add(holder);
      void this.#lane.run(() => this.#letGoOne(holder));
    }
  }

  async #letGoOne(holder: HandleHolder): Promise<void> {
    // It may have closed its file itself meanwhile, for good or to open the next.
    if (!this.#leaving.delete(holder)) return;
    // Never behind its other work, which may itself be waiting until a handle is free.
    if (holder.isBusy) this.#holders.add(holder);
    else await holder.letGo();
  }
}
