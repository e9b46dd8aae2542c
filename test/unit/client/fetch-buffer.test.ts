import { expect, test } from 'vitest';
import { FetchBuffer } from '../../../src/client/fetch-buffer.ts';
import { PartitionReader } from '../../../src/client/partition-reader.ts';
import { offset } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';

/** A batch of `count` records from `base` on. */
function batch(base: number, count: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 0 });
  for (let i = 0; i < count; i++) builder.append({ key: null, value: null, timestampMs: 0 });
  return builder.build(base).slice();
}

const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

function setUp(endOffset = Number.POSITIVE_INFINITY) {
  const finished: PartitionReader[] = [];
  const buffer = new FetchBuffer(true, (reader) => finished.push(reader));
  const owner = {
    held: 0,
    release(bytes: number): void {
      this.held -= bytes;
    },
  };
  const makeReader = (partition = 0) =>
    new PartitionReader({ topic: 'orders', partition }, 'id', { position: 0, endOffset });
  const push = (reader: PartitionReader, bytes: Uint8Array) => {
    owner.held += bytes.length;
    buffer.push(reader, bytes, owner);
  };
  const takeOffsets = () => {
    const offsets: number[] = [];
    for (let taken = buffer.take(); taken !== undefined; taken = buffer.take()) {
      offsets.push(taken.batch.baseOffset);
      buffer.advance(taken.reader, taken.batch.nextOffset);
    }
    return offsets;
  };
  return { buffer, owner, makeReader, push, takeOffsets, finished };
}

test('batches come in the order of arrival, and their bytes are released one by one', () => {
  const { buffer, owner, makeReader, push } = setUp();
  const [a, b] = [makeReader(0), makeReader(1)];
  push(a, joined(batch(0, 2), batch(2, 3)));
  push(b, batch(0, 1));
  const before = owner.held;
  const first = buffer.take();
  expect([first?.reader, first?.batch.baseOffset]).toEqual([a, 0]);
  expect(owner.held).toBe(before - first!.batch.sizeInBytes);
  expect(buffer.take()?.batch.baseOffset).toBe(2);
  expect(buffer.take()?.reader).toBe(b);
  expect(buffer.take()).toBeUndefined();
  expect(owner.held).toBe(0);
  expect([a.fetchOffset, b.fetchOffset]).toEqual([5, 1]);
});

test('batches before the position are passed over', () => {
  const { makeReader, push, takeOffsets } = setUp();
  const reader = makeReader();
  reader.moveTo(4);
  push(reader, joined(batch(0, 2), batch(2, 2), batch(4, 2)));
  expect(takeOffsets()).toEqual([4]);
});

test('what was fetched before a move is dropped, and its bytes are released', () => {
  const { owner, makeReader, push, takeOffsets } = setUp();
  const reader = makeReader();
  push(reader, batch(0, 2));
  reader.moveTo(50);
  push(reader, batch(50, 1));
  expect(takeOffsets()).toEqual([50]);
  expect(owner.held).toBe(0);
});

test('a dropped reader goes back to what was handed out, and the others keep their batches', () => {
  const { buffer, owner, makeReader, push, takeOffsets } = setUp();
  const [a, b] = [makeReader(0), makeReader(1)];
  push(a, joined(batch(0, 2), batch(2, 2)));
  push(b, batch(0, 1));
  const taken = buffer.take()!;
  buffer.advance(taken.reader, 1);
  buffer.drop(a);
  expect([a.position, a.fetchOffset]).toEqual([1, 1]);
  expect(takeOffsets()).toEqual([0]);
  expect(owner.held).toBe(0);
});

test('the end is told once, and what lies beyond is not handed out', () => {
  const { owner, makeReader, push, takeOffsets, finished } = setUp(3);
  const reader = makeReader();
  push(reader, joined(batch(0, 2), batch(2, 1), batch(3, 5), batch(8, 1)));
  expect(takeOffsets()).toEqual([0, 2]);
  expect(finished).toEqual([reader]);
  expect(owner.held).toBe(0);
});

test('a gap at the end, left by compaction, ends the reading too', () => {
  const { makeReader, push, takeOffsets, finished } = setUp(3);
  const reader = makeReader();
  push(reader, joined(batch(0, 2), batch(5, 1)));
  expect(takeOffsets()).toEqual([0]);
  expect(finished).toEqual([reader]);
});

test('a mark is reached after what was fetched before it', () => {
  const { buffer, makeReader, push } = setUp();
  const reader = makeReader();
  push(reader, batch(0, 2));
  buffer.pushMark(reader, () => {
    throw new Error('boom');
  });
  expect(buffer.take()?.batch.baseOffset).toBe(0);
  expect(() => buffer.take()).toThrow('boom');
  expect(buffer.take()).toBeUndefined();
});

test('a mark from before a move is not reached', () => {
  const { buffer, makeReader } = setUp();
  const reader = makeReader();
  buffer.pushMark(reader, () => {
    throw new Error('boom');
  });
  reader.moveTo(3);
  expect(buffer.take()).toBeUndefined();
});

test('bytes that are no batches are refused when they come', () => {
  const { buffer, owner, makeReader } = setUp();
  const reader = makeReader();
  const cut = batch(0, 3).subarray(0, 40);
  expect(() => buffer.push(reader, cut, owner)).toThrow('orders-0 cannot be read at offset 0');
  const endless = new Uint8Array(100);
  expect(() => buffer.push(reader, endless, owner)).toThrow('cannot be read');
  expect(reader.fetchOffset).toBe(0);
});

test('a batch that fails its checksum is refused when its turn comes', () => {
  const { buffer, makeReader, push } = setUp();
  const reader = makeReader();
  const bad = batch(2, 1);
  bad[30]! ^= 1;
  push(reader, joined(batch(0, 2), bad));
  buffer.advance(reader, Number(offset(buffer.take()!.batch.nextOffset)));
  expect(() => buffer.take()).toThrow(
    'orders-0 cannot be read at offset 2: the batch fails its checksum',
  );
});

test('whoever waits is woken by a batch, a mark and the close', async () => {
  const { buffer, makeReader, push, takeOffsets } = setUp();
  const reader = makeReader();
  const first = buffer.whenArrived();
  push(reader, batch(0, 1));
  await first;
  await buffer.whenArrived();
  takeOffsets();
  const second = buffer.whenArrived();
  buffer.close();
  await second;
  await buffer.whenArrived();
});
