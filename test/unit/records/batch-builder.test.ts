import { describe, expect, test } from 'vitest';
import { Compression } from '../../../src/codec/compression.ts';
import { producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BATCH_HEADER_BYTES, BatchView } from '../../../src/records/batch-view.ts';

const record = (value: number, timestampMs: number) => ({
  key: null,
  value: Uint8Array.of(value),
  timestampMs,
});

describe('BatchBuilder', () => {
  test('knows the exact size before and after each record', () => {
    const builder = new BatchBuilder({ compression: Compression.none });
    expect(builder.estimatedBytes).toBe(BATCH_HEADER_BYTES);
    for (let i = 0; i < 200; i++) {
      const headers = [{ key: 'ä'.repeat(i), value: i % 2 ? null : new Uint8Array(i) }];
      const next = {
        key: new Uint8Array(i),
        value: new Uint8Array(i * 7),
        headers,
        timestampMs: i * i,
      };
      const size = builder.sizeAfter(next);
      builder.append(next);
      expect(builder.estimatedBytes).toBe(size);
    }
    expect(builder.recordCount).toBe(200);
    expect(builder.build()).toHaveLength(builder.estimatedBytes);
  });

  test('counts times from the first record and tells the largest', () => {
    const builder = new BatchBuilder({ compression: Compression.none });
    for (const time of [500, 900, 100]) builder.append(record(1, time));
    const view = new BatchView(builder.build(), 0);
    expect([view.baseTimestamp, view.maxTimestamp]).toEqual([500, 900]);
  });

  test('begins where it is told, in no leader’s epoch', () => {
    const builder = new BatchBuilder({ compression: Compression.none });
    builder.append(record(1, 0));
    builder.append(record(2, 0));
    const view = new BatchView(builder.build(2 ** 33), 0);
    expect([view.baseOffset, view.lastOffset, view.leaderEpoch]).toEqual([
      2 ** 33,
      2 ** 33 + 1,
      -1,
    ]);
    expect(view.isCrcValid()).toBe(true);
  });

  test('names its producer and its transaction', () => {
    const producer = { id: producerId(5), epoch: 2, baseSequence: 77 };
    const builder = new BatchBuilder({
      compression: Compression.none,
      producer,
      isTransactional: true,
    });
    builder.append(record(1, 0));
    const view = new BatchView(builder.build(), 0);
    expect([view.producerId, view.producerEpoch, view.baseSequence]).toEqual([5, 2, 77]);
    expect([view.hasProducer, view.isTransactional, view.isControl]).toEqual([true, true, false]);
  });

  test('asks for what a batch must have', () => {
    expect(() => new BatchBuilder({ compression: 0, isTransactional: true })).toThrow(
      'has a producer',
    );
    const builder = new BatchBuilder({ compression: 0 });
    expect(() => builder.build()).toThrow('has records');
    expect(() => builder.append(record(1, 0.5))).toThrow('timestamp');
    expect(() => builder.append(record(1, -2))).toThrow('timestamp');
    builder.append(record(1, -1));
    builder.build();
    expect(() => builder.build()).toThrow('built once');
    expect(() => builder.append(record(1, 0))).toThrow('takes no more records');
  });
});
