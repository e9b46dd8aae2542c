import { describe, expect, it } from 'vitest';
import { SegmentIndexes } from '../../../src/log/segment-indexes.ts';
import { offset } from '../../../src/model/ids.ts';

/** Batches of 100 bytes with two records each, times as given. */
function fill(indexes: SegmentIndexes, times: readonly number[], from = 0): void {
  times.forEach((time, i) => {
    const at = from + i;
    indexes.add(at * 100, offset(at * 2 + 1), time, 250);
  });
}

describe('the indexes of a segment', () => {
  it('get an entry for a batch that begins more than the interval after the last indexed one', () => {
    const indexes = new SegmentIndexes(offset(0));
    fill(indexes, [1, 2, 3, 4, 5, 6, 7]);
    expect(indexes.offsets.count).toBe(2);
    expect([indexes.offsets.positionAt(0), indexes.offsets.positionAt(1)]).toEqual([300, 600]);
    expect([indexes.offsets.offsetAt(0), indexes.offsets.offsetAt(1)]).toEqual([7, 13]);
    expect(indexes.lastIndexedPosition).toBe(600);
    expect(indexes.floorPosition(offset(6))).toBe(0);
    expect(indexes.floorPosition(offset(12))).toBe(300);
  });

  it('are read from damaged entries, and then say what is wrong with them', () => {
    const indexes = new SegmentIndexes(offset(0));
    fill(indexes, [1, 2, 3, 4]);
    const content = {
      offsets: indexes.offsets.table.bytesFrom(0).slice(),
      times: indexes.times.table.bytesFrom(0).slice(),
    };
    // The sign of the last offset.
    content.times[content.times.length - 4]! ^= 0x80;
    const read = new SegmentIndexes(offset(0), content);
    expect(read.problem(1000, offset(100))).toContain('does not rise');
  });

  it('keep the largest timestamp so far with each entry, and finish with the largest of all', () => {
    const indexes = new SegmentIndexes(offset(0));
    fill(indexes, [1, 9, 3, 4, 5, 20, 7]);
    expect(indexes.times.count).toBe(2);
    expect([indexes.times.timestampAt(0), indexes.times.offsetAt(0)]).toEqual([9, 3]);
    fill(indexes, [30], 7);
    expect(indexes.maxTimestampMs).toBe(30);
    indexes.finish();
    indexes.finish();
    expect(indexes.times.count).toBe(3);
    expect([indexes.times.timestampAt(2), indexes.times.offsetAt(2)]).toEqual([30, 15]);
  });

  it('change nothing when covered batches are added again', () => {
    const indexes = new SegmentIndexes(offset(0));
    fill(indexes, [1, 2, 3, 4, 5]);
    fill(indexes, [4, 5], 3);
    expect(indexes.offsets.count).toBe(1);
    expect(indexes.times.count).toBe(1);
  });

  it('are the same after truncation and adding what is left as if the rest had never been', () => {
    const indexes = new SegmentIndexes(offset(0));
    fill(indexes, [1, 2, 3, 4, 5, 99, 7, 8]);
    indexes.truncateTo(500, offset(10));
    fill(indexes, [4, 5], 3);
    const expected = new SegmentIndexes(offset(0));
    fill(expected, [1, 2, 3, 4, 5]);
    expect(indexes.offsets.table.bytesFrom(0)).toEqual(expected.offsets.table.bytesFrom(0));
    expect(indexes.times.table.bytesFrom(0)).toEqual(expected.times.table.bytesFrom(0));
    expect(indexes.maxTimestampMs).toBe(5);
  });

  it('are full when an entry more would not fit, with one time entry to spare', () => {
    const indexes = new SegmentIndexes(offset(0));
    expect(indexes.isFull(24)).toBe(false);
    fill(indexes, [1, 2, 3, 4]);
    expect(indexes.isFull(36)).toBe(false);
    expect(indexes.isFull(35)).toBe(true);
  });
});
