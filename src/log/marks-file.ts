import { CorruptError } from '../codec/reader.ts';
import type { FileSystem, Timer, Timers } from '../env/ports.ts';
import { replaceFile } from '../env/replace-file.ts';
import { type DiskHealth, StorageError } from './disk-health.ts';
import { type DurableMarks, decodeMarks, encodeMarks, type LogMark } from './durable-marks.ts';
import { MARKS_FILE } from './file-names.ts';
import { readIfThere } from './index-files.ts';
import { type JournalPoint, NO_JOURNAL } from './journal-format.ts';

export interface MarksSource {
  /** Called before each write that the timer asked for; what it does is covered by the marks. */
  prepare(): Promise<void>;
  /** The marks as they are now. */
  collect(): { readonly logs: readonly LogMark[]; readonly journal: JournalPoint };
}

export interface MarksFileSettings {
  readonly directory: string;
  /** How long a change waits at most before it is written, in ms. */
  readonly intervalMs: number;
}

/**
 * Keeps `durable-marks` up to date: within the interval after a change, or at once when something
 * must not go on before it is durable. One write at a time; what asks meanwhile shares the next.
 */
export class MarksFile {
  readonly #settings: MarksFileSettings;
  readonly #files: FileSystem;
  readonly #timers: Timers;
  readonly #health: DiskHealth;
  readonly #source: MarksSource;
  #timer: Timer | null = null;
  /** What the timer has begun. */
  #timedSave: Promise<void> = Promise.resolve();
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(
    settings: MarksFileSettings,
    ports: { readonly files: FileSystem; readonly timers: Timers },
    health: DiskHealth,
    source: MarksSource,
  ) {
    this.#settings = settings;
    this.#files = ports.files;
    this.#timers = ports.timers;
    this.#health = health;
    this.#source = source;
  }

  /** A mark has changed: it is durable within the interval. */
  changed(): void {
    if (this.#timer !== null || this.#isStopped) return;
    this.#timer = this.#timers.after(this.#settings.intervalMs, () => {
      this.#timedSave = this.#saveFromTimer();
    });
  }

  /** Resolves when the marks as they are now, or later ones, are durable. */
  save(): Promise<void> {
    // A write that is under way may have collected its marks before the change.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        this.#running = this.#write();
        return this.#running;
      });
    return this.#next;
  }

  /** No more writes by the timer, once this resolves; `save` still writes. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#timedSave;
  }

  async #saveFromTimer(): Promise<void> {
    try {
      await this.#health.guard(() => this.#source.prepare());
      // Changes from here on may miss this write and ask for another.
      this.#timer = null;
      await this.save();
    } catch {
      // The directory is out of service, and its owner has been told.
    }
  }

  #write(): Promise<void> {
    const { directory } = this.#settings;
    return this.#health.guard(() => {
      const { logs, journal } = this.#source.collect();
      return replaceFile(this.#files, directory, MARKS_FILE, encodeMarks(logs, journal));
    });
  }
}

/** The marks of a data directory; none if they were never written. Throws `StorageError`. */
export async function readMarks(files: FileSystem, directory: string): Promise<DurableMarks> {
  const path = `${directory}/${MARKS_FILE}`;
  const bytes = await readIfThere(files, path);
  if (bytes === undefined) return { logs: new Map(), journal: NO_JOURNAL };
  try {
    return decodeMarks(bytes);
  } catch (cause) {
    if (!(cause instanceof CorruptError)) throw cause;
    throw new StorageError(
      `${path} is damaged (${cause.message}): it tells torn tails from lost records, and where logs start; restore it, or remove it to have every log checked from its first segment and cut at the first bad batch of its last, which also brings back records that delete-records removed inside a segment`,
      { cause },
    );
  }
}
