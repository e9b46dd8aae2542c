import { type File, FileError, type FileSystem } from '../env/ports.ts';
import type { Offset } from '../model/ids.ts';
import { BatchScanner } from './batch-scanner.ts';
import { LogCorruptError } from './disk-health.ts';
import type { IndexMark } from './durable-marks.ts';
import type { EntryTable } from './entry-table.ts';
import type { Segment } from './segment.ts';
import { type IndexContent, SegmentIndexes } from './segment-indexes.ts';

/** How the indexes of a closed segment came to be known. */
export interface LoadedIndexes {
  readonly indexes: SegmentIndexes;
  /** Why they were made anew from the batches; `null` if the files were sound. */
  readonly problem: string | null;
}

/**
 * The indexes of a closed segment from its files, checked against the batches (DESIGN D19), or made
 * anew: they say nothing that the batches do not say. Throws `LogCorruptError` if the batches do not
 * fill the segment.
 */
export async function loadIndexes(
  files: FileSystem,
  segment: Segment,
  log: File,
  intervalBytes: number,
): Promise<LoadedIndexes> {
  const content = await readIndexFiles(files, segment);
  const loaded = content === undefined ? 'a file is missing' : parseIndexes(segment, content);
  if (typeof loaded === 'string') {
    const indexes = await rebuildIndexes(segment, log, intervalBytes);
    return { indexes, problem: loaded };
  }
  segment.savedOffsetEntries = loaded.offsets.count;
  segment.savedTimeEntries = loaded.times.count;
  const lastEntry = loaded.offsets.count - 1;
  const expected = lastEntry < 0 ? -1 : loaded.offsets.offsetAt(lastEntry);
  const walk = await addBatches(loaded, log, segment.sizeInBytes, intervalBytes);
  const problem =
    problemOf(walk, segment) ??
    (expected === -1 || walk.firstLastOffset === expected
      ? null
      : 'the last entry is not of the batch that it points to');
  if (problem === null) return { indexes: loaded, problem };
  return { indexes: await rebuildIndexes(segment, log, intervalBytes), problem };
}

/** The indexes of a closed segment from its batches alone. Throws `LogCorruptError`. */
export async function rebuildIndexes(
  segment: Segment,
  log: File,
  intervalBytes: number,
): Promise<SegmentIndexes> {
  const indexes = new SegmentIndexes(segment.baseOffset);
  const walk = await addBatches(indexes, log, segment.sizeInBytes, intervalBytes);
  const problem = problemOf(walk, segment);
  if (problem !== null) throw new LogCorruptError(`${segment.path('.log')}: ${problem}`);
  indexes.finish();
  segment.savedOffsetEntries = 0;
  segment.savedTimeEntries = 0;
  return indexes;
}

/** Content of both index files; `undefined` if one is not there. */
export async function readIndexFiles(
  files: FileSystem,
  segment: Segment,
): Promise<IndexContent | undefined> {
  const offsets = await readIfThere(files, segment.path('.index'));
  const times = await readIfThere(files, segment.path('.timeindex'));
  return offsets === undefined || times === undefined ? undefined : { offsets, times };
}

function parseIndexes(segment: Segment, content: IndexContent): SegmentIndexes | string {
  if (content.offsets.length % 8 !== 0 || content.times.length % 12 !== 0) {
    return 'a file ends inside an entry';
  }
  const indexes = new SegmentIndexes(segment.baseOffset, content);
  return indexes.problem(segment.sizeInBytes, segment.endOffset) ?? indexes;
}

/**
 * Brings the files to what the indexes hold: appends what is new, cuts what is too much. With `sync`
 * they are durable afterwards, but for their names. Those of a segment that goes on need no sync: a
 * mark vouches for them with their checksum, and if they fail it they are made anew.
 */
export async function saveIndexes(
  files: FileSystem,
  segment: Segment,
  indexes: SegmentIndexes,
  options: { readonly sync: boolean },
): Promise<void> {
  // Entries that are added while we wait are for the next time.
  const offsets = indexes.offsets.count;
  const times = indexes.times.count;
  const mark: IndexMark = {
    offsetEntries: offsets,
    offsetCrc: indexes.offsets.table.crc(),
    timeEntries: times,
    timeCrc: indexes.times.table.crc(),
  };
  const { sync } = options;
  const timeSave = { from: segment.savedTimeEntries, count: times, sync };
  await saveTable(files, segment.path('.timeindex'), indexes.times.table, timeSave);
  segment.savedTimeEntries = times;
  const offsetSave = { from: segment.savedOffsetEntries, count: offsets, sync };
  await saveTable(files, segment.path('.index'), indexes.offsets.table, offsetSave);
  segment.savedOffsetEntries = offsets;
  segment.indexMark = mark;
}

interface TableSave {
  /** How many entries the file holds already. */
  readonly from: number;
  readonly count: number;
  readonly sync: boolean;
}

async function saveTable(
  files: FileSystem,
  path: string,
  table: EntryTable,
  save: TableSave,
): Promise<void> {
  const { entryBytes } = table;
  // A copy: the table may grow while the write is under way.
  const added = table.bytesFrom(save.from).slice(0, (save.count - save.from) * entryBytes);
  const size = save.count * entryBytes;
  const file = await files.open(path, 'create');
  try {
    if (added.length > 0) await file.write(save.from * entryBytes, [added]);
    if ((await file.size()) !== size) await file.truncate(size);
    if (save.sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** What the batches of a segment say that were taken into its indexes. */
interface BatchWalk {
  /** The first unsound batch, with its position; `null` if there is none. */
  readonly problem: string | null;
  /** Last offset of the first batch that was walked; -1 if there was none. */
  readonly firstLastOffset: number;
  /** Where the last batch ends; the base offset if there was none. */
  readonly nextOffset: Offset;
}

/**
 * Adds the batches from the last entry up to byte `end`: they tell the largest timestamp, which the
 * entries alone do not, and where the batches end.
 */
export async function addBatches(
  indexes: SegmentIndexes,
  log: File,
  end: number,
  intervalBytes: number,
): Promise<BatchWalk> {
  const scanner = new BatchScanner(log, { from: indexes.lastIndexedPosition, to: end });
  let firstLastOffset = -1;
  let nextOffset = indexes.baseOffset;
  while (await scanner.fill()) {
    let position = scanner.position;
    for (let batch = scanner.next(); batch !== null; batch = scanner.next()) {
      if (firstLastOffset < 0) firstLastOffset = batch.lastOffset;
      indexes.add(position, batch.lastOffset, batch.maxTimestamp, intervalBytes);
      nextOffset = batch.nextOffset;
      position = scanner.position;
    }
  }
  const problem = scanner.problem === null ? null : `byte ${scanner.position}: ${scanner.problem}`;
  return { problem, firstLastOffset, nextOffset };
}

/** Why the batches that were walked do not fill the segment; `null` if they do. */
function problemOf({ problem, nextOffset }: BatchWalk, segment: Segment): string | null {
  if (problem !== null || nextOffset === segment.endOffset) return problem;
  return `it ends before offset ${nextOffset}, the next segment begins at ${segment.endOffset}`;
}

/** The content of a file; `undefined` if there is none. */
export async function readIfThere(
  files: FileSystem,
  path: string,
): Promise<Uint8Array | undefined> {
  try {
    return await files.readFile(path);
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
