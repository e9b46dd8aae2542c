import { CorruptError } from '../codec/reader.ts';
import type { FileSystem } from '../env/ports.ts';
import { type Offset, offset } from '../model/ids.ts';
import { splitBatches } from '../records/validate-batch.ts';
import { LogCorruptError, StorageError } from './disk-health.ts';
import { type LogMark, NO_INDEX } from './durable-marks.ts';
import { offsetFile, parseJournalFile } from './file-names.ts';
import {
  chainOfHeader,
  decodeFrame,
  decodeJournalHeader,
  JOURNAL_HEADER_BYTES,
  type JournalEntry,
  type JournalHeader,
  type JournalKey,
  type JournalPoint,
  type JournalWrite,
} from './journal-format.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { offsetsOf } from './producer-files.ts';

/** What an earlier process left in the commit journal. */
export interface FoundJournal {
  /** Names of its parts. */
  readonly parts: readonly string[];
  /** What follows the last sound frame; `null` if nothing does. */
  readonly torn: { readonly where: string; readonly bytes: number } | null;
  /** No part that ever was has this number or a later one. */
  readonly nextNumber: number;
  /** What may be missing in the files of a log, oldest first. */
  writesOf(key: JournalKey): readonly JournalWrite[];
}

/**
 * Reads the commit journal of a data directory. What follows the last sound frame is torn: it was
 * never acknowledged. Throws `StorageError` if frames are missing that were durable: below the mark, or
 * in a part that another one follows.
 */
export async function readJournal(
  files: FileSystem,
  directory: string,
  marked: JournalPoint,
): Promise<FoundJournal> {
  const numbered: { readonly name: string; readonly number: number }[] = [];
  for (const name of await files.list(directory)) {
    const number = parseJournalFile(name);
    if (number !== undefined) numbered.push({ name, number });
  }
  const writes = new Map<string, JournalWrite[]>();
  let before: SoundPart | undefined;
  let torn: FoundJournal['torn'] = null;
  for (const { name, number } of numbered) {
    const path = `${directory}/${name}`;
    const bytes = await files.readFile(path);
    const part = readPart(path, number, bytes, writes);
    if (number === marked.part && part.end < marked.position) {
      throw damaged(path, `it is sound up to byte ${part.end}, ${marked.position} were durable`);
    }
    // With the first frame of the next one it is certain which was before it: others are gone.
    const hasFrame = part.end > JOURNAL_HEADER_BYTES;
    if (before !== undefined && hasFrame && part.chainBefore !== before.chain) {
      throw damaged(
        before.path,
        `it ends at byte ${before.end}, and the next part knows more of it`,
      );
    }
    before = part;
    const left = bytes.length - part.end;
    torn = left === 0 ? null : { where: `${path} at byte ${part.end}`, bytes: left };
  }
  return {
    torn,
    parts: numbered.map(({ name }) => name),
    nextNumber: Math.max(marked.part, numbered.at(-1)?.number ?? 0) + 1,
    writesOf: (key) => writes.get(nameOf(key)) ?? [],
  };
}

/**
 * Removes what is in the files of the logs now. Each part is gone for good before the next goes: voids
 * in that one keep it from harm.
 */
export async function removeJournal(
  files: FileSystem,
  directory: string,
  { parts }: FoundJournal,
): Promise<void> {
  for (const name of parts) {
    await files.removeFile(`${directory}/${name}`);
    await files.syncDirectory(directory);
  }
}

interface SoundPart {
  readonly path: string;
  readonly chainBefore: number;
  readonly chain: number;
  /** End of what is sound; 0 if not even the header is. */
  readonly end: number;
}

/** Adds what a part holds to `writes`. */
function readPart(
  path: string,
  number: number,
  bytes: Uint8Array,
  writes: Map<string, JournalWrite[]>,
): SoundPart {
  const headerBytes = bytes.subarray(0, JOURNAL_HEADER_BYTES);
  const header = soundHeader(headerBytes, number);
  if (header === undefined) return { path, chainBefore: 0, chain: 0, end: 0 };
  let chain = chainOfHeader(headerBytes);
  let end = JOURNAL_HEADER_BYTES;
  try {
    for (;;) {
      const frame = decodeFrame(bytes, end, chain);
      if (frame === undefined) break;
      for (const entry of frame.entries) take(entry, writes);
      ({ chain, end } = frame);
    }
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw damaged(path, `at byte ${end}, ${error.message}`);
  }
  return { path, chainBefore: header.chainBefore, chain, end };
}

