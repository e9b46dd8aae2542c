import type { File, FileSystem } from '../env/ports.ts';
import { type Offset, offset } from '../model/ids.ts';
import { LogCorruptError } from './disk-health.ts';
import type { DurablePoint, LogMark } from './durable-marks.ts';
import { offsetFile, parseOffsetFile } from './file-names.ts';
import { readIndexFiles, saveIndexes } from './index-files.ts';
import type { JournalWrite } from './journal-format.ts';
import { type JournaledEnd, replayJournal } from './journal-replay.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import type { LogReports } from './log-reports.ts';
import { loadProducers, offsetsOf, saveProducers } from './producer-files.ts';
import { encodeProducers } from './producer-snapshot.ts';
import { ProducerStates } from './producer-states.ts';
import { RecoveryWalk } from './recovery-walk.ts';
import { Segment } from './segment.ts';
import { SegmentIndexes } from './segment-indexes.ts';

/** A log as it was found on the disk, or mended. */
export interface RecoveredLog {
  /** In order of offset; the last one is active. None if nothing was ever appended. */
  readonly segments: Segment[];
  readonly logStartOffset: Offset;
  readonly epochs: LeaderEpochs;
  readonly producers: ProducerStates;
  /** `null` if there are no segments. */
  readonly durable: DurablePoint | null;
}

/** What is reported when the end of a file is cut off. */
export const TORN_TAIL = 'cut a torn tail: bytes that were never acknowledged as durable';

export interface RecoverySettings {
  readonly folder: string;
  readonly indexIntervalBytes: number;
  readonly producerIdsMax: number;
  /** What the commit journal holds of the log. */
  readonly journaled: readonly JournalWrite[];
  /** Wall clock time at which producers that are found in the log count as last seen. */
  readonly nowMs: number;
}

export interface RecoveryPorts {
  readonly files: FileSystem;
  readonly reporter: LogReports;
  /** Called now and then with how many bytes more were checked. */
  readonly onScanned: (bytes: number) => void;
}

/**
 * Opens the folder of a log, when what the commit journal holds of it is in its files again. After a clean stop nothing is read that is not needed. Else every batch
 * above the mark is checked, and
 *
 * - a bad batch above the mark and what was journaled, in the last segment, is a torn tail: cut, as it was never promised;
 * - a bad or missing batch anywhere else is corruption: `LogCorruptError`, and nothing is cut;
 * - sound batches above the mark are written again and fsynced before they count (DESIGN 4b rule 1):
 *   perhaps they were only in the page cache, and an fsync that failed before the crash has left
 *   their pages looking clean;
 * - indexes and producers that are not known to be good are made anew from the batches.
 *
 * A segment that another one follows is always whole, mark or no mark: the file of a segment is made
 * only after those before it are fsynced. A crash in here changes nothing, as the mark stays.
 */
export function recoverLog(
  mark: LogMark | undefined,
  settings: RecoverySettings,
  ports: RecoveryPorts,
): Promise<RecoveredLog> {
  return new Recovery(mark, settings, ports).run();
}

class Recovery {
  readonly #mark: LogMark | undefined;
  readonly #settings: RecoverySettings;
  readonly #files: FileSystem;
  readonly #reporter: LogReports;
  readonly #onScanned: (bytes: number) => void;
  readonly #epochs: LeaderEpochs;
  readonly #producers: ProducerStates;
  #segments: Segment[] = [];
  #logStartOffset: Offset = offset(0);
  /** Batches from here on are replayed into the producers. */
  #replayFrom: Offset = offset(0);
  #journaledEnd: JournaledEnd | null = null;
  /** Offsets of producer snapshots that were written just now. */
  readonly #savedSnapshots = new Set<Offset>();

  constructor(mark: LogMark | undefined, settings: RecoverySettings, ports: RecoveryPorts) {
    this.#mark = mark;
    this.#settings = settings;
    this.#files = ports.files;
    this.#reporter = ports.reporter;
    this.#onScanned = ports.onScanned;
    this.#epochs = new LeaderEpochs(mark?.epochs);
    this.#producers = new ProducerStates(settings.producerIdsMax);
  }

