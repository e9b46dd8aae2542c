import { expect, test } from 'vitest';
import {
  BatchPuller,
  type BatchSource,
  RecordPuller,
} from '../../../src/client/consumer-pullers.ts';
import type { FetchedBatch } from '../../../src/client/fetch-buffer.ts';
import { PartitionReader } from '../../../src/client/partition-reader.ts';
import { RecordDecoder } from '../../../src/client/record-decoder.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BatchView } from '../../../src/records/batch-view.ts';

/** Three batches of three records, numbered through. */
function setUp(serialization: unknown = 'string') {
  const range = { position: 1, endOffset: 8 };
  const reader = new PartitionReader({ topic: 'orders', partition: 0 }, 'id', range);
  const batches: FetchedBatch[] = [0, 3, 6].map((base) => {
    const builder = new BatchBuilder({ compression: 0 });
    for (let i = base; i < base + 3; i++) {
      builder.append({ key: null, value: new TextEncoder().encode(String(i)), timestampMs: 0 });
    }
    return { reader, batch: new BatchView(builder.build(base), 0) };
  });
  const source: BatchSource = {
    take: () => batches.shift(),
    wait: async () => false,
    advance: (one, offset) => one.advance(offset),
    end() {},
  };
  const decoder = new RecordDecoder<unknown, unknown>({ value: serialization as 'string' }, 1000);
  return { reader, source, decoder };
}

const slowJson = {
  '~standard': {
    version: 1,
    vendor: 'x',
    validate: async (value: unknown) => ({ value: String(value) }),
  } as const,
};

test.each(['string', slowJson])(
  'records come one by one, and the position follows',
  async (serialization) => {
    const { reader, source, decoder } = setUp(serialization);
    const puller = new RecordPuller(source, decoder);
    const seen: unknown[] = [];
    for (let record = await puller.pull(); record !== undefined; record = await puller.pull()) {
      seen.push([record.value, reader.position]);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => [String(n), n + 1]));
  },
);

test.each(['string', slowJson])(
  'batches come whole but for what is not wanted',
  async (serialization) => {
    const { reader, source, decoder } = setUp(serialization);
    const puller = new BatchPuller(source, decoder);
    const seen: unknown[] = [];
    for (let batch = await puller.pull(); batch !== undefined; batch = await puller.pull()) {
      seen.push([
        batch.records.map(({ value }) => value).join(),
        batch.nextOffset,
        reader.position,
      ]);
    }
    expect(seen).toEqual([
      ['1,2', 3, 3],
      ['3,4,5', 6, 6],
      ['6,7', 8, 8],
    ]);
  },
);

test('a move in the middle of a batch drops the rest of it', async () => {
  const { reader, source, decoder } = setUp();
  const puller = new RecordPuller(source, decoder);
  expect(await puller.pull()).toMatchObject({ offset: 1 });
  reader.moveTo(5);
  expect(await puller.pull()).toMatchObject({ offset: 5 });
});

test('a move while a record is being made leaves the record out and the position alone', async () => {
  for (const Pulls of [RecordPuller, BatchPuller]) {
    const { reader, source, decoder } = setUp(slowJson);
    const pulled = new Pulls(source, decoder).pull();
    reader.moveTo(5);
    expect(await pulled).toBeUndefined();
    expect(reader.position).toBe(5);
  }
});

test('a record that cannot be read leaves the position before it', () => {
  const { reader, source, decoder } = setUp({
    serialize: () => new Uint8Array(),
    deserialize: (bytes: Uint8Array) => {
      if (bytes[0] === 0x32) throw new Error('no twos');
      return bytes;
    },
  });
  const puller = new RecordPuller(source, decoder);
  void puller.pull();
  expect(() => puller.pull()).toThrow('no twos');
  expect(reader.position).toBe(2);
});
