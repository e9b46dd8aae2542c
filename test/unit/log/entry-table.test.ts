import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { EntryTable, firstBeyond } from '../../../src/log/entry-table.ts';

/** `push` may move the table, so its position is used with the view of afterwards. */
function add(table: EntryTable, value: number): void {
  const at = table.push();
  table.view.setInt32(at, value);
}

describe('an entry table', () => {
  it('keeps entries as their file holds them, however it grows', () => {
    const table = new EntryTable(4);
    for (let i = 0; i < 100; i++) add(table, i);
    expect(table.count).toBe(100);
    expect(table.sizeInBytes).toBe(400);
    const copy = new EntryTable(4, table.bytesFrom(0).slice());
    expect(copy.count).toBe(100);
    expect(copy.view.getInt32(99 * 4)).toBe(99);
    expect(table.bytesFrom(98).length).toBe(8);
  });

  it('has the checksum of all its entries, after growing and after truncation', () => {
    const table = new EntryTable(4);
    for (let i = 0; i < 10; i++) add(table, i);
    expect(table.crc()).toBe(crc32c(table.bytesFrom(0)));
    for (let i = 0; i < 10; i++) add(table, i * 7);
    expect(table.crc()).toBe(crc32c(table.bytesFrom(0)));
    table.truncate(5);
    add(table, 99);
    expect(table.crc()).toBe(crc32c(table.bytesFrom(0)));
  });

  it('refuses content that ends inside an entry', () => {
    expect(() => new EntryTable(4, new Uint8Array(7))).toThrow('whole entries');
  });
});

describe('firstBeyond', () => {
  it('finds the first index for which it holds', () => {
    for (let count = 0; count < 9; count++) {
      for (let first = 0; first <= count; first++) {
        expect(firstBeyond(count, (i) => i >= first)).toBe(first);
      }
    }
  });
});
