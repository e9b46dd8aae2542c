import { CorruptError } from '../codec/reader.ts';
import { FileError } from '../env/ports.ts';
import { LogCorruptError, StorageError } from '../log/disk-health.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { type LeaderEpoch, NO_LEADER_EPOCH, offset, type TopicPartition } from '../model/ids.ts';
import type { Partition } from '../replication/partition.ts';
import type { PartitionClaim, PartitionLookup } from './partition-lookup.ts';

/** One request works on so many partitions at a time: each reads from the disk, or syncs it. */
export const PARTITIONS_AT_A_TIME = 8;

/**
 * Which offset of a partition is wanted: its first, its end, that of the record with the largest
 * timestamp, or of the first one not before a time.
 */
export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | { readonly timestampMs: number };

/** An offset, or why there is none. Numbers are -1 where there is nothing to say. */
export interface OffsetResult {
  readonly row: ErrorRow;
  readonly detail: string;
  readonly offset: number;
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}

/** Where a leader epoch ends in a log. */
export interface EpochEnd {
  readonly row: ErrorRow;
  readonly detail: string;
  /** The largest epoch not above the one asked for; -1 if there is none, or nothing is known. */
  readonly leaderEpoch: LeaderEpoch;
  /** Exclusive; -1 as with `leaderEpoch`. */
  readonly endOffset: number;
}

const claim = (
  topic: string,
  partition: number,
  leaderEpoch: number = NO_LEADER_EPOCH,
): PartitionClaim => ({ topic, partition, topicId: new Uint8Array(0), leaderEpoch });

const noOffset = { offset: -1, timestampMs: -1, leaderEpoch: -1 };

export const refusedOffset = (row: ErrorRow, detail: string): OffsetResult => ({
  row,
  detail,
  ...noOffset,
});

/** True if the disk, or what is on it, did not let the work be done; anything else is a bug. */
export const isStorageFailure = (error: unknown): boolean =>
  error instanceof StorageError ||
  error instanceof LogCorruptError ||
  error instanceof CorruptError ||
  error instanceof FileError;

/**
 * The use case of asking for offsets (Kafka's ListOffsets): the leader answers, up to the high
 * watermark. Rejects if the log cannot be read.
 *
 * @param leaderEpoch the epoch that the asker knows; -1 for "whatever epoch it is"
 */
export async function listOffset(
  lookup: PartitionLookup,
  topic: string,
  partition: number,
  spec: OffsetSpec,
  leaderEpoch: number,
): Promise<OffsetResult> {
  const found = lookup(claim(topic, partition, leaderEpoch));
  if ('refusal' in found) return refusedOffset(found.refusal.row, found.refusal.detail);
  const { log, marks } = found.partition;
  const success = { row: Errors.NONE, detail: '', ...noOffset };
  if (spec === 'earliest' || spec === 'latest') {
    const at = spec === 'earliest' ? marks.logStartOffset : marks.highWatermark;
    return { ...success, offset: at, leaderEpoch: log.leaderEpochs.epochAt(at) };
  }
  const time = spec === 'max-timestamp' ? 'largest' : spec.timestampMs;
  return await unlessOver(found.partition, async () => {
    const record = await log.offsetForTime(time, marks.highWatermark);
    return { ...success, ...record };
  });
}

/** Meanwhile the leadership may end, and the log be changed or gone: then what comes of `work` means nothing. */
async function unlessOver(
  partition: Partition,
  work: () => Promise<OffsetResult>,
): Promise<OffsetResult> {
  const over = (): OffsetResult | null =>
    partition.refusal && refusedOffset(partition.refusal, partition.refusal.message);
  try {
    const result = await work();
    return over() ?? result;
  } catch (error) {
    const result = over();
    if (result !== null) return result;
    throw error;
  }
}

/**
 * The use case of asking where a leader epoch ends (Kafka's OffsetForLeaderEpoch): so a reader learns
 * whether what it has read is still there after a change of the leader.
 *
 * @param currentLeaderEpoch the epoch that the asker knows; -1 for "whatever epoch it is"
 */
export function offsetForLeaderEpoch(
  lookup: PartitionLookup,
  { topic, partition }: TopicPartition,
  currentLeaderEpoch: number,
  leaderEpoch: number,
): EpochEnd {
  const found = lookup(claim(topic, partition, currentLeaderEpoch));
  const nothing = { leaderEpoch: NO_LEADER_EPOCH, endOffset: -1 };
  if ('refusal' in found) {
    const { row, detail } = found.refusal;
    return { row, detail, ...nothing };
  }
  const { leaderEpochs, logEndOffset } = found.partition.log;
  const end = leaderEpochs.endOffsetFor(leaderEpoch as LeaderEpoch, logEndOffset);
  if (end === undefined) return { row: Errors.NONE, detail: '', ...nothing };
  return { row: Errors.NONE, detail: '', leaderEpoch: end.epoch, endOffset: end.endOffset };
}

/**
 * The use case of deleting the first records of a partition: afterwards `beforeOffset` is its first
 * offset, for good. -1 stands for the high watermark. Rejects if the disk cannot do it.
 */
export async function deleteRecords(
  lookup: PartitionLookup,
  topic: string,
  partition: number,
  beforeOffset: number,
): Promise<OffsetResult> {
  const found = lookup(claim(topic, partition));
  if ('refusal' in found) return refusedOffset(found.refusal.row, found.refusal.detail);
  const { log, marks } = found.partition;
  if (!log.config.cleanupPolicy.includes('delete')) {
    return refusedOffset(Errors.POLICY_VIOLATION, `topic ${topic} has no cleanup.policy=delete`);
  }
  const before = beforeOffset === -1 ? marks.highWatermark : beforeOffset;
  if (before < 0 || before > marks.highWatermark) {
    const detail = `records of ${topic}-${partition} can be deleted before ${marks.highWatermark} at most, not before ${beforeOffset}`;
    return refusedOffset(Errors.OFFSET_OUT_OF_RANGE, detail);
  }
  return await unlessOver(found.partition, async () => {
    await log.advanceLogStart(offset(before));
    return { row: Errors.NONE, detail: '', ...noOffset, offset: log.logStartOffset };
  });
}
