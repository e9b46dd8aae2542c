import { ByteWriter } from '../codec/writer.ts';
import type { File, FileSystem, Timers } from '../env/ports.ts';
import type { DiskHealth } from './disk-health.ts';
import { journalFile } from './file-names.ts';
import {
  chainOfHeader,
  encodeFrame,
  encodeJournalHeader,
  entryBytes,
  type JournalEntry,
  type JournalPoint,
} from './journal-format.ts';
import { forEachLimited } from './serial-lane.ts';

/** A log whose bytes may stand in the journal before they stand in its files. */
export interface JournalUser {
  /** Brings what is only in the journal into the files of the log, for good. */
  settleJournal(): Promise<void>;
}

export interface CommitJournalSettings {
  readonly directory: string;
  /** Bytes of both parts together. */
  readonly maxBytes: number;
  /** A commit that takes longer is reported, in ms. */
  readonly stallMs: number;
}

export interface JournalEvents {
  /** A commit is done: `point` has moved. */
  onCommit(): void;
  onStall(stalledMs: number): void;
}

/** What goes into the next frame, and who waits for it. */
interface Round {
  readonly entries: JournalEntry[];
  readonly owners: Set<JournalUser>;
  bytes: number;
  readonly done: Promise<void>;
}

interface Part {
  readonly number: number;
  readonly path: string;
  readonly file: File;
  readonly owners: Set<JournalUser>;
  position: number;
  chain: number;
}

/** Memory of a frame. Logs put small pieces in, so that it is seldom exceeded by much. */
const FRAME_BYTES = 4 * 1024 * 1024;
/** Logs that are settled at a time: their fsyncs compete with those of the journal. */
const SETTLED_AT_A_TIME = 2;

/**
 * Commits small writes of many logs with one write and one fsync (DESIGN 4b rule 8): an fsync for each
 * of a thousand files takes the disk many times as long. What is committed here reaches the files of
 * the logs later, in larger pieces.
 *
 * There are two parts at most. When one is full the next begins, and the logs that stand in the full one
 * are settled: their files are written and fsynced. Then it is removed. While that is not done and the
 * second is full, too, there is no room, and logs write their files at once.
 */
export class CommitJournal {
  readonly #settings: CommitJournalSettings;
  readonly #files: FileSystem;
  readonly #timers: Timers;
  readonly #health: DiskHealth;
  readonly #events: JournalEvents;
  #nextNumber = 1;
  /** Takes frames. */
  #part: Part | null = null;
  /** Is full. */
  #settling: Part | null = null;
  #drained: Promise<void> = Promise.resolve();
  /** Wait to be written, in order; the last one takes more. */
  readonly #rounds: Round[] = [];
  #waitingBytes = 0;
  #running: Promise<void> = Promise.resolve();
  readonly #frame = new ByteWriter();

  constructor(
    settings: CommitJournalSettings,
    ports: { readonly files: FileSystem; readonly timers: Timers },
    health: DiskHealth,
    events: JournalEvents,
  ) {
    this.#settings = settings;
    this.#files = ports.files;
    this.#timers = ports.timers;
    this.#health = health;
    this.#events = events;
  }

  /** False if logs should write their files instead. */
  get hasRoom(): boolean {
    const position = this.#part?.position ?? 0;
    return this.#settling === null || position + this.#waitingBytes < this.#partBytes;
  }

