import { totalLength } from '../codec/pieces.ts';
import { type File, FileError, type FileSystem } from '../env/ports.ts';
import { replaceFile } from '../env/replace-file.ts';
import { assert } from '../model/assert.ts';
import type { Offset, TopicId } from '../model/ids.ts';
import type { DurablePoint } from './durable-marks.ts';
import {
  EPOCHS_FILE,
  formatTopicId,
  type OffsetFileSuffix,
  offsetFile,
  TOPIC_ID_FILE,
} from './file-names.ts';
import { saveIndexes } from './index-files.ts';
import type { LogShared } from './log-shared.ts';
import { offsetsOf, saveProducers } from './producer-files.ts';
import type { ProducerSnapshot } from './producer-snapshot.ts';
import type { Segment } from './segment.ts';
import type { HandleHolder, WriteHandles } from './write-handles.ts';

export interface LogPlace {
  /** The data directory. */
  readonly root: string;
  /** Path of the folder of the log. */
  readonly folder: string;
  readonly topicId: TopicId;
}

/** What was queued for a segment when a cycle began. */
interface SegmentWrite {
  readonly segment: Segment;
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  /** So many of them the journal has. */
  readonly journaledBytes: number;
  readonly endOffset: Offset;
  readonly isClosed: boolean;
}

/**
 * The files of one log. All methods but the constructor run one after another, in the lane of the
 * log; what they find failing takes the data directory out of service.
 *
 * Order of things: the folder and its topic id are durable before the first segment file is made; a
 * segment file is made only after all segments before it are fsynced; its name is durable before
 * anything in it counts as flushed.
 */
export class LogDisk {
  readonly #place: LogPlace;
  readonly #files: FileSystem;
  readonly #writers: WriteHandles;
  readonly #holder: HandleHolder;
  #hasFolder: boolean;
  /** Open for writing: the file of `#openSegment`. */
  #file: File | null = null;
  #openSegment: Segment | null = null;

  /** @param holder who is asked when the file is to be let go */
  constructor(
    place: LogPlace,
    shared: Pick<LogShared, 'files' | 'writers'>,
    holder: HandleHolder,
    hasFolder: boolean,
  ) {
    this.#place = place;
    this.#files = shared.files;
    this.#writers = shared.writers;
    this.#holder = holder;
    this.#hasFolder = hasFolder;
  }

  get hasFolder(): boolean {
    return this.#hasFolder;
  }

  /**
   * Writes what is queued for the segments and fsyncs: always what is closed, the active one if
   * `durable`. Returns up to where the log is durable then, if that has changed, and how many bytes
   * were written that the journal does not have.
   */
  async writeQueued(
    segments: readonly Segment[],
    durable: boolean,
  ): Promise<{ readonly point: DurablePoint | null; readonly bytes: number }> {
    // Taken before the first wait: what is appended or closed from here on is for the next cycle.
    const writes = takeQueued(segments);
    let point: DurablePoint | null = null;
    let bytes = 0;
    for (const write of writes) {
      const { segment, endOffset } = write;
      await this.#write(write);
      bytes += write.bytes - write.journaledBytes;
      if (!durable && !write.isClosed) continue;
      await this.#sync(segment);
      point = { endOffset, segmentBase: segment.baseOffset, position: segment.syncedBytes };
    }
    return { point, bytes };
  }

