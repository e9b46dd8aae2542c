import { assert } from '../model/assert.ts';
import { type LeaderEpoch, leaderEpoch } from '../model/ids.ts';
import { type Configuration, NO_CONFIGURATION } from './configuration.ts';
import { type Entry, entryBytes, type Position, type SnapshotMeta } from './entry.ts';

const START: Position = { index: 0, epoch: leaderEpoch(0) };

/** The members from an entry on. */
interface ConfigurationAt {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * The log behind what compaction has dropped, in memory, durable or not. A configuration counts from
 * the moment its entry is in the log, and no longer when it is cut off (thesis 4.1).
 */
export class RaftLog {
  /** What comes right before the first entry. Committed. */
  #base: Position;
  /** Without a gap from `#base.index + 1` on; epochs do not fall. */
  #entries: Entry[] = [];
  /** By index; the first is the one in force at `#base`. */
  #configurations: ConfigurationAt[];
  /** The newest; `#base.index <= #snapshot.last.index`. */
  #snapshot: SnapshotMeta | null;

  constructor(snapshot: SnapshotMeta | null, entries: readonly Entry[]) {
    this.#snapshot = snapshot;
    this.#base = snapshot?.last ?? START;
    this.#configurations = [configurationOf(snapshot)];
    this.append(entries.filter(({ index }) => index > this.#base.index));
  }

  /** The newest snapshot: what a follower is sent that needs entries that are gone. */
  get snapshot(): SnapshotMeta | null {
    return this.#snapshot;
  }

  get base(): Position {
    return this.#base;
  }

  get last(): Position {
    return this.#entries.at(-1) ?? this.#base;
  }

  /** The members, as of the end of the log. */
  get configuration(): Configuration {
    return this.#configurations.at(-1)!.configuration;
  }

  /** Where `configuration` stands. */
  get configurationIndex(): number {
    return this.#configurations.at(-1)!.index;
  }

  /** The members before the newest change that is still in the log. */
  get previousConfiguration(): Configuration {
    return (this.#configurations.at(-2) ?? this.#configurations[0]!).configuration;
  }

  /** The epoch of an entry; `undefined` if it is not there. */
  epochAt(index: number): LeaderEpoch | undefined {
    if (index === this.#base.index) return this.#base.epoch;
    return this.#entries[index - this.#base.index - 1]?.epoch;
  }

  /** True if this very entry is in the log, or was the last that was dropped. */
  has({ index, epoch }: Position): boolean {
    return this.epochAt(index) === epoch;
  }

  /** The vote goes to nobody whose log ends before this one (paper 5.4.1). */
  isCoveredBy({ index, epoch }: Position): boolean {
    const last = this.last;
    return epoch > last.epoch || (epoch === last.epoch && index >= last.index);
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const last = this.last;
      assert(entry.index === last.index + 1, 'a log has no gap');
      assert(entry.epoch >= last.epoch, 'epochs in a log do not fall');
      this.#entries.push(entry);
      if (entry.kind === 'configuration') this.#configurations.push(entry);
    }
  }

  /** Cuts this entry off and all behind it, and takes back what they changed of the members. */
  truncateFrom(index: number): void {
    assert(index > this.#base.index && index <= this.last.index, 'what is cut off is in the log');
    this.#entries.length = index - this.#base.index - 1;
    this.#configurations = this.#configurations.filter(
      (change, at) => at === 0 || change.index < index,
    );
  }

  /** Entries from `from` on, at most `bytesMax` of them, but one at least if there is one. */
  slice(from: number, bytesMax: number): Entry[] {
    assert(from > this.#base.index, 'entries are read that were not dropped');
    const start = from - this.#base.index - 1;
    let end = start;
    for (let bytes = 0; end < this.#entries.length; end++) {
      bytes += entryBytes(this.#entries[end]!);
      if (bytes > bytesMax && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  /** Entries from `from` to `through`, both inclusive. */
  range(from: number, through: number): readonly Entry[] {
    assert(
      from > this.#base.index && through <= this.last.index,
      'entries are read that are there',
    );
    return this.#entries.slice(from - this.#base.index - 1, through - this.#base.index);
  }

  /**
   * The last place at or before `limit` whose epoch is not newer: a log with that epoch at that index
   * may agree up to there, and nowhere later. Passes over whole epochs at a time (paper 5.3, end).
   */
  lastAtMost(limit: Position): Position {
    let index = Math.min(limit.index, this.last.index);
    while (index > this.#base.index && this.epochAt(index)! > limit.epoch) index--;
    return { index, epoch: this.epochAt(index) ?? START.epoch };
  }

  /** What a snapshot of everything up to an entry is; `null` if the entry is gone. */
  describeSnapshot(index: number): SnapshotMeta | null {
    const epoch = this.epochAt(index);
    if (epoch === undefined) return null;
    const inForce = this.#configurations.findLast((change) => change.index <= index);
    const { configuration, index: configurationIndex } = inForce ?? this.#configurations[0]!;
    return { last: { index, epoch }, configuration, configurationIndex };
  }

  /** A snapshot was made; entries before the last `kept` of it are dropped. True if some were. */
  compact(snapshot: SnapshotMeta, kept: number): boolean {
    // One from the leader has come meanwhile, which stands for more.
    if (snapshot.last.index < (this.#snapshot?.last.index ?? 0)) return false;
    assert(this.has(snapshot.last), 'a snapshot is taken of what is in the log');
    this.#snapshot = snapshot;
    const through = snapshot.last.index - kept;
    if (through <= this.#base.index) return false;
    const first = this.describeSnapshot(through);
    assert(first !== null, 'what is dropped is in the log');
    this.#entries = this.#entries.slice(through - this.#base.index);
    this.#base = first.last;
    this.#configurations = [
      configurationOf(first),
      ...this.#configurations.filter(({ index }) => index > through),
    ];
    return true;
  }

  /** A snapshot from elsewhere takes the place of all. */
  restore(snapshot: SnapshotMeta): void {
    assert(!this.has(snapshot.last), 'a log that has the last entry of a snapshot is kept');
    this.#snapshot = snapshot;
    this.#base = snapshot.last;
    this.#entries = [];
    this.#configurations = [configurationOf(snapshot)];
  }

  /** The first of these entries that this log does not have; they follow an entry that it has. */
  firstMissing(entries: readonly Entry[]): number {
    return entries.findIndex((entry) => !this.has(entry));
  }
}

const configurationOf = (snapshot: SnapshotMeta | null): ConfigurationAt => ({
  index: snapshot?.configurationIndex ?? 0,
  configuration: snapshot?.configuration ?? NO_CONFIGURATION,
});
