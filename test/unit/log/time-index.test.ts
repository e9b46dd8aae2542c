import { describe, expect, it } from 'vitest';
import { TimeIndex } from '../../../src/log/time-index.ts';
import { offset } from '../../../src/model/ids.ts';

function index(...entries: [timestampMs: number, lastOffset: number][]): TimeIndex {
  const made = new TimeIndex(offset(100));
  for (const [timestampMs, lastOffset] of entries)
    made.maybeAppend(timestampMs, offset(lastOffset));
  return made;
}

describe('a time index', () => {
  it('is written as Kafka does: timestamp, and last offset of its batch less the base', () => {
    const made = index([0x1_0203_0405, 104]);
    expect([...made.table.bytesFrom(0)]).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 4]);
    expect(made.timestampAt(0)).toBe(0x1_0203_0405);
    expect(made.offsetAt(0)).toBe(104);
  });

  it('takes only timestamps that are larger than all before', () => {
    const made = index([-1, 101], [5, 102], [5, 103], [4, 104], [6, 105]);
    expect(made.count).toBe(2);
    expect(made.offsetAt(1)).toBe(105);
  });

  it('finds the last entry below a time', () => {
    const made = index([10, 101], [20, 102], [30, 103]);
    expect(made.lower(10)).toBe(-1);
    expect(made.lower(11)).toBe(0);
    expect(made.lower(30)).toBe(1);
    expect(made.lower(31)).toBe(2);
  });

  it('is truncated by offset', () => {
    const made = index([10, 101], [20, 102], [30, 103]);
    made.truncateTo(offset(102));
    expect(made.count).toBe(1);
  });

  it('says what is wrong with entries that cannot be right', () => {
    const bytes = index([10, 101], [20, 105]).table.bytesFrom(0).slice();
    expect(new TimeIndex(offset(100), bytes).problem(offset(106))).toBe(null);
    expect(new TimeIndex(offset(100), bytes).problem(offset(105))).toContain('offset 105');
    const zeroed = bytes.slice();
    zeroed.fill(0, 12);
    expect(new TimeIndex(offset(100), zeroed).problem(offset(106))).toContain('entry 1');
    const huge = bytes.slice();
    huge[12] = 0x7f;
    expect(new TimeIndex(offset(100), huge).problem(offset(106))).toContain('2^53');
  });
});
