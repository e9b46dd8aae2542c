import type { File, FileSystem } from '../env/ports.ts';
import { MisledError } from './disk-health.ts';
import { loadIndexes, rebuildIndexes } from './index-files.ts';
import type { LogReports } from './log-reports.ts';
import { ReadEnds } from './read-ends.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndexes } from './segment-indexes.ts';
import type { Damage } from './segment-survey.ts';

/** A segment that is open for reading. Good only inside the `use` that it was given to. */
export interface OpenSegment {
  readonly file: File;
  readonly indexes: SegmentIndexes;
  readonly ends: ReadEnds;
}

interface Entry {
  readonly opened: Promise<OpenSegment>;
  users: number;
  /** No longer in the table: its last user closes it. */
  isRetired: boolean;
}

export interface SegmentReadersSettings {
  /** How many segments stay open; those that are in use may exceed it. */
  readonly limit: number;
}

/**
 * Segments that are open for reading, the least recently used closed first. A file is closed only
 * when nobody reads from it, so a reader of a segment that is being deleted still gets its bytes
 * and never those of another file under the same handle.
 */
export class SegmentReaders {
  readonly #settings: SegmentReadersSettings;
  readonly #files: FileSystem;
  readonly #reporter: LogReports;
  /** In order of use, least recent first. */
  readonly #entries = new Map<Segment, Entry>();

  constructor(settings: SegmentReadersSettings, files: FileSystem, reporter: LogReports) {
    this.#settings = settings;
    this.#files = files;
    this.#reporter = reporter;
  }

  get openCount(): number {
    return this.#entries.size;
  }

  /**
   * Gives `work` the segment. If its indexes have misled `work`, they are made anew and it gets a
   * second chance.
   */
  async use<T>(
    segment: Segment,
    indexIntervalBytes: number,
    work: (open: OpenSegment) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#useOnce(segment, indexIntervalBytes, work);
    } catch (error) {
      // Those in memory were made from the batches: then it is the segment that is damaged.
      if (!(error instanceof MisledError) || segment.indexes !== null) throw error;
      await this.#useOnce(segment, indexIntervalBytes, async ({ file }) => {
        const { indexes, damages } = await rebuildIndexes(segment, file, indexIntervalBytes);
        this.#tellDamages(segment, damages);
        this.#adopt(segment, indexes, error.message);
      });
      await this.forget(segment);
      return await this.#useOnce(segment, indexIntervalBytes, work);
    }
  }

  /** Closes a segment as soon as nobody reads it; it is being deleted or changed. */
  async forget(segment: Segment): Promise<void> {
    const entry = this.#entries.get(segment);
    if (entry === undefined) return;
    this.#retire(segment, entry);
    if (entry.users === 0) await close(entry);
  }

  /** Closes all that nobody reads from, so that their handles are free for others. */
  closeIdle(): void {
    for (const [segment, entry] of this.#entries) this.#closeIfIdle(segment, entry);
  }

  async #useOnce<T>(
    segment: Segment,
    indexIntervalBytes: number,
    work: (open: OpenSegment) => Promise<T>,
  ): Promise<T> {
    const entry = this.#entries.get(segment) ?? {
      opened: this.#open(segment, indexIntervalBytes),
      users: 0,
      isRetired: false,
    };
    this.#entries.delete(segment);
    this.#entries.set(segment, entry);
    entry.users++;
    this.#closeSurplus();
    try {
      return await work(await entry.opened);
    } catch (error) {
      // Perhaps it could not be opened, perhaps its index misled: the next reader begins anew.
      if (this.#entries.get(segment) === entry) this.#retire(segment, entry);
      throw error;
    } finally {
      entry.users--;
      if (entry.isRetired && entry.users === 0) await close(entry);
    }
  }

  async #open(segment: Segment, indexIntervalBytes: number): Promise<OpenSegment> {
    const file = await this.#files.open(segment.path('.log'), 'read');
    try {
      const ends = new ReadEnds();
      if (segment.indexes !== null) return { file, indexes: segment.indexes, ends };
      const loaded = await loadIndexes(this.#files, segment, file, indexIntervalBytes);
      this.#tellDamages(segment, loaded.damages);
      if (loaded.problem !== null) this.#adopt(segment, loaded.indexes, loaded.problem);
      return { file, indexes: loaded.indexes, ends };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #tellDamages(segment: Segment, damages: readonly Damage[]): void {
    for (const damage of damages) this.#reporter.damaged(segment.path('.log'), damage, 'read');
  }

  /** Takes over indexes that were made anew; the next flush cycle of the log saves them. */
  #adopt(segment: Segment, indexes: SegmentIndexes, problem: string): void {
    this.#reporter.rebuilt('index', segment.path('.index'), problem);
    segment.indexes = indexes;
    // Nothing that the files hold is believed.
    segment.savedOffsetEntries = 0;
    segment.savedTimeEntries = 0;
    segment.isFinished = false;
  }

  #closeSurplus(): void {
    for (const [segment, entry] of this.#entries) {
      if (this.#entries.size <= this.#settings.limit) return;
      this.#closeIfIdle(segment, entry);
    }
  }

  #closeIfIdle(segment: Segment, entry: Entry): void {
    if (entry.users > 0) return;
    this.#retire(segment, entry);
    void close(entry);
  }

  #retire(segment: Segment, entry: Entry): void {
    entry.isRetired = true;
    this.#entries.delete(segment);
  }
}

/** A file that could not be opened needs no closing, and one that is only read loses nothing. */
async function close(entry: Entry): Promise<void> {
  try {
    await (await entry.opened).file.close();
  } catch {
    // Nothing is written through this handle.
  }
}
