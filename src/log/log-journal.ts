import type { TopicPartition } from '../model/ids.ts';
import type { JournalUser } from './commit-journal.ts';
import { type LogDisk, mayJournal } from './log-disk.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';

/** Commits what is queued of a log by the journal that all logs of the directory share. */
export class LogJournal {
  readonly #owner: JournalUser;
  readonly #partition: number;
  readonly #journal: LogShared['journal'];
  readonly #state: LogState;
  readonly #disk: LogDisk;

  constructor(
    owner: JournalUser & { readonly topicPartition: TopicPartition },
    shared: LogShared,
    state: LogState,
    disk: LogDisk,
  ) {
    this.#owner = owner;
    this.#partition = owner.topicPartition.partition;
    this.#journal = shared.journal;
    this.#state = state;
    this.#disk = disk;
  }

  /** Whether what is queued now may be committed here. */
  // Hot path: asked of each log for each cycle when many are written to.
  get mayCommit(): boolean {
    const { segments, active } = this.#state;
    if (active === undefined || !this.#journal.hasRoom || !mayJournal(active)) return false;
    // Only the active segment waits to be written.
    return segments.length === 1 || segments[segments.length - 2]!.isFinished;
  }

  /** Resolves when what is queued now is durable. Called in the lane of the log, if `mayCommit`. */
  commit(): Promise<void> {
    const { active } = this.#state;
    return this.#journal.append(this.#owner, this.#disk.takeForJournal(active!, this.#partition));
  }

  /** What the journal holds of this log counts no more: it is durable in the files. */
  async void(): Promise<void> {
    if (!this.#journal.holds(this.#owner)) return;
    await this.#journal.append(this.#owner, this.#disk.journalVoid(this.#partition));
  }
}
