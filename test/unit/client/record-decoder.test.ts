import { expect, test } from 'vitest';
import { PartitionReader } from '../../../src/client/partition-reader.ts';
import { type ConsumerRecord, RecordDecoder } from '../../../src/client/record-decoder.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BatchView } from '../../../src/records/batch-view.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A compressible batch from offset 10 on. */
function batchOf(values: readonly (string | null)[], compression: 0 | 1 = 0): BatchView {
  const builder = new BatchBuilder({ compression });
  for (const value of values) {
    const headers = [{ key: 'h', value: null }];
    const bytes = value === null ? null : utf8(value);
    builder.append({ key: utf8('k'), value: bytes, headers, timestampMs: 5 });
  }
  return new BatchView(builder.build(10), 0);
}

const readerAt = (position: number, endOffset = 1000) =>
  new PartitionReader({ topic: 'orders', partition: 1 }, 'id', { position, endOffset });

function decodeAll(
  decoder: RecordDecoder<unknown, unknown>,
  batch: BatchView,
  reader: PartitionReader,
) {
  const cursor = decoder.cursorOf(batch, reader);
  const records: unknown[] = [];
  while (decoder.advance(cursor, reader)) records.push(decoder.decode(cursor, reader));
  return records as ConsumerRecord<unknown, unknown>[];
}

test('a record has its place, its time, its headers, and key and value as asked for', () => {
  const decoder = new RecordDecoder({ key: 'string', value: 'json' }, 1000);
  const [first, second] = decodeAll(decoder, batchOf(['{"n":1}', null]), readerAt(10));
  expect(first).toEqual({
    topic: 'orders',
    partition: 1,
    offset: 10,
    timestampMs: 5,
    key: 'k',
    value: { n: 1 },
    headers: [{ key: 'h', value: null }],
  });
  expect(second?.value).toBeNull();
});

test('records before the position and from the end on are left out', () => {
  const decoder = new RecordDecoder({ value: 'string' }, 1000);
  const records = decodeAll(decoder, batchOf(['a', 'b', 'c', 'd']), readerAt(11, 13));
  expect(records.map(({ value }) => value)).toEqual(['b', 'c']);
});

test('a value that cannot be read is an error that names its place', () => {
  const decoder = new RecordDecoder({ value: 'json' }, 1000);
  const read = () => decodeAll(decoder, batchOf(['1', 'oops']), readerAt(10));
  expect(read).toThrow('the record at offset 11 of orders-1 cannot be read; seek past it');
});

test('a batch that decompresses to more than allowed is refused', () => {
  const decoder = new RecordDecoder({}, 1000);
  const batch = batchOf(['x'.repeat(5000)], 1);
  expect(() => decoder.cursorOf(batch, readerAt(10))).toThrow(
    'orders-1 cannot be read at offset 10',
  );
});

test('records that disagree with their lengths are refused', () => {
  const decoder = new RecordDecoder({}, 1000);
  const batch = batchOf(['abc']);
  batch.bytes[61]! += 2;
  expect(() => decodeAll(decoder, batch, readerAt(10))).toThrow('cannot be read at offset 10');
});

test('a decoder that takes its time makes a promise of the record', async () => {
  const slow = {
    '~standard': {
      version: 1,
      vendor: 'x',
      validate: async (value: unknown) =>
        value === 1 ? { value: 'one' } : { issues: [{ message: 'not 1' }] },
    } as const,
  };
  const decoder = new RecordDecoder<unknown, unknown>({ value: slow }, 1000);
  const [first, second] = decodeAll(decoder, batchOf(['1', '2']), readerAt(10)) as unknown[];
  await expect(first).resolves.toMatchObject({ value: 'one', offset: 10 });
  await expect(second).rejects.toMatchObject({
    code: 'SERIALIZATION_FAILED',
    record: { offset: 11 },
  });
});
