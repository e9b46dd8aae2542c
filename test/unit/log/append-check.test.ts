import { describe, expect, it } from 'vitest';
import { checkFollowedBatches, checkLedBatches } from '../../../src/log/append-check.ts';
import { leaderEpoch, offset, producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import { makeBatch, smallTopic } from './log-world.ts';

const config = { ...smallTopic, messageTimestampBeforeMaxMs: 50, messageTimestampAfterMaxMs: 10 };
const batchAt = (timestampMs: number): BatchView => new BatchView(makeBatch({ timestampMs }), 0);

const marker = (): BatchView =>
  new BatchView(
    buildTransactionMarker({
      type: 'commit',
      producerId: producerId(1),
      producerEpoch: 0,
      coordinatorEpoch: 1,
      timestampMs: 1000,
    }),
    0,
  );

describe('the check of batches that are led', () => {
  const rowOf = (batch: BatchView, origin: 'client' | 'coordinator' = 'client') =>
    checkLedBatches([batch], config, origin, 1000)?.row.name ?? null;

  it('wants timestamps within the bounds of the topic', () => {
    expect([949, 950, 1010, 1011].map((time) => rowOf(batchAt(time)))).toEqual([
      'INVALID_TIMESTAMP',
      null,
      null,
      'INVALID_TIMESTAMP',
    ]);
  });

  it('lets coordinators write markers, which must be readable', () => {
    expect(rowOf(marker())).toBe('INVALID_RECORD');
    expect(rowOf(marker(), 'coordinator')).toBe(null);
    const damaged = marker();
    damaged.bytes[75]! ^= 1;
    expect(rowOf(damaged, 'coordinator')).toBe('CORRUPT_MESSAGE');
  });
});

describe('the check of batches that are followed', () => {
  const placed = (baseOffset: number, epoch: number): BatchView => {
    const batch = new BatchView(makeBatch({ count: 2 }), 0);
    batch.assignOffset(offset(baseOffset), leaderEpoch(epoch));
    return batch;
  };
  const rowOf = (...batches: BatchView[]) =>
    checkFollowedBatches(batches, offset(10), leaderEpoch(3))?.row.name ?? null;

  it('wants them to follow each other and the log, in offset and epoch', () => {
    expect(rowOf(placed(10, 3), placed(12, 4))).toBe(null);
    expect(rowOf(placed(11, 3))).toBe('OFFSET_OUT_OF_RANGE');
    expect(rowOf(placed(10, 3), placed(10, 3))).toBe('OFFSET_OUT_OF_RANGE');
    expect(rowOf(placed(10, 2))).toBe('OFFSET_OUT_OF_RANGE');
    expect(rowOf(placed(10, 4), placed(12, 3))).toBe('OFFSET_OUT_OF_RANGE');
  });

  it('wants their checksums to be right', () => {
    const damaged = placed(10, 3);
    damaged.bytes[70]! ^= 1;
    expect(rowOf(damaged)).toBe('CORRUPT_MESSAGE');
  });
});
