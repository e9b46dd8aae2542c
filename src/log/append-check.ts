import { CorruptError } from '../codec/reader.ts';
import { Errors } from '../model/errors.ts';
import type { LeaderEpoch, Offset } from '../model/ids.ts';
import type { BatchView } from '../records/batch-view.ts';
import { readControlRecord } from '../records/control-batch.ts';
import { type BatchRefusal, checkClientBatch } from '../records/validate-batch.ts';
import type { TopicLogConfig } from './topic-config.ts';

/**
 * Why batches may not be appended to a log that this broker leads; `null` if they may. Looks at
 * headers only; their producers are judged by `admitBatches`.
 */
export function checkLedBatches(
  batches: readonly BatchView[],
  config: TopicLogConfig,
  origin: 'client' | 'coordinator',
  nowMs: number,
): BatchRefusal | null {
  const isAppendTime = config.messageTimestampType === 'LogAppendTime';
  const limits = {
    maxBatchBytes: config.maxMessageBytes,
    earliestTimestampMs: isAppendTime ? -Infinity : nowMs - config.messageTimestampBeforeMaxMs,
    latestTimestampMs: isAppendTime ? Infinity : nowMs + config.messageTimestampAfterMaxMs,
  };
  let bytes = 0;
  for (const batch of batches) {
    bytes += batch.sizeInBytes;
    const refusal =
      origin === 'coordinator' && batch.isControl
        ? checkMarker(batch)
        : checkClientBatch(batch, limits);
    if (refusal !== null) return refusal;
  }
  if (bytes > config.segmentBytes) {
    const detail = `the append has ${bytes} bytes, a segment takes ${config.segmentBytes}`;
    return { row: Errors.RECORD_LIST_TOO_LARGE, detail };
  }
  return null;
}

/**
 * Why batches of the leader do not fit a log that ends at `logEndOffset` under `latestEpoch`; `null`
 * if they do. They carry their offsets and epochs already.
 */
export function checkFollowedBatches(
  batches: readonly BatchView[],
  logEndOffset: Offset,
  latestEpoch: LeaderEpoch,
): BatchRefusal | null {
  let expected = logEndOffset;
  let epoch = latestEpoch;
  for (const batch of batches) {
    if (!batch.isCrcValid()) {
      return { row: Errors.CORRUPT_MESSAGE, detail: 'a batch of the leader fails its checksum' };
    }
    const refusal = batch.isControl ? checkMarker(batch) : null;
    if (refusal !== null) return refusal;
    if (batch.baseOffset !== expected || batch.leaderEpoch < epoch) {
      const detail = `the leader sent a batch from offset ${batch.baseOffset} of epoch ${batch.leaderEpoch}, offset ${expected} of epoch ${epoch} or later is next`;
      return { row: Errors.OFFSET_OUT_OF_RANGE, detail };
    }
    expected = batch.nextOffset;
    epoch = batch.leaderEpoch;
  }
  return null;
}

/** Control batches come from our own coordinators and leaders; their content must be readable. */
function checkMarker(batch: BatchView): BatchRefusal | null {
  try {
    if (!batch.isCrcValid()) throw new CorruptError('a control batch fails its checksum');
    readControlRecord(batch);
    return null;
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    return { row: Errors.CORRUPT_MESSAGE, detail: error.message };
  }
}
