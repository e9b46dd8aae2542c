import { totalLength } from '../codec/pieces.ts';
import type { TopicId, TopicPartition } from '../model/ids.ts';
import type { JournalUser } from './commit-journal.ts';
import type { JournalKey, JournalWrite } from './journal-format.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';

/** A log that has so much in the journal alone writes it to its files: it is held in memory until then. */
const JOURNALED_BYTES_MAX = 256 * 1024;

/** Commits what is queued of a log by the journal that all logs of the directory share. */
export class LogJournal {
  readonly #owner: JournalUser;
  readonly #key: JournalKey;
  readonly #journal: LogShared['journal'];
  readonly #state: LogState;

  constructor(
    owner: JournalUser & { readonly topicId: TopicId; readonly topicPartition: TopicPartition },
    shared: LogShared,
    state: LogState,
  ) {
    this.#owner = owner;
    this.#key = { topicId: owner.topicId, partition: owner.topicPartition.partition };
    this.#journal = shared.journal;
    this.#state = state;
  }

  /** Whether what is queued now may be committed here. */
  // Hot path: asked of each log for each cycle when many are written to.
  get mayCommit(): boolean {
    return this.#journal.hasRoom && this.#tail !== undefined;
  }

  /**
   * Makes durable what is queued now and returns how many bytes that are; `null` if it must go into the
   * files. Called in the lane of the log. Does not ask for room again: a thousand logs that were told
   * to commit here must not all write their files at once.
   */
  async commit(): Promise<number | null> {
    const tail = this.#tail;
    if (tail === undefined) return null;
    const entry = this.#take(tail);
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

  /** What the journal holds of this log counts no more: it is durable in the files. */
  async void(): Promise<void> {
    if (!this.#journal.holds(this.#owner)) return;
    await this.#journal.append(this.#owner, { kind: 'void', ...this.#key });
  }

  /** The active segment, if nothing else waits to be written and its tail may be in the journal alone. */
  get #tail(): Segment | undefined {
    const { segments, active } = this.#state;
    if (active === undefined || !mayJournal(active)) return undefined;
    const isAlone = segments.length === 1 || segments[segments.length - 2]!.isFinished;
    return isAlone ? active : undefined;
  }

  /** What is queued and not in the journal yet: it counts as journaled from now on. */
  #take(tail: Segment): JournalWrite {
    const chunks = tail.queue.slice(tail.journaledChunks);
    const bytes = totalLength(chunks);
    const position = tail.writtenBytes + tail.journaledBytes;
    tail.journaledChunks = tail.queue.length;
    tail.journaledBytes += bytes;
    const { baseOffset: segmentBase } = tail;
    return { kind: 'write', ...this.#key, segmentBase, position, chunks, bytes };
  }
}

/**
 * Whether what is queued for an active segment may stand in the journal alone for a while: the file is
 * there for good, and durable up to where the entry begins.
 */
const mayJournal = (active: Segment): boolean =>
  active.isNamed &&
  active.syncedBytes === active.writtenBytes &&
  active.queue.length > active.journaledChunks &&
  active.sizeInBytes - active.writtenBytes <= JOURNALED_BYTES_MAX;
