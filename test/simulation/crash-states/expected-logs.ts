import { CorruptError } from '../../../src/codec/reader.ts';
import { MemoryFiles } from '../../../src/env/memory-files.ts';
import { verifyFolder } from '../../../src/log/inspect.ts';
import type { Log } from '../../../src/log/log.ts';
import type { LogDirectory } from '../../../src/log/log-directory.ts';
import type { TopicLogConfig } from '../../../src/log/topic-config.ts';
import {
  leaderEpoch,
  partitionName,
  type TopicId,
  type TopicPartition,
} from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import type { SimulatedMachine } from '../env/simulated-env.ts';
import type { CrashKind } from './explorer.ts';

/** The data directory in which the logs are. */
export const ROOT = '/data';

/** A batch that a log took. */
export interface TakenBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** As they are stored. */
  readonly bytes: Uint8Array;
  /** As they were handed in, to hand them in again. */
  readonly sent: Uint8Array;
  /** -1 if it is of none. */
  readonly producer: number;
}

/** What must hold of one log after a crash at a certain moment. */
export interface ExpectedLog {
  readonly topicPartition: TopicPartition;
  readonly topicId: TopicId;
  readonly config: TopicLogConfig;
  /** Everything that may be found, and what was before the log start. */
  readonly batches: readonly TakenBatch[];
  /** At least so far it must reach after a power cut, and after the death of the process alone. */
  readonly leastEnd: number;
  readonly leastEndAfterProcessCrash: number;
  readonly mostEnd: number;
  readonly leastStart: number;
  readonly mostStart: number;
  /** Its topic is deleted, as the metadata says; nothing of it may be served. */
  readonly isDeleted: boolean;
}

/** What one log is after a crash. Two of them are equal if the logs are. */
export interface FoundLog {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly epochs: string;
  readonly batches: number;
}

/** How many batches of a producer a partition remembers. */
const REMEMBERED_BATCHES = 5;
const READ_BYTES = 3000;

/** A log is not what it must be. */
export class ViolationError extends Error {
  override readonly name = 'ViolationError';
}

function demand(condition: boolean, problem: () => string): asserts condition {
  if (!condition) throw new ViolationError(problem());
}

/** The bounds of an expectation as text: equal for equal expectations of one run. */
export const keyOf = (expected: readonly ExpectedLog[]): string =>
  expected
    .map((log) =>
      [
        log.topicId,
        log.batches.length,
        log.leastEnd,
        log.leastEndAfterProcessCrash,
        log.mostEnd,
        log.leastStart,
        log.mostStart,
        log.isDeleted,
      ].join(),
    )
    .join(';');

/** Checks all logs of an opened directory; gives what they are. */
export async function checkDirectory(
  machine: SimulatedMachine,
  directory: LogDirectory,
  expected: readonly ExpectedLog[],
  kind: CrashKind,
): Promise<string> {
  const found: string[] = [];
  const files = new MemoryFiles(machine.clock, machine.disk.tree);
  for (const log of expected) {
    const result = await checkLog(directory, log, kind);
    if (result === undefined) continue;
    const name = partitionName(log.topicPartition);
    found.push(`${name} ${JSON.stringify(result)}`);
    if ((await files.stat(`${ROOT}/${name}`)) === undefined) continue;
    for await (const { file, position, problem } of verifyFolder(files, `${ROOT}/${name}`)) {
      throw new ViolationError(`${name}/${file} at byte ${position}: ${problem}`);
    }
  }
  return found.join('; ');
}

/**
 * Reads what an opened directory has of one log and holds it against what must be. Nothing of the log
 * changes.
 *
 * @throws ViolationError
 */