  async run(): Promise<RecoveredLog> {
    const mark = this.#mark;
    const { folder, journaled } = this.#settings;
    const log = { writes: journaled, logStartOffset: mark?.logStartOffset ?? offset(0) };
    this.#journaledEnd = await replayJournal(this.#files, folder, log);
    const names = await this.#files.list(folder);
    await this.#findSegments(names);
    const first = this.#segments[0];
    const last = this.#segments.at(-1);
    if (first === undefined || last === undefined) return this.#recovered(null);

    const isClean = mark !== undefined && this.#isAsMarked(mark);
    // Above the mark a snapshot may tell of batches that are lost.
    const range = { from: first.baseOffset, to: mark?.endOffset ?? first.baseOffset };
    const into = { states: this.#producers, reporter: this.#reporter };
    this.#replayFrom = await loadProducers(this.#files, folder, range, into);
    const isIndexed = await this.#adoptIndexes(last);
    if (isClean && isIndexed && this.#replayFrom === mark.endOffset) {
      last.endOffset = mark.endOffset;
      last.firstTimestampMs = await this.#firstTimestamp(last);
    } else {
      if (isClean && !isIndexed) {
        const problem = '.index or .timeindex is not what the marks know';
        this.#reporter.rebuilt('index', last.path('.index'), problem);
      }
      await this.#walkAll();
      await this.#syncNames();
    }
    await this.#removeSuperfluous();
    return this.#recovered({
      endOffset: last.endOffset,
      segmentBase: last.baseOffset,
      position: last.sizeInBytes,
    });
  }

  /** Lists the segments, and checks that all are there that the mark tells of. */
  async #findSegments(names: readonly string[]): Promise<void> {
    const mark = this.#mark;
    const { folder } = this.#settings;
    const bases = offsetsOf(names, '.log');
    this.#logStartOffset = mark?.logStartOffset ?? bases[0] ?? offset(0);
    // What lies wholly before the log start was being deleted when the process died; not what was closed
    // just then, as its producers are saved nowhere else.
    const isLeftOver = (base: Offset, next: Offset): boolean =>
      next <= this.#logStartOffset &&
      base !== mark?.segmentBase &&
      base < (mark?.finishedBefore ?? offset(0));
    while (bases.length > 1 && isLeftOver(bases[0]!, bases[1]!)) bases.shift();
    if (mark !== undefined && !bases.includes(mark.segmentBase)) {
      throw new LogCorruptError(
        `${folder}: segment ${offsetFile(mark.segmentBase, '.log')} is missing, it was durable up to offset ${mark.endOffset}`,
      );
    }
    if (bases.length > 0 && bases[0]! > this.#logStartOffset) {
      throw new LogCorruptError(
        `${folder}: the log starts at offset ${this.#logStartOffset}, but the first segment at ${bases[0]}`,
      );
    }
    for (const base of bases) await this.#addSegment(base, bases.at(-1)!);
  }

  async #addSegment(base: Offset, lastBase: Offset): Promise<void> {
    const mark = this.#mark;
    const segment = new Segment(this.#settings.folder, base);
    const stat = await this.#files.stat(segment.path('.log'));
    const size = stat?.size ?? 0;
    if (base === mark?.segmentBase && size < mark.position) {
      throw new LogCorruptError(
        `${segment.path('.log')} has ${size} bytes, ${mark.position} were durable`,
      );
    }
    if (size === 0 && base !== lastBase) {
      throw new LogCorruptError(`${segment.path('.log')} is empty, but another segment follows`);
    }
    segment.sizeInBytes = size;
    segment.writtenBytes = size;
    segment.syncedBytes = size;
    segment.isNamed = true;
    const previous = this.#segments.at(-1);
    if (previous !== undefined) previous.endOffset = base;
    // The last one is active, also if it was closed and its successor's file is not there.
    if (mark !== undefined && base < mark.finishedBefore && base !== lastBase) {
      segment.indexes = null;
      segment.isFinished = true;
    }
    this.#segments.push(segment);
  }

  /** Whether the log was closed in order and its files still have the sizes that they had then. */
  #isAsMarked(mark: LogMark): boolean {
    let totalBytes = 0;
    for (const segment of this.#segments) totalBytes += segment.sizeInBytes;
    const last = this.#segments.at(-1)!;
    return (
      mark.isClean &&
      mark.segmentCount === this.#segments.length &&
      mark.totalBytes === totalBytes &&
      mark.segmentBase === last.baseOffset &&
      mark.position === last.sizeInBytes
    );
  }

  /**
   * Takes over the index entries that the mark vouches for. False if the files do not hold them or
   * the mark is of another segment; the indexes then begin empty.
   */
  async #adoptIndexes(segment: Segment): Promise<boolean> {
    const mark = this.#mark;
    if (mark === undefined || segment.baseOffset !== mark.segmentBase) return false;
    const content = await readIndexFiles(this.#files, segment);
    const { offsetEntries, offsetCrc, timeEntries, timeCrc } = mark.index;
    const hasEntries =
      content !== undefined &&
      content.offsets.length >= offsetEntries * 8 &&
      content.times.length >= timeEntries * 12;
    if (!hasEntries) return offsetEntries === 0 && timeEntries === 0;
    const indexes = new SegmentIndexes(segment.baseOffset, {
      offsets: content.offsets.slice(0, offsetEntries * 8),
      times: content.times.slice(0, timeEntries * 12),
    });
    const isSound =
      indexes.offsets.table.crc() === offsetCrc && indexes.times.table.crc() === timeCrc;
    if (!isSound) return false;
    // Entries may be ahead of the mark; what they point to is to be checked.
    indexes.truncateTo(mark.position, mark.endOffset);
    segment.indexes = indexes;
    segment.savedOffsetEntries = indexes.offsets.count;
    segment.savedTimeEntries = indexes.times.count;
    segment.indexMark = mark.index;
    return true;
  }

  /** Walks what must be walked, in order, and mends what can be. */
  async #walkAll(): Promise<void> {
    const { folder } = this.#settings;
    this.#reporter.info({ folder, mark: this.#mark?.endOffset ?? -1 }, 'recovering a log');
    const last = this.#segments.at(-1)!;
    for (const segment of this.#segments) {
      // The last one was tried before; a closed one may have been active when the mark was made.
      if (segment !== last && !segment.isFinished) await this.#adoptIndexes(segment);
      const from = this.#walkFrom(segment);
      if (from === null) continue;
      const file = await this.#files.open(segment.path('.log'), 'write');
      try {
        await this.#walk(segment, from, file);
      } finally {
        await file.close();
      }
      if (segment !== last && !segment.isFinished) await this.#finish(segment);
    }
    last.firstTimestampMs = await this.#firstTimestamp(last);
    // Cuts entries of what is lost. The mark will vouch for the rest with their checksum.
    if (last.indexes !== null) {
      await saveIndexes(this.#files, last, last.indexes, { sync: false });
    }
  }

  /** Where the walk through a segment begins; `null` if it need not be walked. */
  #walkFrom(segment: Segment): number | null {
    const mustReplay = segment === this.#segments.at(-1) || this.#replayFrom < segment.endOffset;
    if (segment.indexes === null) return mustReplay ? 0 : null;
    // Index entries end below the mark, so what lies above it is walked, too.
    const { lastIndexedPosition } = segment.indexes;
    if (!mustReplay) return lastIndexedPosition;
    return Math.min(lastIndexedPosition, segment.indexes.floorPosition(this.#replayFrom));
  }

  async #walk(segment: Segment, from: number, file: File): Promise<void> {
    const mark = this.#mark;
    const isLast = segment === this.#segments.at(-1);
    const walk = new RecoveryWalk(segment, file, {
      mark,
      intervalBytes: this.#settings.indexIntervalBytes,
      nowMs: this.#settings.nowMs,
      replayFrom: this.#replayFrom,
      logStartOffset: this.#logStartOffset,
      epochs: this.#epochs,
      producers: this.#producers,
      onScanned: this.#onScanned,
    });
    await walk.run(from);
    const where = `${segment.path('.log')} at byte ${walk.position}`;
    const journaledEnd =
      this.#journaledEnd?.segmentBase === segment.baseOffset ? this.#journaledEnd.position : 0;
    const durableEnd = Math.max(walk.rewriteFrom, journaledEnd);
    if (walk.problem !== null && !(isLast && walk.position >= durableEnd)) {
      throw new LogCorruptError(`${where}: ${walk.problem}`);
    }
    if (!isLast && walk.nextOffset !== segment.endOffset) {
      throw new LogCorruptError(
        `${where}: the segment ends before offset ${walk.nextOffset}, the next begins at ${segment.endOffset}`,
      );
    }
    if (walk.problem !== null) {
      const lost = segment.sizeInBytes - walk.position;
      this.#reporter.warn({ where, bytes: lost, problem: walk.problem }, TORN_TAIL);
      await file.truncate(walk.position);
    }
    if (isLast) {
      segment.endOffset = walk.nextOffset;
      segment.sizeInBytes = walk.position;
      segment.writtenBytes = walk.position;
      segment.syncedBytes = walk.position;
    }
    // Also when nothing was written: perhaps the file was cut shortly before the process died.
    if (Number.isFinite(walk.rewriteFrom)) await file.sync();
  }

  /** Completes what the death of the process left undone after a segment was closed. */
  async #finish(segment: Segment): Promise<void> {
    const { indexes } = segment;
    if (indexes === null) return;
    indexes.finish();
    await saveIndexes(this.#files, segment, indexes, { sync: true });
    if (this.#replayFrom <= segment.endOffset) {
      const snapshot = encodeProducers(this.#producers.all());
      await saveProducers(this.#files, segment.folder, segment.endOffset, snapshot);
      this.#savedSnapshots.add(segment.endOffset);
    }
    segment.indexes = null;
    segment.isFinished = true;
  }

  async #firstTimestamp(segment: Segment): Promise<number> {
    if (segment.isEmpty) return -1;
    const file = await this.#files.open(segment.path('.log'), 'read');
    try {
      return await RecoveryWalk.firstTimestamp(file);
    } finally {
      await file.close();
    }
  }

  /**
   * Names made before the crash may not be durable yet, nor those of files that recovery has saved.
   * The parent's are synced by the directory.
   */
  #syncNames(): Promise<void> {
    return this.#files.syncDirectory(this.#settings.folder);
  }

  /**
   * Removes files that belong to no segment, and producer snapshots from above the mark: they may be
   * torn, and above the end they must be gone for good before the log grows beyond them again.
   */
  async #removeSuperfluous(): Promise<void> {
    const names = await this.#files.list(this.#settings.folder);
    const bases = new Set(this.#segments.map((segment) => segment.baseOffset));
    const trustedEnd = this.#mark?.endOffset ?? offset(0);
    const newest = offsetsOf(names, '.producers').findLast((at) => at <= trustedEnd);
    let hasRemoved = false;
    for (const name of names) {
      const parsed = parseOffsetFile(name);
      if (parsed === undefined && !name.endsWith('.tmp')) continue;
      if (parsed !== undefined) {
        const { at, suffix } = parsed;
        const isSnapshot = suffix === '.snapshot' || suffix === '.producers';
        const isTrusted = at <= trustedEnd && (bases.has(at) || at === newest);
        if (isSnapshot ? isTrusted || this.#savedSnapshots.has(at) : bases.has(at)) continue;
      }
      await this.#files.removeFile(`${this.#settings.folder}/${name}`);
      hasRemoved = true;
    }
    if (hasRemoved) await this.#syncNames();
  }

  #recovered(durable: DurablePoint | null): RecoveredLog {
    return {
      segments: this.#segments,
      logStartOffset: this.#logStartOffset,
      epochs: this.#epochs,
      producers: this.#producers,
      durable,
    };
  }
}
