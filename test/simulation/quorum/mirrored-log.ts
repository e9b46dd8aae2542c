import type { LoadedMetadata } from '../../../src/quorum/metadata-store.ts';
import type { StorageBatch } from '../../../src/quorum/raft-storage.ts';
import type { Member } from '../../../src/raft/configuration.ts';

/**
 * What the disk of a node holds for certain, as its storage has said. Of entries that a snapshot stands
 * for nothing is known but that they are there.
 */
export class MirroredLog {
  epoch = 0;
  votedFor: Member | null = null;
  baseIndex = 0;
  lastIndex = 0;
  readonly #epochs = new Map<number, number>([[0, 0]]);

  /** A process has found this. */
  load({ hardState, snapshot, entries }: LoadedMetadata): void {
    this.epoch = hardState.epoch;
    this.votedFor = hardState.votedFor;
    this.#begin(snapshot?.last.index ?? 0, snapshot?.last.epoch ?? 0);
    for (const { index, epoch } of entries) this.#epochs.set(index, epoch);
    this.lastIndex = hardState.last.index;
  }

  /** This has become durable. */
  write({ hardState, truncateFrom, entries, snapshot }: StorageBatch): void {
    if (hardState !== null) {
      this.epoch = hardState.epoch;
      this.votedFor = hardState.votedFor;
    }
    if (snapshot !== null) this.#begin(snapshot.meta.last.index, snapshot.meta.last.epoch);
    if (truncateFrom !== null) {
      for (let at = truncateFrom; at <= this.lastIndex; at++) this.#epochs.delete(at);
      this.lastIndex = truncateFrom - 1;
    }
    for (const { index, epoch } of entries) this.#epochs.set(index, epoch);
    this.lastIndex = entries.at(-1)?.index ?? this.lastIndex;
  }

  /** `undefined` for what is not there, or in a snapshot. */
  epochAt(index: number): number | undefined {
    return this.#epochs.get(index);
  }

  has(index: number, epoch: number): boolean {
    return index < this.baseIndex || this.#epochs.get(index) === epoch;
  }

  #begin(index: number, epoch: number): void {
    this.#epochs.clear();
    this.#epochs.set(index, epoch);
    this.baseIndex = index;
    this.lastIndex = index;
  }
}
