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
    return this.#journal.hasRoom && this.#isTailOnly;
  }

  /**
   * Makes durable what is queued now and returns how many bytes that are; `null` if it must go into the
   * files. Called in the lane of the log. Does not ask for room again: a thousand logs that were told
   * to commit here must not all write their files at once.
   */
  async commit(): Promise<number | null> {
    if (!this.#isTailOnly) return null;
    const entry = this.#disk.takeForJournal(this.#state.active!, this.#partition);
    await this.#journal.append(this.#owner, entry);
    return entry.bytes;
  }

  /** Brings what is only in the journal into the files, so that it can leave the memory. */
  settle(): void {
    const { active } = this.#state;
    if (active === undefined || active.journaledBytes === 0) return;
    this.#owner.settleJournal().catch(() => {
      // The directory is out of service, and its owner has been told.
    });
  }

  /** Whether only the active segment waits to be written, and it may be in the journal alone. */
  get #isTailOnly(): boolean {
    const { segments, active } = this.#state;
    if (active === undefined || !mayJournal(active)) return false;
    return segments.length === 1 || segments[segments.length - 2]!.isFinished;
  }

  /** What the journal holds of this log counts no more: it is durable in the files. */
  async void(): Promise<void> {
    if (!this.#journal.holds(this.#owner)) return;
    await this.#journal.append(this.#owner, this.#disk.journalVoid(this.#partition));
  }
}
