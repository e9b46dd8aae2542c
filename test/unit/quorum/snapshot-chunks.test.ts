import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { leaderEpoch } from '../../../src/model/ids.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  lastIndexOfChunk,
} from '../../../src/quorum/snapshot-chunks.ts';

const snapshot = (lastIndex: number, count: number, bytes = 100 * 1024) => ({
  lastIndex,
  epoch: leaderEpoch(2),
  records: Array.from({ length: count }, (_, i) => new Uint8Array(bytes).fill(i)),
});
/** What is read, with texts for the records: bytes are compared one by one, which takes seconds. */
const read = (chunks: ReadonlyMap<number, Uint8Array>) => {
  const decoded = decodeSnapshot(chunks)!;
  return { ...decoded, records: decoded.records.map(text) };
};
const texts = (given: ReturnType<typeof snapshot>) => ({
  ...given,
  records: given.records.map(text),
});
const text = (record: Uint8Array): string => Buffer.from(record).toString('latin1');
const stored = (values: readonly Uint8Array[]) => new Map(values.entries());

test('a snapshot comes back from its chunks', () => {
  for (const count of [0, 1, 3, 4, 100]) {
    const chunks = encodeSnapshot(snapshot(9, count));
    expect(chunks.length).toBe(Math.max(1, Math.ceil(count / 3)));
    expect(read(stored(chunks))).toEqual({
      ...texts(snapshot(9, count)),
      chunkCount: chunks.length,
    });
  }
  expect(decodeSnapshot(new Map())).toBeUndefined();
});

test('a record that is larger than a chunk has one of its own', () => {
  const large = snapshot(9, 3, 1024 * 1024);
  expect(encodeSnapshot(large)).toHaveLength(3);
  expect(read(stored(encodeSnapshot(large)))).toMatchObject(texts(large));
});

test('chunks that an older snapshot has left behind the last are passed over', () => {
  const older = stored(encodeSnapshot(snapshot(5, 30)));
  const values = new Map([...older, ...stored(encodeSnapshot(snapshot(9, 6)))]);
  expect(values.size).toBe(10);
  expect(read(values)).toEqual({ ...texts(snapshot(9, 6)), chunkCount: 2 });
});

test('a chunk that is missing, damaged, or of another snapshot is found', () => {
  const chunks = encodeSnapshot(snapshot(9, 9));
  const other = encodeSnapshot(snapshot(8, 9));
  const cases: [string, (values: Map<number, Uint8Array>) => void][] = [
    ['chunk 0 of the snapshot is missing', (values) => values.delete(0)],
    ['chunk 2 of the snapshot is missing', (values) => values.delete(2)],
    ['chunk 1 of the snapshot belongs to another', (values) => values.set(1, other[1]!)],
    ['chunk 1 of the snapshot fails its checksum', (values) => values.set(1, chunks[2]!)],
    ['chunk 2 of the snapshot fails', (values) => values.set(2, chunks[2]!.subarray(1))],
  ];
  for (const [message, damage] of cases) {
    const values = stored(chunks);
    damage(values);
    expect(() => decodeSnapshot(values), message).toThrow(CorruptError);
    expect(() => decodeSnapshot(values)).toThrow(message);
  }
});

test('a chunk says which snapshot it is part of', () => {
  expect(encodeSnapshot(snapshot(2 ** 40, 9)).map(lastIndexOfChunk)).toEqual([
    2 ** 40,
    2 ** 40,
    2 ** 40,
  ]);
});
