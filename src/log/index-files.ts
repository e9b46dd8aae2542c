import { type File, FileError, type FileSystem } from '../env/ports.ts';
import type { Offset } from '../model/ids.ts';
import type { IndexMark } from './durable-marks.ts';
import type { EntryTable } from './entry-table.ts';
import type { Segment } from './segment.ts';
import { type IndexContent, SegmentIndexes } from './segment-indexes.ts';
import { type Damage, SegmentSurvey } from './segment-survey.ts';

/** How the indexes of a closed segment came to be known. */
export interface LoadedIndexes {
  readonly indexes: SegmentIndexes;
  /** Why they were made anew from the batches; `null` if the files were sound. */
  readonly problem: string | null;
  /** Where the segment itself was found damaged. */
  readonly damages: readonly Damage[];
}

/**
 * The indexes of a closed segment from its files, checked against the batches (DESIGN D19), or made
 * anew: they say nothing that the batches do not say.
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
    return { ...(await rebuildIndexes(segment, log, intervalBytes)), problem: loaded };
  }
  segment.savedOffsetEntries = loaded.offsets.count;
  segment.savedTimeEntries = loaded.times.count;
  const entries = loaded.offsets.count;
  const walk = await addBatches(loaded, log, endOf(segment), intervalBytes);
  const problem =
    walk.problem ??
    (loaded.offsets.count > entries
      ? '.index: it ends early, or index.interval.bytes was lowered since'
      : null);
  if (problem === null) return { indexes: loaded, problem, damages: walk.damages };
  return { ...(await rebuildIndexes(segment, log, intervalBytes)), problem };
}

/** The indexes of a closed segment from its batches alone, as far as those are sound. */
export async function rebuildIndexes(
  segment: Segment,
  log: File,
  intervalBytes: number,
): Promise<{ readonly indexes: SegmentIndexes; readonly damages: readonly Damage[] }> {
  const indexes = new SegmentIndexes(segment.baseOffset);
  const { damages } = await addBatches(indexes, log, endOf(segment), intervalBytes);
  indexes.finish();
  segment.savedOffsetEntries = 0;
  segment.savedTimeEntries = 0;
  return { indexes, damages };
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
  if (content.offsets.length % 8 !== 0) return '.index: it ends inside an entry';
  if (content.times.length % 12 !== 0) return '.timeindex: it ends inside an entry';
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

const endOf = ({ sizeInBytes, endOffset }: Segment): { position: number; offset: Offset } => ({
  position: sizeInBytes,
  offset: endOffset,
});

/** What the batches of a segment say that were taken into its indexes. */
interface BatchWalk {
  /** Why the last entry is not right; `null` if it is. */
  readonly problem: string | null;
  readonly damages: readonly Damage[];
}

/**
 * Adds the batches from the last entry up to `end`: they tell the largest timestamp, which the entries
 * alone do not. Batches that are not sound are passed over, and told of.
 */
export async function addBatches(
  indexes: SegmentIndexes,
  log: File,
  end: { readonly position: number; readonly offset: Offset },
  intervalBytes: number,
): Promise<BatchWalk> {
  const { offsets } = indexes;
  const from = indexes.lastIndexedPosition;
  const lastOffset = offsets.count === 0 ? -1 : offsets.offsetAt(offsets.count - 1);
  const survey = new SegmentSurvey(log, {
    ...{ from, to: end.position, endOffset: end.offset, epochs: null },
    nextOffset: indexes.baseOffset,
    ...(lastOffset < 0 ? {} : { isFirst: (batch) => batch.lastOffset === lastOffset }),
  });
  while (await survey.fill()) {
    for (let batch = survey.next(); batch !== null; batch = survey.next()) {
      const position = survey.position - batch.sizeInBytes;
      indexes.add(position, batch.lastOffset, batch.maxTimestamp, intervalBytes);
    }
  }
  const { damages } = survey;
  const isMisled = lastOffset >= 0 && damages[0]?.position === from;
  return { problem: isMisled ? damages[0]!.problem : null, damages };
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
