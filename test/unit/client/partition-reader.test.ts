import { expect, test } from 'vitest';
import type { FetchConnection } from '../../../src/client/fetch-connection.ts';
import { PartitionReader, ReaderTable } from '../../../src/client/partition-reader.ts';

const reader = (endOffset = Number.POSITIVE_INFINITY) =>
  new PartitionReader({ topic: 'orders', partition: 2 }, 'id', { position: 10, endOffset });

test('what is fetched runs ahead of what is handed out, and neither goes back', () => {
  const one = reader();
  one.fetched(30);
  one.advance(15);
  one.fetched(20);
  one.advance(12);
  expect([one.position, one.fetchOffset, one.generation]).toEqual([15, 30, 0]);
});

test('a move drops what was fetched, and reads anew', () => {
  const one = reader();
  one.fetched(30);
  one.isHalted = true;
  one.link = { connection: {} as FetchConnection, correlationId: 1 };
  one.moveTo(5);
  expect([one.position, one.fetchOffset, one.generation]).toEqual([5, 5, 1]);
  expect([one.link, one.isHalted]).toEqual([undefined, false]);
});

test('a rewind goes back to what was handed out', () => {
  const one = reader();
  one.fetched(30);
  one.advance(15);
  one.rewind();
  expect([one.position, one.fetchOffset]).toEqual([15, 15]);
});

test('the end is exclusive', () => {
  const one = reader(12);
  one.advance(11);
  expect(one.isFinished).toBe(false);
  one.advance(12);
  expect(one.isFinished).toBe(true);
  expect(reader(10).isFinished).toBe(true);
});

test('the table finds readers by topic and partition', () => {
  const table = new ReaderTable();
  const one = reader();
  table.add(one);
  expect(table.get('orders', 2)).toBe(one);
  expect(table.get('orders', 1)).toBeUndefined();
  expect(table.get('other', 2)).toBeUndefined();
  expect(table.all).toEqual([one]);
});
