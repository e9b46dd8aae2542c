import { describe, expect, test } from 'vitest';
import { DecompressedTooLargeError } from '../../../src/codec/bounded-output.ts';
import { Compression } from '../../../src/codec/compression.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BATCH_HEADER_BYTES, BatchField, BatchView } from '../../../src/records/batch-view.ts';
import { RecordCursor } from '../../../src/records/record-cursor.ts';
import { sealBatch } from '../../../src/records/seal-batch.ts';

const OPTIONS = { maxDecompressedBytes: 10_000 };

interface Header {
  recordCount: number;
  baseTimestamp?: number;
}

/** A batch whose records are these bytes, right or wrong. */
function batchOf(records: readonly number[], header: Header): BatchView {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + records.length);
  bytes.set(records, BATCH_HEADER_BYTES);
  const baseTimestamp = header.baseTimestamp ?? 1000;
  sealBatch(bytes, {
    baseOffset: 0,
    compression: Compression.none,
    isTransactional: false,
    isControl: false,
    recordCount: header.recordCount,
    baseTimestamp,
    maxTimestamp: baseTimestamp,
    producer: undefined,
  });
  return new BatchView(bytes, 0);
}

/** One record in zig-zag varints, all of one byte. */
const record = (offsetDelta: number, ...body: number[]): number[] => {
  const rest = [0, 0, offsetDelta * 2, ...body];
  return [rest.length * 2, ...rest];
};
const NULL = 1;
const EMPTY_BODY = [NULL, NULL, 0];

function walk(batch: BatchView): number {
  const cursor = new RecordCursor(batch, OPTIONS);
  let records = 0;
  while (cursor.advance()) records++;
  return records;
}

