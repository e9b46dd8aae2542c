import type { Entry, HardState } from '../raft/entry.ts';
import type { CompleteSnapshot, StorageBatch } from './raft-storage.ts';

/** A batch that Raft asked for and that is not on the disk. */
export interface WaitingWrite {
  readonly sequence: number;
  readonly hardState: HardState | null;
  readonly truncateFrom: number | null;
  readonly entries: readonly Entry[];
  readonly snapshot: CompleteSnapshot | null;
}

/** Writes that become durable at once. */
export interface WriteGroup {
  /** How many of the waiting ones they are. */
  readonly count: number;
  /** `null` if there is nothing to write: pieces of a snapshot wait for its last one. */
  readonly batch: StorageBatch | null;
}

/**
 * The oldest of the waiting writes as one batch: all up to the first that puts a snapshot in the place of
 * the log, which goes alone. What one of them wrote and a later one cuts off is not written at all.
 */
export function groupWrites(waiting: readonly WaitingWrite[]): WriteGroup {
  const snapshotAt = waiting.findIndex(({ snapshot }) => snapshot !== null);
  const count = snapshotAt < 0 ? waiting.length : Math.max(1, snapshotAt);
  const entries: Entry[] = [];
  let hardState: HardState | null = null;
  let truncateFrom: number | null = null;
  for (const write of waiting.slice(0, count)) {
    hardState = write.hardState ?? hardState;
    const from = write.truncateFrom;
    if (from !== null) {
      // What is cut off is in this group, or also on the disk.
      if (from < (entries[0]?.index ?? Infinity))
        truncateFrom = Math.min(from, truncateFrom ?? from);
      while ((entries.at(-1)?.index ?? -1) >= from) entries.pop();
    }
    for (const entry of write.entries) entries.push(entry);
  }
  const snapshot = waiting[0]?.snapshot ?? null;
  const isEmpty =
    hardState === null && truncateFrom === null && entries.length === 0 && snapshot === null;
  return { count, batch: isEmpty ? null : { hardState, truncateFrom, entries, snapshot } };
}
