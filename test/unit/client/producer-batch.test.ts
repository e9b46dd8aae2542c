import { expect, test } from 'vitest';
import { BatchMemory } from '../../../src/client/batch-memory.ts';
import { VarveError } from '../../../src/client/errors.ts';
import { nextEpoch, ProducerBatch, sequenceAfter } from '../../../src/client/producer-batch.ts';
import { Compression } from '../../../src/codec/compression.ts';
import { producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { RecordCursor } from '../../../src/records/record-cursor.ts';

const place = { topic: 'orders', partition: 3, createdMs: 0, serial: 1 };

function newBatch(
  compression: Compression = Compression.none,
  memory: BatchMemory = new BatchMemory(0),
) {
  const settled: ProducerBatch[] = [];
  const halves: ProducerBatch[] = [];
  const batch = new ProducerBatch(place, 0, {
    compression,
    memory,
    onSettled: (one) => settled.push(one),
    onSplit: (_, both) => halves.push(...both),
  });
  return { batch, settled, halves };
}

const record = (n: number) => ({
  key: new TextEncoder().encode(`k${n}`),
  value: n % 3 === 0 ? null : new Uint8Array(n),
  headers: [{ key: 'h', value: new Uint8Array([n]) }],
  timestampMs: 1000 - n,
});

function recordsOf(bytes: Uint8Array) {
  const cursor = new RecordCursor(new BatchView(bytes, 0), { maxDecompressedBytes: 1 << 20 });
  const records: unknown[] = [];
  while (cursor.advance()) {
    const { key, value, headers, timestamp } = cursor;
    records.push({ key, value, headers: headers.map((h) => ({ ...h })), timestampMs: timestamp });
  }
  return records;
}

const plain = (records: unknown[]) =>
  JSON.parse(JSON.stringify(records, (_, x) => (x instanceof Uint8Array ? [...x] : x)));

test.each([Compression.none, Compression.gzip])(
  'a batch holds what was appended (codec %i)',
  (compression) => {
    const { batch } = newBatch(compression);
    const records = [0, 1, 2, 3, 4].map(record);
    for (const one of records) void batch.append(one);
    const bytes = batch.bytesFor({ id: producerId(7), epoch: 2 });
    const view = new BatchView(bytes, 0);
    expect(view.isCrcValid()).toBe(true);
    expect([view.producerId, view.producerEpoch, view.recordCount, view.maxTimestamp]).toEqual([
      7, 2, 5, 1000,
    ]);
    expect(plain(recordsOf(bytes))).toEqual(plain(records));
  },
);

test('another identity changes the header and nothing else', () => {
  const { batch } = newBatch();
  void batch.append(record(1));
  batch.baseSequence = 5;
  const first = batch.bytesFor({ id: producerId(7), epoch: 0 }).slice();
  batch.baseSequence = 0;
  const second = batch.bytesFor({ id: producerId(7), epoch: 1 });
  const view = new BatchView(second, 0);
  expect([view.isCrcValid(), view.producerEpoch, view.baseSequence]).toEqual([true, 1, 0]);
  expect(second.subarray(61)).toEqual(first.subarray(61));
});

test('what a record takes is never more than its bound', () => {
  const { batch } = newBatch();
  for (let n = 0; n < 300; n++) {
    const before = batch.plainBytes;
    void batch.append(record(n));
    expect(batch.plainBytes - before).toBeLessThanOrEqual(ProducerBatch.boundOf(record(n)));
  }
});

test('success tells each record its offset and its time, or that of the append', async () => {
  const { batch, settled } = newBatch();
  const sent = [batch.append(record(1)), batch.append(record(2))];
  batch.succeed(40, -1);
  const [, second] = await Promise.all(sent);
  expect(second).toEqual({ topic: 'orders', partition: 3, offset: 41, timestampMs: 998 });
  expect(settled).toEqual([batch]);
  const late = newBatch().batch;
  const promise = late.append(record(1));
  late.succeed(-1, 77);
  expect(await promise).toMatchObject({ offset: -1, timestampMs: 77 });
});

test('failure fails every record with the same error', async () => {
  const { batch } = newBatch();
  const sent = [batch.append(record(1)), batch.append(record(2))];
  const error = new VarveError('CLOSED', 'x');
  batch.fail(error);
  const outcomes = await Promise.allSettled(sent);
  expect(outcomes.map((one) => one.status === 'rejected' && one.reason)).toEqual([error, error]);
});

test('the halves of a batch hold its records and sequences, and settle its promises', async () => {
  const { batch, settled, halves } = newBatch();
  const records = [1, 2, 3, 4, 5].map(record);
  const sent = records.map((one) => batch.append(one));
  batch.baseSequence = 2 ** 31 - 1;
  const [first, second] = batch.split();
  expect(halves).toEqual([first, second]);
  expect(settled).toEqual([]);
  expect([first.baseSequence, second.baseSequence]).toEqual([2 ** 31 - 1, 1]);
  const both = [first, second].flatMap((half) => recordsOf(half.bytesFor(undefined)));
  expect(plain(both)).toEqual(plain(records));
  second.fail(new VarveError('INVALID_RECORD', 'x'));
  first.succeed(10, -1);
  const outcomes = await Promise.allSettled(sent);
  expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value.offset : 'failed'))).toEqual(
    [10, 11, 'failed', 'failed', 'failed'],
  );
});

test('sequences begin again at 0 after the largest, and epochs end', () => {
  expect(sequenceAfter(2 ** 31 - 2, 3)).toBe(1);
  expect(nextEpoch({ id: producerId(1), epoch: 0 })).toEqual({ id: 1, epoch: 1 });
  expect(nextEpoch({ id: producerId(1), epoch: 32_767 })).toBeUndefined();
});

test('the memory of a batch serves the next one when it is settled, and not before', async () => {
  const memory = new BatchMemory(1 << 20);
  const first = newBatch(Compression.none, memory).batch;
  const [told, other] = [first.append(record(1)), first.append(record(2))];
  const { buffer } = first.bytesFor(undefined);
  const second = newBatch(Compression.none, memory).batch;
  void second.append(record(3));
  expect(second.bytesFor(undefined).buffer).not.toBe(buffer);
  first.succeed(40, -1);
  expect(() => first.bytesFor(undefined)).toThrow('settled');
  const third = newBatch(Compression.gzip, memory).batch;
  for (const one of [4, 5, 6].map(record)) void third.append(one);
  expect([(await told).offset, (await other).offset]).toEqual([40, 41]);
  expect(plain(recordsOf(second.bytesFor(undefined)))).toEqual(plain([record(3)]));
  expect(plain(recordsOf(third.bytesFor(undefined)))).toEqual(plain([4, 5, 6].map(record)));
});
