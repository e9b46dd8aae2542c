import { CorruptError } from '../codec/reader.ts';
import type { FileSystem } from '../env/ports.ts';
import { swapFile } from '../env/replace-file.ts';
import type { Offset } from '../model/ids.ts';
import type { BatchView } from '../records/batch-view.ts';
import { readControlRecord } from '../records/control-batch.ts';
import { type OffsetFileSuffix, offsetFile, parseOffsetFile } from './file-names.ts';
import type { LogReports } from './log-reports.ts';
import {
  decodeKafkaProducers,
  decodeOwnProducers,
  type ProducerSnapshot,
} from './producer-snapshot.ts';
import type { ProducerState, ProducerStates } from './producer-states.ts';

/** Where in a log a snapshot of producers may stand to be of use. */
export interface SnapshotRange {
  /** First offset that the segments hold: what lies before it cannot be replayed. */
  readonly from: Offset;
  /** End of the log: what a later snapshot tells of is not in it. */
  readonly to: Offset;
}

/**
 * Replaces both files. Never in place: after retention has deleted what is before it, a snapshot may
 * be all that is known of the producers. They are there for good once the caller has synced the
 * folder, mostly together with other names.
 */
export async function saveProducers(
  files: FileSystem,
  folder: string,
  at: Offset,
  snapshot: ProducerSnapshot,
): Promise<void> {
  await swapFile(files, folder, offsetFile(at, '.producers'), snapshot.own);
  await swapFile(files, folder, offsetFile(at, '.snapshot'), snapshot.kafka);
}

/**
 * Restores the newest snapshot that can be read and returns its offset: the batches from there on
 * are to be replayed. Kafka's keep one batch of a producer only, so they are used if there is none
 * of ours and the log does not go back to its very first record.
 */
export async function loadProducers(
  files: FileSystem,
  folder: string,
  range: SnapshotRange,
  into: { readonly states: ProducerStates; readonly reporter: LogReports },
): Promise<Offset> {
  const names = await files.list(folder);
  const suffixes = range.from === 0 ? ownSuffix : allSuffixes;
  for (const suffix of suffixes) {
    for (const at of offsetsOf(names, suffix).toReversed()) {
      if (at < range.from || at > range.to) continue;
      const path = `${folder}/${offsetFile(at, suffix)}`;
      const states = await readSnapshot(files, path, suffix, into.reporter);
      if (states === undefined) continue;
      for (const state of states) into.states.restore(state);
      return at;
    }
  }
  return range.from;
}

const ownSuffix = ['.producers'] as const;
const allSuffixes = ['.producers', '.snapshot'] as const;

/** Takes a batch of the log into the states of the producers. Throws `CorruptError` for a bad marker. */
export function replayProducer(states: ProducerStates, batch: BatchView, nowMs: number): void {
  if (!batch.hasProducer) return;
  if (!batch.isControl) {
    states.append(batch, batch.baseOffset, batch.lastOffset, nowMs);
    return;
  }
  const record = readControlRecord(batch);
  if (record?.type === 'abort' || record?.type === 'commit') {
    states.appendMarker(batch, record.coordinatorEpoch, nowMs);
  }
}

/** Offsets of the files with that suffix, rising. */
export function offsetsOf(names: readonly string[], suffix: OffsetFileSuffix): Offset[] {
  const offsets: Offset[] = [];
  for (const name of names) {
    const parsed = parseOffsetFile(name);
    if (parsed?.suffix === suffix) offsets.push(parsed.at);
  }
  return offsets.sort((a, b) => a - b);
}

async function readSnapshot(
  files: FileSystem,
  path: string,
  suffix: '.producers' | '.snapshot',
  reporter: LogReports,
): Promise<ProducerState[] | undefined> {
  try {
    const bytes = await files.readFile(path);
    return suffix === '.producers' ? decodeOwnProducers(bytes) : decodeKafkaProducers(bytes);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    reporter.rebuilt('producers', path, error.message);
    return undefined;
  }
}