  /** Makes durable what belongs to a closed segment besides its bytes. */
  async finish(segment: Segment, epochs: string): Promise<void> {
    const { indexes, producersAtEnd } = segment;
    assert(indexes !== null, 'a segment that is not finished has indexes in memory');
    indexes.finish();
    await saveIndexes(this.#files, segment, indexes, { sync: true });
    if (producersAtEnd !== null) {
      await saveProducers(this.#files, segment.folder, segment.endOffset, producersAtEnd);
    }
    // Makes the names of all these files durable, too.
    await this.saveEpochs(epochs);
    // Only now: none goes before the one that takes its place is there for good.
    await this.#removeOldSnapshots(segment.endOffset);
    segment.producersAtEnd = null;
    segment.indexes = null;
    segment.isFinished = true;
  }

  /** Adds to the index files of the active segment what they lack, not durably. */
  async saveIndexes(segment: Segment): Promise<void> {
    const { indexes, savedOffsetEntries, savedTimeEntries } = segment;
    if (indexes === null || !segment.isNamed) return;
    const { offsets, times } = indexes;
    if (offsets.count === savedOffsetEntries && times.count === savedTimeEntries) return;
    await saveIndexes(this.#files, segment, indexes, { sync: false });
  }

  /** Saves producers besides those at the ends of segments, so that less is replayed after a crash. */
  async saveProducers(at: Offset, snapshot: ProducerSnapshot): Promise<void> {
    const { folder } = this.#place;
    await saveProducers(this.#files, folder, at, snapshot);
    await this.#files.syncDirectory(folder);
  }

  /** Writes `leader-epoch-checkpoint`, for others: we read epochs from our own marks. */
  saveEpochs(text: string): Promise<void> {
    const content = new TextEncoder().encode(text);
    return replaceFile(this.#files, this.#place.folder, EPOCHS_FILE, content);
  }

  /** Makes everything durable for a clean stop and closes the file. */
  async closeCleanly(
    active: Segment,
    epochs: string,
    producers: ProducerSnapshot,
  ): Promise<DurablePoint> {
    await this.#sync(active);
    assert(active.indexes !== null, 'the active segment has its indexes in memory');
    active.indexes.finish();
    await saveIndexes(this.#files, active, active.indexes, { sync: true });
    await saveProducers(this.#files, active.folder, active.endOffset, producers);
    // The names of all these files, too; what they take the place of goes after that.
    await this.saveEpochs(epochs);
    await this.#removeOldSnapshots(active.endOffset);
    await this.close();
    const { endOffset, baseOffset: segmentBase, syncedBytes: position } = active;
    return { endOffset, segmentBase, position };
  }

  /** Cuts a segment, which then is the last; those after it must have been removed before. */
  async cut(segment: Segment, position: number, endOffset: Offset): Promise<void> {
    const file = await this.#openFor(segment);
    // Snapshots above the end would be believed when the log has grown beyond them again.
    await this.#removeSnapshotsAbove(endOffset);
    await this.#files.syncDirectory(this.#place.folder);
    await file.truncate(position);
    await file.sync();
    if (segment.indexes !== null) {
      await saveIndexes(this.#files, segment, segment.indexes, { sync: false });
    }
    segment.sizeInBytes = position;
    segment.writtenBytes = position;
    segment.syncedBytes = position;
    segment.endOffset = endOffset;
    segment.isFinished = false;
    segment.producersAtEnd = null;
  }

  /** Removes a segment from the disk. With `sync` it is gone for good when this resolves. */
  async remove(segment: Segment, options: { readonly sync: boolean }): Promise<void> {
    if (this.#openSegment === segment) await this.close();
    for (const suffix of ['.log', '.index', '.timeindex', '.snapshot', '.producers'] as const) {
      await this.#removeIfThere(segment.baseOffset, suffix);
    }
    if (options.sync) await this.#files.syncDirectory(this.#place.folder);
  }

  /**
   * Closes the file until something is written. Nothing unsynced is left then: when the system fails
   * to write it later, it tells only those who had the file open.
   */
  async letGo(): Promise<void> {
    if (this.#openSegment !== null) await this.#sync(this.#openSegment);
    await this.close();
  }

  async close(): Promise<void> {
    this.#writers.closed(this.#holder);
    const file = this.#file;
    this.#file = null;
    this.#openSegment = null;
    await file?.close();
  }

  async #write(write: SegmentWrite): Promise<void> {
    const { segment, chunks, bytes } = write;
    if (!segment.isNamed) await this.#makeFile(segment);
    if (bytes === 0) return;
    const file = this.#fileOf(segment) ?? (await this.#openFor(segment));
    this.#writers.used(this.#holder);
    await file.write(segment.writtenBytes, chunks);
    segment.writtenBytes += bytes;
  }

  async #sync(segment: Segment): Promise<void> {
    if (segment.syncedBytes === segment.writtenBytes) return;
    const file = this.#fileOf(segment) ?? (await this.#openFor(segment));
    await file.sync();
    segment.syncedBytes = segment.writtenBytes;
  }

  async #makeFile(segment: Segment): Promise<void> {
    if (!this.#hasFolder) await this.#makeFolder();
    await this.#openFor(segment);
    await this.#files.syncDirectory(this.#place.folder);
    segment.isNamed = true;
  }

  /** The topic id is durable before any segment is: a folder without one never held anything. */
  async #makeFolder(): Promise<void> {
    const { root, folder, topicId } = this.#place;
    await this.#files.makeDirectory(folder);
    const content = new TextEncoder().encode(formatTopicId(topicId));
    await replaceFile(this.#files, folder, TOPIC_ID_FILE, content);
    await this.#files.syncDirectory(root);
    this.#hasFolder = true;
  }

  /** The file of a segment if it is open: then nothing is awaited for it. */
  #fileOf(segment: Segment): File | null {
    return this.#openSegment === segment ? this.#file : null;
  }

  async #openFor(segment: Segment): Promise<File> {
    const open = this.#fileOf(segment);
    if (open !== null) return open;
    await this.close();
    await this.#writers.makeRoom();
    const file = await this.#files.open(segment.path('.log'), 'create');
    this.#file = file;
    this.#openSegment = segment;
    this.#writers.used(this.#holder);
    return file;
  }

  /**
   * Besides those at the bases of segments only the newest snapshot is of use, and until the marks
   * have come that far the one before: without it a whole segment would be replayed after a crash.
   */
  async #removeOldSnapshots(newest: Offset): Promise<void> {
    const { folder } = this.#place;
    const names = await this.#files.list(folder);
    const bases = new Set(offsetsOf(names, '.log'));
    for (const suffix of ['.snapshot', '.producers'] as const) {
      const old = offsetsOf(names, suffix).filter((at) => at < newest && !bases.has(at));
      for (const at of old.slice(0, -1)) await this.#removeIfThere(at, suffix);
    }
  }

  async #removeSnapshotsAbove(endOffset: Offset): Promise<void> {
    const names = await this.#files.list(this.#place.folder);
    for (const suffix of ['.snapshot', '.producers'] as const) {
      for (const at of offsetsOf(names, suffix)) {
        if (at > endOffset) await this.#removeIfThere(at, suffix);
      }
    }
  }

  async #removeIfThere(at: Offset, suffix: OffsetFileSuffix): Promise<void> {
    try {
      await this.#files.removeFile(`${this.#place.folder}/${offsetFile(at, suffix)}`);
    } catch (error) {
      if (!(error instanceof FileError && error.code === 'ENOENT')) throw error;
    }
  }
}

function takeQueued(segments: readonly Segment[]): SegmentWrite[] {
  const active = segments.at(-1);
  const writes: SegmentWrite[] = [];
  for (const segment of segments) {
    if (segment.isFinished) continue;
    const chunks = segment.queue;
    const { journaledBytes } = segment;
    segment.queue = [];
    segment.journaledChunks = 0;
    segment.journaledBytes = 0;
    const { endOffset } = segment;
    writes.push({
      ...{ segment, chunks, journaledBytes, endOffset },
      bytes: totalLength(chunks),
      isClosed: segment !== active,
    });
  }
  return writes;
}
