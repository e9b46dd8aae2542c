import type { Timers } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import { type Entry, entryBytes, type SnapshotMeta } from '../raft/entry.ts';

/** As much as is applied in one turn of the event loop: some milliseconds. */
const TURN_ENTRIES = 500;
const TURN_BYTES = 1024 * 1024;

/** What entries are applied to. */
interface Target {
  apply(entries: readonly Entry[]): void;
  restore(snapshot: SnapshotMeta, records: readonly Uint8Array[]): void;
}

interface Listener {
  /** Everything up to here is applied. */
  onApplied(index: number): void;
  /** The target threw: nothing more is applied. */
  onError(error: unknown): void;
}

type Work =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[]; from: number }
  | {
      readonly kind: 'restore';
      readonly snapshot: SnapshotMeta;
      readonly records: readonly Uint8Array[];
    };

/** Hands entries to the state machine in order; when they are many, some at a time with turns for others between. */
export class ApplyQueue {
  readonly #timers: Timers;
  readonly #target: Target;
  readonly #listener: Listener;
  #work: Work[] = [];
  #isBusy = false;
  #appliedIndex: number;

  constructor(appliedIndex: number, timers: Timers, target: Target, listener: Listener) {
    this.#appliedIndex = appliedIndex;
    this.#timers = timers;
    this.#target = target;
    this.#listener = listener;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  add(entries: readonly Entry[]): void {
    this.#work.push({ kind: 'entries', entries, from: 0 });
    this.#begin();
  }

  restore(snapshot: SnapshotMeta, records: readonly Uint8Array[]): void {
    this.#work.push({ kind: 'restore', snapshot, records });
    this.#begin();
  }

  stop(): void {
    this.#work = [];
  }

  #begin(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#turn();
  }

  #turn(): void {
    try {
      let [entriesLeft, bytesLeft] = [TURN_ENTRIES, TURN_BYTES];
      for (let work = this.#work[0]; work !== undefined; work = this.#work[0]) {
        if (entriesLeft <= 0 || bytesLeft <= 0) {
          this.#timers.nextTurn(() => this.#turn());
          return;
        }
        if (work.kind === 'restore') {
          this.#work.shift();
          this.#target.restore(work.snapshot, work.records);
          this.#reached(work.snapshot.last.index);
          entriesLeft = 0;
          continue;
        }
        const entries = sliceOf(work, entriesLeft, bytesLeft);
        work.from += entries.length;
        if (work.from === work.entries.length) this.#work.shift();
        entriesLeft -= entries.length;
        bytesLeft -= bytesOf(entries);
        assert(entries[0]!.index === this.#appliedIndex + 1, 'entries are applied without a gap');
        this.#target.apply(entries);
        this.#reached(entries.at(-1)!.index);
      }
      this.#isBusy = false;
    } catch (error) {
      this.#work = [];
      this.#isBusy = false;
      this.#listener.onError(error);
    }
  }

  #reached(index: number): void {
    this.#appliedIndex = index;
    this.#listener.onApplied(index);
  }
}

/** At least one entry. */
function sliceOf(
  { entries, from }: Extract<Work, { kind: 'entries' }>,
  countMax: number,
  bytesMax: number,
): readonly Entry[] {
  let end = from;
  for (let bytes = 0; end < entries.length && end - from < countMax && bytes < bytesMax; end++) {
    bytes += entryBytes(entries[end]!);
  }
  return from === 0 && end === entries.length ? entries : entries.slice(from, end);
}

const bytesOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
