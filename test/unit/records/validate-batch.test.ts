import { describe, expect, test } from 'vitest';
import { Compression } from '../../../src/codec/compression.ts';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BatchField, BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import {
  checkClientBatch,
  refusalOfCorrupt,
  splitBatches,
} from '../../../src/records/validate-batch.ts';
import { kafkaBatch, kafkaBytes } from './kafka-vectors.ts';

const NOW = 1_700_000_000_000;
const LIMITS = {
  maxBatchBytes: 1000,
  earliestTimestampMs: NOW - 5000,
  latestTimestampMs: NOW + 5000,
};

interface Given {
  compression?: Compression;
  records?: number;
  producer?: { id: number; epoch: number; baseSequence: number };
  timestampMs?: number;
}

function batchBytes({
  compression = 0,
  records = 3,
  producer,
  timestampMs = NOW,
}: Given = {}): Uint8Array {
  const builder = new BatchBuilder({
    compression,
    ...(producer && { producer: { ...producer, id: producerId(producer.id) } }),
  });
  for (let i = 0; i < records; i++) {
    builder.append({ key: null, value: Uint8Array.of(i), timestampMs });
  }
  return builder.build().slice();
}

/** The refusal of a batch after `change`, under a checksum that is right again. */
function refusal(change: (header: DataView) => void, given: Given = {}): string | undefined {
  const bytes = batchBytes(given);
  const header = new DataView(bytes.buffer);
  change(header);
  header.setUint32(BatchField.crc, crc32c(bytes.subarray(BatchField.attributes)));
  return checkClientBatch(new BatchView(bytes, 0), LIMITS)?.row.name;
}

const unchanged = (): void => {};
const BEYOND = 2n ** 53n;

describe('what a broker takes from clients', () => {
  test.each(Object.values(Compression))('codec %i', (compression) => {
    expect(refusal(unchanged, { compression })).toBeUndefined();
  });

  test('an idempotent batch, also at the last sequence', () => {
    const producer = { id: 1, epoch: 0, baseSequence: 2 ** 31 - 1 };
    expect(refusal(unchanged, { producer })).toBeUndefined();
  });

  test('an epoch and a sequence without a producer, as kafkajs and sarama write them', () => {
    expect(
      refusal((header) => {
        header.setInt16(BatchField.producerEpoch, 0);
        header.setInt32(BatchField.baseSequence, 0);
      }),
    ).toBeUndefined();
  });

  test('no timestamp at all, or a maximum that was left unset', () => {
    expect(refusal(unchanged, { timestampMs: -1 })).toBeUndefined();
    expect(refusal((header) => header.setBigInt64(BatchField.maxTimestamp, -1n))).toBeUndefined();
  });

  test('any time where there are no bounds', () => {
    const bytes = batchBytes({ timestampMs: 0 });
    const open = {
      maxBatchBytes: 1000,
      earliestTimestampMs: -Infinity,
      latestTimestampMs: Infinity,
    };
    expect(checkClientBatch(new BatchView(bytes, 0), open)).toBeNull();
  });

  test('a batch written by Kafka', () => {
    const limits = { ...LIMITS, latestTimestampMs: NOW + 100_000_000 };
    for (const name of ['none one', 'lz4 headers', 'zstd idempotent', 'snappy transactional']) {
      const view = new BatchView(kafkaBytes(), kafkaBatch(name).position);
      expect(checkClientBatch(view, limits)).toBeNull();
    }
  });
});