  /** Up to where it is durable. */
  get point(): JournalPoint {
    // A part without a frame is not there: not even its header is durable.
    const newest = [this.#part, this.#settling].find(
      (part) => part !== null && part.owners.size > 0,
    );
    if (newest == null) return { part: this.#nextNumber - 1, position: 0 };
    return { part: newest.number, position: newest.position };
  }

  /** Parts begin with this number: none that ever was has it. */
  begin(number: number): void {
    this.#nextNumber = number;
  }

  /** Resolves when the entry is durable. Its bytes must not change before. */
  // Hot path: once a log and commit.
  append(owner: JournalUser, entry: JournalEntry): Promise<void> {
    const open = this.#rounds.at(-1);
    const round = open === undefined || open.bytes >= FRAME_BYTES ? this.#newRound() : open;
    const bytes = entryBytes(entry);
    round.entries.push(entry);
    round.owners.add(owner);
    round.bytes += bytes;
    this.#waitingBytes += bytes;
    return round.done;
  }

  /** Whether a part that is there has entries of this log. */
  holds(owner: JournalUser): boolean {
    return [this.#part, this.#settling].some((part) => part?.owners.has(owner) === true);
  }

  /**
   * Removes all parts, at a clean stop: the files of the logs hold everything, and the marks say so.
   */
  async clear(): Promise<void> {
    await this.#drained;
    if (this.#part === null) return;
    const part = this.#part;
    this.#part = null;
    await this.#health.guard(() => this.#remove(part));
  }

  /** Lets go of the files, without writing; waits for what is under way. */
  async abandon(): Promise<void> {
    await this.#running.catch(() => {});
    await this.#drained;
    await this.#part?.file.close();
    await this.#settling?.file.close();
  }

  get #partBytes(): number {
    return this.#settings.maxBytes / 2;
  }

  #newRound(): Round {
    // Not at once: what else is committed in this turn, or while the frame before is written, goes along.
    const done = this.#running
      .then(() => new Promise<void>((resolve) => this.#timers.nextTurn(resolve)))
      .then(() => this.#health.guard(() => this.#watched()));
    this.#running = done;
    const round = { entries: [], owners: new Set<JournalUser>(), bytes: 0, done };
    this.#rounds.push(round);
    return round;
  }

  async #watched(): Promise<void> {
    const { stallMs } = this.#settings;
    const watch = this.#timers.after(stallMs, () => this.#events.onStall(stallMs));
    try {
      await this.#commit();
    } finally {
      watch.cancel();
    }
  }

  async #commit(): Promise<void> {
    const { entries, owners, bytes } = this.#rounds.shift()!;
    // Perhaps the one before is settled by now.
    this.#settleIfFull();
    const part = this.#part ?? (await this.#newPart());
    const frame = this.#frame;
    frame.clear();
    const chain = encodeFrame(frame, entries, part.chain);
    await part.file.write(part.position, [frame.toBytes()]);
    await part.file.sync();
    part.position += frame.length;
    part.chain = chain;
    for (const owner of owners) part.owners.add(owner);
    this.#waitingBytes -= bytes;
    this.#settleIfFull();
    this.#events.onCommit();
  }

  async #newPart(): Promise<Part> {
    const number = this.#nextNumber++;
    const { directory } = this.#settings;
    const path = `${directory}/${journalFile(number)}`;
    const file = await this.#files.open(path, 'create');
    const chainBefore = this.#settling?.chain ?? 0;
    const header = encodeJournalHeader({ number, chainBefore });
    await file.write(0, [header]);
    // Nothing in it counts before its name is durable; the header is synced with the first frame.
    await this.#files.syncDirectory(directory);
    const chain = chainOfHeader(header);
    this.#part = { number, path, file, owners: new Set(), position: header.length, chain };
    return this.#part;
  }

  /** Called between two frames only: nobody is added to a part that is being settled. */
  #settleIfFull(): void {
    const part = this.#part;
    if (part === null || part.position < this.#partBytes || this.#settling !== null) return;
    this.#part = null;
    this.#settling = part;
    this.#drained = this.#settle(part).catch(() => {
      // The directory is out of service, and its owner has been told; the part stays.
    });
  }

  async #settle(part: Part): Promise<void> {
    await forEachLimited(part.owners, SETTLED_AT_A_TIME, (owner) => owner.settleJournal());
    await this.#health.guard(() => this.#remove(part));
    this.#settling = null;
  }

  /** For good: if it came back without the next part, voids that stand there would not count. */
  async #remove(part: Part): Promise<void> {
    await part.file.close();
    await this.#files.removeFile(part.path);
    await this.#files.syncDirectory(this.#settings.directory);
  }
}