describe('RecordCursor', () => {
  test('tells null from empty, for keys, values and headers', () => {
    const body = [NULL, 0, 4, 2, 104, NULL, 2, 104, 0];
    const cursor = new RecordCursor(batchOf(record(0, ...body), { recordCount: 1 }), OPTIONS);
    expect(cursor.advance()).toBe(true);
    expect(cursor.key).toBeNull();
    expect(cursor.value).toEqual(new Uint8Array(0));
    expect(cursor.headers).toEqual([
      { key: 'h', value: null },
      { key: 'h', value: new Uint8Array(0) },
    ]);
    expect(cursor.advance()).toBe(false);
  });

  test('gives views of the batch, not copies', () => {
    const batch = batchOf(record(0, 2, 1, 2, 2, 0), { recordCount: 1 });
    const cursor = new RecordCursor(batch, OPTIONS);
    cursor.advance();
    expect(cursor.key?.buffer).toBe(batch.bytes.buffer);
    expect(cursor.value).toEqual(Uint8Array.of(2));
  });

  test('gives plain arrays with every codec, also where the batch came in a Buffer', () => {
    for (const compression of Object.values(Compression)) {
      const builder = new BatchBuilder({ compression });
      builder.append({ key: Uint8Array.of(1), value: Uint8Array.of(2), timestampMs: 0 });
      const cursor = new RecordCursor(new BatchView(Buffer.from(builder.build()), 0), OPTIONS);
      cursor.advance();
      expect([cursor.key, cursor.value]).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
      expect(cursor.value?.constructor).toBe(Uint8Array);
    }
  });

  test('keeps the offsets that compaction left', () => {
    const batch = batchOf([...record(1, ...EMPTY_BODY), ...record(5, ...EMPTY_BODY)], {
      recordCount: 2,
    });
    new DataView(batch.bytes.buffer).setInt32(BatchField.lastOffsetDelta, 9);
    const cursor = new RecordCursor(batch, OPTIONS);
    cursor.advance();
    expect(cursor.offset).toBe(1);
    cursor.advance();
    expect(cursor.offset).toBe(5);
  });

  test('reads a header name that is not UTF-8 as Java does', () => {
    const cursor = new RecordCursor(
      batchOf(record(0, NULL, NULL, 2, 4, 0xff, 104, NULL), { recordCount: 1 }),
      OPTIONS,
    );
    cursor.advance();
    expect(cursor.headers).toEqual([{ key: '\ufffdh', value: null }]);
  });

  test('an empty batch has no records, whatever its codec says', () => {
    expect(walk(emptied(Compression.none))).toBe(0);
    expect(walk(emptied(Compression.lz4))).toBe(0);
  });

  test('records that do not end where they claim are corrupt', () => {
    const [length, ...rest] = record(0, ...EMPTY_BODY) as [number, ...number[]];
    expect(walk(batchOf([length, ...rest], { recordCount: 1 }))).toBe(1);
    for (const wrong of [length - 2, length + 2, 1, 0]) {
      expect(() => walk(batchOf([wrong, ...rest], { recordCount: 1 }))).toThrow(CorruptError);
    }
  });

  test('a count that the records do not have is corrupt', () => {
    const two = [...record(0, ...EMPTY_BODY), ...record(1, ...EMPTY_BODY)];
    expect(walk(batchOf(two, { recordCount: 2 }))).toBe(2);
    expect(() => walk(batchOf(two, { recordCount: 3 }))).toThrow(CorruptError);
    const one = batchOf(two, { recordCount: 2 });
    new DataView(one.bytes.buffer).setInt32(BatchField.recordCount, 1);
    expect(() => walk(one)).toThrow('7 bytes follow the last record');
    for (const count of [0, -1]) {
      new DataView(one.bytes.buffer).setInt32(BatchField.recordCount, count);
      expect(() => walk(one)).toThrow(`claims ${count} records in 14 bytes`);
    }
  });

  test('offsets that do not rise, or pass the last of the header, are corrupt', () => {
    const pair = (first: number, second: number): BatchView =>
      batchOf([...record(first, ...EMPTY_BODY), ...record(second, ...EMPTY_BODY)], {
        recordCount: 2,
      });
    expect(walk(pair(0, 1))).toBe(2);
    for (const [first, second] of [
      [0, 0],
      [1, 0],
      [0, 2],
      [-1, 1],
    ] as const) {
      expect(() => walk(pair(first, second))).toThrow('offset delta');
    }
  });

  test('lengths that cannot be are corrupt', () => {
    const minusTwo = 3;
    for (const body of [
      [minusTwo, NULL, 0],
      [NULL, minusTwo, 0],
      [NULL, NULL, 1],
      [NULL, NULL, 2, NULL, NULL],
      [NULL, NULL, 2, 0, minusTwo],
      [NULL, NULL, 120, 0, 0],
      [120, 1, 2],
    ]) {
      expect(() => walk(batchOf(record(0, ...body), { recordCount: 1 }))).toThrow(CorruptError);
    }
  });

  test('a record time beyond 2^53 is corrupt', () => {
    const late = batchOf([16, 0, 2, 0, ...EMPTY_BODY, 0, 0], {
      recordCount: 1,
      baseTimestamp: Number.MAX_SAFE_INTEGER,
    });
    expect(() => walk(late)).toThrow('no timestamp');
  });

  test('decompresses no further than allowed, and not at all what is not compressed', () => {
    const build = (compression: Compression): BatchView => {
      const builder = new BatchBuilder({ compression });
      builder.append({ key: null, value: new Uint8Array(20_000), timestampMs: 0 });
      return new BatchView(builder.build(), 0);
    };
    expect(() => walk(build(Compression.zstd))).toThrow(DecompressedTooLargeError);
    expect(walk(build(Compression.none))).toBe(1);
  });

  test('a codec that no one knows is corrupt', () => {
    const batch = batchOf(record(0, ...EMPTY_BODY), { recordCount: 1 });
    batch.bytes[BatchField.attributes + 1] = 6;
    expect(() => walk(batch)).toThrow('compression 6 is unknown');
  });
});

/** What Kafka's cleaner leaves of a batch whose producer it must remember. */
function emptied(codec: number): BatchView {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(BatchField.batchLength, BATCH_HEADER_BYTES - 12);
  view.setInt8(BatchField.magic, 2);
  view.setInt16(BatchField.attributes, codec);
  view.setInt32(BatchField.lastOffsetDelta, 4);
  return new BatchView(bytes, 0);
}