describe('what a broker refuses', () => {
  test('a batch that is too large, before its checksum is computed', () => {
    const bytes = batchBytes();
    bytes[BatchField.crc]! ^= 1;
    const limits = { ...LIMITS, maxBatchBytes: bytes.length - 1 };
    const refused = checkClientBatch(new BatchView(bytes, 0), limits);
    expect(refused?.row.name).toBe('MESSAGE_TOO_LARGE');
    expect(refused?.detail).toBe(
      `the batch has ${bytes.length} bytes; ${bytes.length - 1} are allowed`,
    );
  });

  test('a batch that fails its checksum, whatever else it says', () => {
    for (let at = BatchField.crc; at < batchBytes().length; at++) {
      const bytes = batchBytes();
      bytes[at]! ^= 0x80;
      const refused = checkClientBatch(new BatchView(bytes, 0), LIMITS);
      expect(refused?.row.name).toBe('CORRUPT_MESSAGE');
    }
  });

  test('attributes that are reserved or not for clients', () => {
    for (const bits of [0x20, 0x30, 0x40, 0x80, 0x8000]) {
      expect(refusal((header) => header.setUint16(BatchField.attributes, bits))).toBe(
        'INVALID_RECORD',
      );
    }
    const marker = buildTransactionMarker({
      type: 'commit',
      producerId: producerId(1),
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestampMs: NOW,
    });
    expect(checkClientBatch(new BatchView(marker, 0), LIMITS)?.row.name).toBe('INVALID_RECORD');
  });

  test('a codec that no one knows', () => {
    for (const codec of [5, 6, 7]) {
      expect(refusal((header) => header.setUint16(BatchField.attributes, codec))).toBe(
        'UNSUPPORTED_COMPRESSION_TYPE',
      );
    }
  });

  test('a base offset that is not 0', () => {
    for (const base of [1n, -1n, BEYOND, -(2n ** 63n)]) {
      expect(refusal((header) => header.setBigInt64(BatchField.baseOffset, base))).toBe(
        'INVALID_RECORD',
      );
    }
  });

  test('counts that contradict each other or the size', () => {
    const counts = (recordCount: number, lastOffsetDelta: number) => (header: DataView) => {
      header.setInt32(BatchField.recordCount, recordCount);
      header.setInt32(BatchField.lastOffsetDelta, lastOffsetDelta);
    };
    expect(refusal(counts(3, 2))).toBeUndefined();
    for (const [count, delta] of [
      [3, 1],
      [3, 3],
      [0, -1],
      [0, 0],
      [-1, -2],
      [-1, 2],
      [2 ** 31 - 1, 2 ** 31 - 2],
      [4, 3],
    ] as const) {
      expect(refusal(counts(count, delta))).toBe('INVALID_RECORD');
    }
    const bytes = batchBytes({ compression: Compression.gzip }).slice(0, 61);
    const header = new DataView(bytes.buffer);
    header.setInt32(BatchField.batchLength, 61 - 12);
    header.setUint32(BatchField.crc, crc32c(bytes.subarray(BatchField.attributes)));
    expect(checkClientBatch(new BatchView(bytes, 0), LIMITS)?.detail).toBe(
      'the batch claims 3 records in 0 bytes',
    );
  });

  test('a producer without epoch or sequence, and a transaction without a producer', () => {
    const producer = { id: 1, epoch: 0, baseSequence: 0 };
    expect(refusal((header) => header.setInt16(BatchField.producerEpoch, -1), { producer })).toBe(
      'INVALID_RECORD',
    );
    expect(refusal((header) => header.setInt32(BatchField.baseSequence, -1), { producer })).toBe(
      'INVALID_RECORD',
    );
    expect(refusal((header) => header.setInt16(BatchField.attributes, 0x10))).toBe(
      'INVALID_RECORD',
    );
    for (const id of [-2n, BEYOND, 2n ** 63n - 1n]) {
      expect(refusal((header) => header.setBigInt64(BatchField.producerId, id), { producer })).toBe(
        'INVALID_RECORD',
      );
    }
  });

  test('a time that is out of bounds, impossible, or the log’s to give', () => {
    for (const field of [BatchField.baseTimestamp, BatchField.maxTimestamp]) {
      for (const time of [BigInt(NOW - 5001), BigInt(NOW + 5001), -2n, BEYOND, -(2n ** 63n)]) {
        expect(refusal((header) => header.setBigInt64(field, time))).toBe('INVALID_TIMESTAMP');
      }
      for (const time of [BigInt(NOW - 5000), BigInt(NOW + 5000)]) {
        expect(refusal((header) => header.setBigInt64(field, time))).toBeUndefined();
      }
    }
    expect(refusal((header) => header.setUint16(BatchField.attributes, 8))).toBe(
      'INVALID_TIMESTAMP',
    );
  });
});

describe('splitBatches', () => {
  test('finds batch after batch, and none in nothing', () => {
    const one = batchBytes({ records: 1 });
    const two = batchBytes({ records: 2 });
    const views = splitBatches(Buffer.concat([one, two, one]));
    expect(views.map((view) => view.recordCount)).toEqual([1, 2, 1]);
    expect(splitBatches(new Uint8Array(0))).toEqual([]);
  });

  test('refuses what does not end with a batch', () => {
    const bytes = Buffer.concat([batchBytes(), batchBytes()]);
    for (let end = bytes.length / 2 + 1; end < bytes.length; end++) {
      expect(() => splitBatches(bytes.subarray(0, end))).toThrow(CorruptError);
    }
  });

  test('old formats are refused for good, broken bytes until sent anew', () => {
    const rowOf = (bytes: Uint8Array): string | undefined => {
      try {
        splitBatches(bytes);
      } catch (error) {
        if (error instanceof CorruptError) return refusalOfCorrupt(error).row.name;
      }
      return undefined;
    };
    const old = batchBytes();
    old[BatchField.magic] = 1;
    expect(rowOf(old)).toBe('INVALID_RECORD');
    expect(rowOf(batchBytes().subarray(0, 30))).toBe('CORRUPT_MESSAGE');
    const unknown = batchBytes();
    unknown[BatchField.magic] = 200;
    expect(rowOf(unknown)).toBe('CORRUPT_MESSAGE');
  });
});