export async function checkLog(
  directory: LogDirectory,
  expected: ExpectedLog,
  kind: CrashKind,
): Promise<FoundLog | undefined> {
  const { topicPartition, topicId } = expected;
  const name = partitionName(topicPartition);
  const present = directory.log(topicPartition);
  if (expected.isDeleted) {
    demand(present?.topicId !== topicId, () => `${name} of a deleted topic is there`);
    return undefined;
  }
  demand(present === undefined || present.topicId === topicId, () => `${name} is of another topic`);
  const log = present ?? directory.openLog(topicPartition, topicId, expected.config);
  demand(log.corruption === null, () => `${name} is damaged: ${log.corruption}`);
  const leastEnd = kind === 'power' ? expected.leastEnd : expected.leastEndAfterProcessCrash;
  demandBetween(`${name} ends`, log.logEndOffset, leastEnd, expected.mostEnd);
  demandBetween(`${name} starts`, log.logStartOffset, expected.leastStart, expected.mostStart);
  demand(
    log.flushedOffset === log.logEndOffset && log.durableOffset === log.logEndOffset,
    () => `${name} ends at ${log.logEndOffset}, and only ${log.durableOffset} is durable`,
  );
  const batches = await checkBatches(name, log, expected);
  checkProducers(name, log, expected);
  const epochs = log.leaderEpochs.entries.map((entry) => `${entry.epoch}@${entry.startOffset}`);
  return {
    startOffset: log.logStartOffset,
    endOffset: log.logEndOffset,
    epochs: epochs.join(),
    batches,
  };
}

function demandBetween(what: string, value: number, least: number, most: number): void {
  demand(value >= least && value <= most, () => `${what} at ${value}, not in ${least} to ${most}`);
}

/** Every batch is the one that was taken at its offset, byte by byte, and none is missing. */
async function checkBatches(name: string, log: Log, expected: ExpectedLog): Promise<number> {
  const wanted = expected.batches.filter(
    ({ lastOffset }) => lastOffset >= log.logStartOffset && lastOffset < log.logEndOffset,
  );
  let count = 0;
  let at = log.logStartOffset;
  while (at < log.logEndOffset) {
    const outcome = await log.read(at, READ_BYTES, log.logEndOffset);
    demand(outcome.ok, () => `${name} cannot be read at ${at}`);
    demand(outcome.bytes > 0, () => `${name} gives nothing at ${at}`);
    for (const piece of outcome.batches) {
      for (let position = 0; position < piece.length; count++) {
        const batch = viewOf(piece, position);
        const want = wanted[count];
        demand(
          want !== undefined && Buffer.compare(batch.bytes, want.bytes) === 0,
          () => `${name} has at ${batch.baseOffset} what nobody appended there`,
        );
        position += batch.sizeInBytes;
      }
    }
    at = outcome.nextOffset;
  }
  demand(count === wanted.length, () => `${name} has ${count} batches of ${wanted.length}`);
  const end = wanted.at(-1)?.lastOffset ?? log.logEndOffset - 1;
  demand(end === log.logEndOffset - 1, () => `${name} ends at ${log.logEndOffset} inside a batch`);
  return count;
}

function viewOf(piece: Uint8Array, position: number): BatchView {
  try {
    return new BatchView(piece, position);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    throw new ViolationError(`a batch that is served is corrupt: ${error.message}`);
  }
}

/** The last batches of every producer are known again. */
function checkProducers(name: string, log: Log, expected: ExpectedLog): void {
  const found = expected.batches.filter(({ lastOffset }) => lastOffset < log.logEndOffset);
  for (const producer of new Set(found.map((batch) => batch.producer))) {
    if (producer < 0) continue;
    const own = found.filter((batch) => batch.producer === producer);
    for (const batch of own.slice(-REMEMBERED_BATCHES)) {
      const outcome = log.append(batch.sent.slice(), latestEpoch(log), 'client');
      demand(
        outcome.ok && outcome.duplicate && outcome.baseOffset === batch.baseOffset,
        () => `${name} does not know the batch at ${batch.baseOffset} again`,
      );
    }
  }
}

/**
 * Appends what was lost once more: nobody may take it for a repetition. Changes the log.
 *
 * @throws ViolationError
 */
export function checkLostBatch(directory: LogDirectory, expected: ExpectedLog): void {
  const { topicPartition, topicId, config, isDeleted } = expected;
  if (isDeleted) return;
  const log = directory.openLog(topicPartition, topicId, config);
  const lost = expected.batches.find(({ baseOffset }) => baseOffset >= log.logEndOffset);
  if (lost === undefined) return;
  const outcome = log.append(lost.sent.slice(), latestEpoch(log), 'client');
  demand(
    outcome.ok && !outcome.duplicate && outcome.baseOffset === lost.baseOffset,
    () =>
      `${partitionName(topicPartition)} lost the batch at ${lost.baseOffset} and answers ${JSON.stringify(outcome)} to it`,
  );
}

const latestEpoch = (log: Log): ReturnType<typeof leaderEpoch> =>
  leaderEpoch(Math.max(0, log.leaderEpochs.latestEpoch));
