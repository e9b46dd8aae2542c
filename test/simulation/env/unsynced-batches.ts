import type { StoreOperation } from '../../../src/env/ports.ts';
import { SortedBytes } from '../../../src/env/sorted-bytes.ts';
import type { SimulatedRandom } from './simulated-random.ts';

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

  /** Draws what a power cut leaves: of each log file any number of unsynced batches, from the first. */
  cut(random: SimulatedRandom): SortedBytes {
    const likelihood = random.pick([0, 0.5, 0.9, 1]);
    const endedLogFiles = new Set<number>();
    for (const { operations, logFile, isDurable } of this.#batches) {
      if (!isDurable && (endedLogFiles.has(logFile) || !random.chance(likelihood))) {
        endedLogFiles.add(logFile);
      } else {
        this.#base.apply(operations);
      }
    }
    this.#batches = [];
    return this.#base.clone();
  }

  #settle(isCovered: (logFile: number) => boolean): void {
    for (const batch of this.#batches) batch.isDurable ||= isCovered(batch.logFile);
    const count = this.#batches.findIndex(({ isDurable }) => !isDurable);
    const durable = this.#batches.splice(0, count === -1 ? this.#batches.length : count);
    for (const { operations } of durable) this.#base.apply(operations);
  }
}
