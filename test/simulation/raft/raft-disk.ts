import { leaderEpoch } from '../../../src/model/ids.ts';
import type { Persist } from '../../../src/raft/effects.ts';
import type { Entry, HardState, SnapshotMeta, StoredState } from '../../../src/raft/entry.ts';

/** A snapshot with the state that it stands for. */
export interface StoredSnapshot {
  readonly meta: SnapshotMeta;
  readonly content: Uint8Array;
}

/** What the batches of a node become: durable one after the other, or lost. */
export class RaftDisk {
  hardState: HardState = { epoch: leaderEpoch(0), votedFor: null };
  snapshot: StoredSnapshot | null = null;
  entries: Entry[] = [];
  /** Pieces of a snapshot that is not complete. */
  #pieces: Uint8Array[] = [];
  #pending: Persist[] = [];

  get pending(): readonly Persist[] {
    return this.#pending;
  }

  get stored(): StoredState {
    return {
      hardState: this.hardState,
      snapshot: this.snapshot?.meta ?? null,
      entries: [...this.entries],
    };
  }

  write(batch: Persist): void {
    this.#pending.push(batch);
  }

  /** Makes the oldest `count` batches durable; returns the sequence of the last of them. */
  sync(count: number): number {
    const done = this.#pending.splice(0, count);
    for (const batch of done) this.#store(batch);
    return done.at(-1)!.sequence;
  }

  /** The power is cut; the oldest `kept` batches had become durable, and nobody was told. */
  cutPower(kept: number): void {
    for (const batch of this.#pending.slice(0, kept)) this.#store(batch);
    this.#pending = [];
    this.#pieces = [];
  }

  /** A snapshot of this node itself, durable at once. */
  save(snapshot: StoredSnapshot): void {
    this.snapshot = snapshot;
  }

  forget(throughIndex: number): void {
    this.entries = this.entries.filter(({ index }) => index > throughIndex);
  }

  /** The entry at this place is durable, itself or in the snapshot. */
  has(index: number, epoch: number): boolean {
    const meta = this.snapshot?.meta;
    if (index === 0) return true;
    if (meta !== undefined && index < meta.last.index) return true;
    if (meta !== undefined && index === meta.last.index) return epoch === meta.last.epoch;
    return this.entries.some((entry) => entry.index === index && entry.epoch === epoch);
  }

  #store({ hardState, truncateFrom, entries, chunk }: Persist): void {
    if (hardState !== null) this.hardState = hardState;
    if (truncateFrom !== null) {
      this.entries = this.entries.filter(({ index }) => index < truncateFrom);
    }
    if (entries.length > 0) this.entries = [...this.entries, ...entries];
    if (chunk === null) return;
    if (chunk.offset === 0) this.#pieces = [];
    this.#pieces.push(chunk.bytes);
    if (!chunk.isLast) return;
    this.snapshot = { meta: chunk.snapshot, content: Buffer.concat(this.#pieces) };
    this.#pieces = [];
    this.entries = [];
  }
}
