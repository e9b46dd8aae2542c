import { describe, expect, test } from 'vitest';
import { Compression } from '../../../src/codec/compression.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { ByteWriter } from '../../../src/codec/writer.ts';
import { producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BATCH_HEADER_BYTES, BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker, readControlRecord } from '../../../src/records/control-batch.ts';
import { writeRecord } from '../../../src/records/record.ts';
import { sealBatch } from '../../../src/records/seal-batch.ts';
import { kafkaBatch, kafkaBytes } from './kafka-vectors.ts';

function controlBatch(key: readonly number[] | null, value: readonly number[] | null): BatchView {
  const writer = new ByteWriter();
  writer.reserve(BATCH_HEADER_BYTES);
  const record = {
    key: key && Uint8Array.from(key),
    value: value && Uint8Array.from(value),
    timestampMs: 0,
  };
  writeRecord(writer, record, { offsetDelta: 0, timestampDelta: 0 });
  const bytes = writer.toBytes();
  sealBatch(bytes, {
    baseOffset: 0,
    compression: Compression.none,
    isTransactional: true,
    isControl: true,
    recordCount: 1,
    baseTimestamp: 0,
    maxTimestamp: 0,
    producer: undefined,
  });
  return new BatchView(bytes, 0);
}

describe('control batches', () => {
  test('a marker tells how its transaction ended and who coordinated it', () => {
    for (const type of ['commit', 'abort'] as const) {
      const bytes = buildTransactionMarker({
        type,
        producerId: producerId(2 ** 40),
        producerEpoch: 8,
        coordinatorEpoch: 123,
        timestampMs: 1_700_000_000_000,
      });
      expect(bytes).toHaveLength(78);
      const view = new BatchView(bytes, 0);
      expect(view.isCrcValid()).toBe(true);
      expect([view.isControl, view.isTransactional, view.baseSequence]).toEqual([true, true, -1]);
      expect([view.producerId, view.producerEpoch]).toEqual([2 ** 40, 8]);
      expect(readControlRecord(view)).toEqual({ type, coordinatorEpoch: 123 });
    }
  });

  test('the markers of Kafka are read', () => {
    const read = (name: string) =>
      readControlRecord(new BatchView(kafkaBytes(), kafkaBatch(name).position));
    expect(read('commit')).toEqual({ type: 'commit', coordinatorEpoch: 9 });
    expect(read('abort')).toEqual({ type: 'abort', coordinatorEpoch: 0 });
  });

  test.each(['leaderChange', 'snapshotHeader', 'snapshotFooter', 'kraftVersion', 'kraftVoters'])(
    'the type %s of Kafka’s Raft is known',
    (name) => {
      const view = new BatchView(kafkaBytes(), kafkaBatch(name).position);
      expect(readControlRecord(view)).toEqual({ type: name });
    },
  );

  test('a type from the future is told by its number, a longer key or value is no fault', () => {
    expect(readControlRecord(controlBatch([0, 0, 0, 99], null))).toEqual({
      type: 'unknown',
      number: 99,
    });
    expect(readControlRecord(controlBatch([0, 0, 0xff, 0xff], null))).toEqual({
      type: 'unknown',
      number: -1,
    });
    expect(readControlRecord(controlBatch([0, 1, 0, 1, 7], [0, 1, 0, 0, 0, 5, 7]))).toEqual({
      type: 'commit',
      coordinatorEpoch: 5,
    });
  });

  test('keys and values that say too little are corrupt', () => {
    for (const [key, value] of [
      [null, [0, 0, 0, 0, 0, 0]],
      [
        [0, 0, 0],
        [0, 0, 0, 0, 0, 0],
      ],
      [[0, 0, 0, 1], null],
      [
        [0, 0, 0, 1],
        [0, 0, 0, 0, 0],
      ],
      [
        [0xff, 0xff, 0, 1],
        [0, 0, 0, 0, 0, 0],
      ],
    ] as const) {
      expect(() => readControlRecord(controlBatch(key, value))).toThrow(CorruptError);
    }
  });

  test('a batch that compaction emptied has no control record', () => {
    const bytes = controlBatch([0, 0, 0, 1], [0, 0, 0, 0, 0, 0]).bytes.slice(0, BATCH_HEADER_BYTES);
    const header = new DataView(bytes.buffer);
    header.setInt32(8, BATCH_HEADER_BYTES - 12);
    header.setInt32(57, 0);
    expect(readControlRecord(new BatchView(bytes, 0))).toBeUndefined();
  });

  test('a batch of data is not mistaken for one', () => {
    const builder = new BatchBuilder({ compression: Compression.none });
    builder.append({ key: Uint8Array.of(0, 0, 0, 1), value: null, timestampMs: 0 });
    expect(() => readControlRecord(new BatchView(builder.build(), 0))).toThrow(CorruptError);
  });
});
