import { describe, expect, it } from 'vitest';
import { OffsetIndex } from '../../../src/log/offset-index.ts';
import { offset } from '../../../src/model/ids.ts';

const base = offset(100);

function index(...entries: [lastOffset: number, position: number][]): OffsetIndex {
  const made = new OffsetIndex(base);
  for (const [lastOffset, position] of entries) made.append(offset(lastOffset), position);
  return made;
}

describe('an offset index', () => {
  it('is written as Kafka does: last offset of the batch less the base, and its position', () => {
    expect([...index([104, 4200], [300, 70_000]).table.bytesFrom(0)]).toEqual([
      0, 0, 0, 4, 0, 0, 0x10, 0x68, 0, 0, 0, 200, 0, 1, 0x11, 0x70,
    ]);
  });

  it('finds the last entry that is not above an offset', () => {
    const made = index([104, 10], [110, 20], [120, 30]);
    expect(made.floor(offset(103))).toBe(-1);
    expect(made.floor(offset(104))).toBe(0);
    expect(made.floor(offset(119))).toBe(1);
    expect(made.floor(offset(500))).toBe(2);
  });

  it('is truncated by position', () => {
    const made = index([104, 10], [110, 20], [120, 30]);
    made.truncateTo(20);
    expect(made.count).toBe(1);
  });

  it('says what is wrong with entries that cannot be right', () => {
    expect(index([104, 10], [110, 20]).problem(100, offset(200))).toBe(null);
    expect(index().problem(0, base)).toBe(null);
    expect(index([104, 10], [104, 20]).problem(100, offset(200))).toContain('entry 1');
    expect(index([104, 10], [110, 10]).problem(100, offset(200))).toContain('entry 1');
    expect(index([104, 10], [110, 200]).problem(100, offset(200))).toContain('byte 200');
    expect(index([104, 10], [210, 20]).problem(100, offset(200))).toContain('offset 210');
  });
});
