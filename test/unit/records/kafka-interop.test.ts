import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compressionName, isCompression } from '../../../src/codec/compression.ts';
import { leaderEpoch, offset, producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import type { NewRecord } from '../../../src/records/record.ts';
import { RecordCursor } from '../../../src/records/record-cursor.ts';
import { splitBatches } from '../../../src/records/validate-batch.ts';
import {
  type KafkaBatch,
  type KafkaRecord,
  kafkaBatch,
  kafkaBytes,
  kafkaRecords,
  kafkaVectors,
} from './kafka-vectors.ts';

const ALL = kafkaVectors.batches;
/** What a builder can make: compaction and Raft write the others. */
const BUILT = ALL.filter((batch) => !batch.isControl && !/compacted|emptied/.test(batch.name));
const LIMITS = { maxDecompressedBytes: 200_000 };

const viewOf = (batch: KafkaBatch): BatchView => new BatchView(kafkaBytes(), batch.position);

function hex(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  if (bytes.length <= 100_000) return Buffer.from(bytes).toString('hex');
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const unhex = (text: string | null): Uint8Array | null =>
  text === null ? null : new Uint8Array(Buffer.from(text, 'hex'));

function describeHeader(view: BatchView, batch: KafkaBatch): Partial<KafkaBatch> {
  return {
    name: batch.name,
    position: batch.position,
    sizeInBytes: view.sizeInBytes,
    baseOffset: view.baseOffset,
    lastOffset: view.lastOffset,
    leaderEpoch: view.leaderEpoch,
    crc: view.crc,
    compression: compressionName(isCompression(view.compression) ? view.compression : 0),
    timestampType: view.timestampType,
    baseTimestamp: view.baseTimestamp,
    maxTimestamp: view.maxTimestamp,
    producerId: view.producerId,
    producerEpoch: view.producerEpoch,
    baseSequence: view.baseSequence,
    lastSequence: view.lastSequence,
    isTransactional: view.isTransactional,
    isControl: view.isControl,
    deleteHorizonMs: view.deleteHorizonMs,
    recordCount: view.recordCount,
    records: batch.records,
  };
}

function describeRecords(view: BatchView): KafkaRecord[] {
  const records: KafkaRecord[] = [];
  const cursor = new RecordCursor(view, LIMITS);
  while (cursor.advance()) {
    records.push({
      offsetDelta: cursor.offset - view.baseOffset,
      timestamp: cursor.timestamp,
      key: hex(cursor.key),
      value: hex(cursor.value),
      headers: cursor.headers.map(({ key, value }) => [key, hex(value)] as const),
    });
  }
  return records;
}

/** The records as they were given to the builder: `create` times of another batch of the same. */
function given(batch: KafkaBatch): NewRecord[] {
  const created = batch.timestampType === 'append' ? kafkaBatch('none headers') : batch;
  return kafkaRecords(created).map(({ key, value, headers, timestamp }) => ({
    key: unhex(key),
    value: unhex(value),
    headers: headers.map(([name, content]) => ({ key: name, value: unhex(content) })),
    timestampMs: timestamp,
  }));
}

function rebuild(batch: KafkaBatch): Uint8Array {
  const builder = new BatchBuilder({
    compression: viewOf(batch).compression as 0,
    isTransactional: batch.isTransactional,
    ...(batch.producerId === -1
      ? {}
      : {
          producer: {
            id: producerId(batch.producerId),
            epoch: batch.producerEpoch,
            baseSequence: batch.baseSequence,
          },
        }),
  });
  for (const record of given(batch)) {
    const expected = builder.sizeAfter(record);
    builder.append(record);
    expect(builder.estimatedBytes).toBe(expected);
  }
  const view = new BatchView(builder.build(), 0);
  view.assignOffset(offset(batch.baseOffset), leaderEpoch(batch.leaderEpoch));
  if (batch.timestampType === 'append') view.setLogAppendTime(batch.maxTimestamp);
  return view.bytes;
}

describe('batches written by Kafka', () => {
  test('lie one after another as Kafka listed them', () => {
    const bytes = kafkaBytes();
    const views = splitBatches(bytes);
    expect(views.map((view) => view.bytes.byteOffset - bytes.byteOffset)).toEqual(
      ALL.map((batch) => batch.position),
    );
  });

  test.each(ALL.map((batch) => batch.name))(
    '%s: header and records are read as by Kafka',
    (name) => {
      const batch = kafkaBatch(name);
      const view = viewOf(batch);
      expect(view.isCrcValid()).toBe(true);
      expect(view.nextOffset).toBe(batch.lastOffset + 1);
      expect(view.hasProducer).toBe(batch.producerId !== -1);
      expect(describeHeader(view, batch)).toEqual(batch);
      expect(describeRecords(view)).toEqual(kafkaRecords(batch));
    },
  );

  const plain = BUILT.filter((batch) => batch.compression === 'none');
  test.each(plain.map((batch) => batch.name))('%s: the builder writes the same bytes', (name) => {
    const batch = kafkaBatch(name);
    expect(Buffer.compare(rebuild(batch), viewOf(batch).bytes)).toBe(0);
  });

  const compressed = BUILT.filter(
    (batch) => batch.compression !== 'none' && !/large|level 22/.test(batch.name),
  );
  test.each(compressed.map((batch) => batch.name))(
    '%s: the builder writes what reads the same',
    (name) => {
      const batch = kafkaBatch(name);
      const view = new BatchView(rebuild(batch), 0);
      expect(view.isCrcValid()).toBe(true);
      const { sizeInBytes, crc } = view;
      expect(describeHeader(view, batch)).toEqual({ ...batch, sizeInBytes, crc });
      expect(describeRecords(view)).toEqual(kafkaRecords(batch));
    },
  );

  test.each(['commit', 'abort'] as const)('%s: the marker has the same bytes', (type) => {
    const batch = kafkaBatch(type);
    const marker = buildTransactionMarker({
      type,
      producerId: producerId(batch.producerId),
      producerEpoch: batch.producerEpoch,
      coordinatorEpoch: type === 'commit' ? 9 : 0,
      timestampMs: batch.baseTimestamp,
    });
    new BatchView(marker, 0).assignOffset(offset(batch.baseOffset), leaderEpoch(batch.leaderEpoch));
    expect(Buffer.compare(marker, viewOf(batch).bytes)).toBe(0);
  });
});
