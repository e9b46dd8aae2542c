import type { StoreOperation } from '../../../src/env/ports.ts';
import { SortedBytes } from '../../../src/env/sorted-bytes.ts';
import type { Fate } from './fate.ts';

/** How many batches may be lost to a damaged log file. */
const MOST_RECENT = 32;

const LIKELIHOODS = [0, 0.5, 0.9, 1];

interface Pending {
  readonly operations: readonly StoreOperation[];
  /** Number of the log file that the batch was written to. */
  readonly logFile: number;
  isDurable: boolean;
}

/**
 * What the disk holds of one store, as LevelDB leaves it: every batch goes into a log file; a sync
 * covers the log file that is being written. When that is full a next one is begun without a sync,
 * once the content of the one before the full one has been written to durable tables.
 */
export class UnsyncedBatches {
  #base: SortedBytes = new SortedBytes();
  /** The last batches of the base, which are still in log files, and what was before them. */
  #recent: (readonly StoreOperation[])[] = [];
  #beforeRecent: SortedBytes = new SortedBytes();
  #batches: Pending[] = [];
  #logFile = 0;

  record(operations: readonly StoreOperation[]): void {
    this.#batches.push({ operations, logFile: this.#logFile, isDurable: false });
  }

  /** Makes durable what stands in the present log file. */
  sync(): void {
    this.#settle((logFile) => logFile === this.#logFile);
  }

  beginLogFile(): void {
    this.#settle((logFile) => logFile < this.#logFile);
    this.#logFile++;
  }

  /** How many batches a power cut may take. */
  get pendingCount(): number {
    return this.#batches.filter(({ isDurable }) => !isDurable).length;
  }

  /** What is found if the store is opened now: all that was written, also by a batch that failed. */
  content(): SortedBytes {
    const content = this.#base.clone();
    for (const { operations } of this.#batches) content.apply(operations);
    return content;
  }

  clone(): UnsyncedBatches {
    const copy = new UnsyncedBatches();
    copy.#base = this.#base.clone();
    copy.#recent = [...this.#recent];
    copy.#beforeRecent = this.#beforeRecent.clone();
    copy.#batches = this.#batches.map((batch) => ({ ...batch }));
    copy.#logFile = this.#logFile;
    return copy;
  }

  /**
   * What a power cut leaves: of each log file any number of unsynced batches, from the first, and
   * perhaps some after a hole. LevelDB passes over what is damaged up to the end of a block of the
   * log file, and believes the next one.
   */
  cut(fate: Fate): SortedBytes {
    fate.begin(LIKELIHOODS);
    const endedLogFiles = new Set<number>();
    for (const { operations, logFile, isDurable } of this.#batches) {
      if (!isDurable && endedLogFiles.has(logFile)) continue;
      if (isDurable || fate.arrives()) this.#fold(operations);
      else if (!fate.arrives()) endedLogFiles.add(logFile);
    }
    this.#batches = [];
    return this.#base.clone();
  }

  /** All of it is now something else: the store has rotted. */
  replace(content: SortedBytes): void {
    this.#base = content.clone();
    this.#beforeRecent = content.clone();
    this.#recent = [];
    this.#batches = [];
  }

  /** Some batches were never written, as it seems: `choose` says which of so many recent ones. */
  loseRecent(choose: (count: number) => { readonly from: number; readonly to: number }): void {
    for (const { operations } of this.#batches) this.#fold(operations);
    if (this.#recent.length === 0) return;
    const { from, to } = choose(this.#recent.length);
    const content = this.#beforeRecent.clone();
    this.#recent.forEach((operations, i) => {
      if (i < from || i >= to) content.apply(operations);
    });
    this.replace(content);
  }

  #settle(isCovered: (logFile: number) => boolean): void {
    for (const batch of this.#batches) batch.isDurable ||= isCovered(batch.logFile);
    const count = this.#batches.findIndex(({ isDurable }) => !isDurable);
    const durable = this.#batches.splice(0, count === -1 ? this.#batches.length : count);
    for (const { operations } of durable) this.#fold(operations);
  }

  #fold(operations: readonly StoreOperation[]): void {
    this.#base.apply(operations);
    this.#recent.push(operations);
    if (this.#recent.length > MOST_RECENT) this.#beforeRecent.apply(this.#recent.shift()!);
  }
}