/** `undefined` if it is torn: the part was being made. */
function soundHeader(bytes: Uint8Array, number: number): JournalHeader | undefined {
  try {
    const header = decodeJournalHeader(bytes);
    return header.number === number ? header : undefined;
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    return undefined;
  }
}

function take(entry: JournalEntry, writes: Map<string, JournalWrite[]>): void {
  const name = nameOf(entry);
  const known = writes.get(name) ?? [];
  if (known.length === 0) writes.set(name, known);
  if (entry.kind === 'void') known.length = 0;
  else known.push(entry);
}

const nameOf = ({ topicId, partition }: JournalKey): string => `${topicId}-${partition}`;

const damaged = (path: string, problem: string): StorageError =>
  new StorageError(
    `${path} is damaged: ${problem}; it holds acknowledged records of partitions that are not in their own files yet. Restore it, or remove all commit-journal files to go on with what those files hold`,
  );

/** A log, as far as journal and marks know it. */
export interface JournaledLog {
  readonly writes: readonly JournalWrite[];
  readonly logStartOffset: Offset;
}

/** Up to where a segment certainly was durable. */
export interface JournaledEnd {
  readonly segmentBase: Offset;
  readonly position: number;
}

/**
 * Writes what the journal holds of a log into its segments, for good, and returns where that ends.
 * Segments wholly before `logStartOffset` are passed over: they are gone, or on their way out. Throws
 * `LogCorruptError` if a segment is missing or too short; even then all is written where it belongs, as
 * the journal goes.
 */
export async function replayJournal(
  files: FileSystem,
  folder: string,
  { writes, logStartOffset }: JournaledLog,
): Promise<JournaledEnd | null> {
  if (writes.length === 0) return null;
  const bases = offsetsOf(await files.list(folder), '.log');
  const first = bases.findLast((base) => base <= logStartOffset) ?? offset(0);
  let problem: string | null = null;
  let end: JournaledEnd | null = null;
  for (const base of new Set(writes.map(({ segmentBase }) => segmentBase))) {
    if (base < first) continue;
    const path = `${folder}/${offsetFile(base, '.log')}`;
    if (!bases.includes(base)) problem ??= `${path} is missing, the journal holds bytes of it`;
    const file = await files.open(path, 'create');
    try {
      const ofSegment = writes.filter(({ segmentBase }) => segmentBase === base);
      const [{ position: begin }] = ofSegment as [JournalWrite];
      const size = await file.size();
      if (size < begin) problem ??= `${path} has ${size} bytes, ${begin} were durable`;
      for (const { position, chunks } of ofSegment) await file.write(position, chunks);
      await file.sync();
      const last = ofSegment.at(-1)!;
      end = { segmentBase: base, position: last.position + last.bytes };
    } finally {
      await file.close();
    }
  }
  if (problem !== null) throw new LogCorruptError(problem);
  return end;
}

/**
 * The mark of a log that was found damaged, raised to where the journal proved it durable: so that the
 * next start, which has no journal, finds the same damage.
 */
export function raisedMark(
  mark: LogMark | null,
  log: Pick<LogMark, 'topicPartition' | 'topicId'>,
  writes: readonly JournalWrite[],
): LogMark | null {
  const last = writes.at(-1);
  if (last === undefined) return mark;
  const epochs = new LeaderEpochs(mark?.epochs);
  let endOffset = last.segmentBase;
  for (const { leaderEpoch, baseOffset, nextOffset } of writes
    .flatMap(({ chunks }) => chunks)
    .flatMap(splitBatches)) {
    epochs.learn(leaderEpoch, baseOffset);
    endOffset = nextOffset;
  }
  const { segmentBase, position, bytes } = last;
  if (mark !== null && mark.endOffset >= endOffset) return mark;
  return {
    ...log,
    endOffset,
    segmentBase,
    position: position + bytes,
    logStartOffset: mark?.logStartOffset ?? offset(0),
    finishedBefore: mark?.finishedBefore ?? offset(0),
    index: NO_INDEX,
    isClean: false,
    segmentCount: mark?.segmentCount ?? 1,
    totalBytes: mark?.totalBytes ?? 0,
    epochs: epochs.entries,
  };
}
