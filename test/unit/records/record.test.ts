import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/codec/writer.ts';
import { type NewRecord, recordBytes, writeRecord } from '../../../src/records/record.ts';

function written(record: NewRecord, offsetDelta: number, timestampDelta: number): number[] {
  const writer = new ByteWriter();
  const place = { offsetDelta, timestampDelta };
  writeRecord(writer, record, place);
  expect(recordBytes(record, place)).toBe(writer.length);
  return [...writer.toBytes()];
}

describe('a record', () => {
  test('is laid out as Kafka documents it', () => {
    const record = {
      key: Uint8Array.of(1),
      value: Uint8Array.of(2, 3),
      headers: [{ key: 'h', value: Uint8Array.of(4) }],
      timestampMs: 0,
    };
    expect(written(record, 1, -1)).toEqual([26, 0, 1, 2, 2, 1, 4, 2, 3, 2, 2, 104, 2, 4]);
  });

  test('without key, value and headers takes seven bytes', () => {
    const record = { key: null, value: null, timestampMs: 0 };
    expect(written(record, 0, 0)).toEqual([12, 0, 0, 0, 1, 1, 0]);
  });

  test('may have more headers than one byte counts', () => {
    const headers = Array.from({ length: 64 }, () => ({ key: '', value: null }));
    expect(written({ key: null, value: null, headers, timestampMs: 0 }, 0, 0)).toHaveLength(
      2 + 5 + 2 + 64 * 2,
    );
  });

  test('takes a day between two records, and thousands of records', () => {
    const record = { key: null, value: null, timestampMs: 0 };
    expect(written(record, 8192, 86_400_000)).toHaveLength(7 + 2 + 3);
  });
});
