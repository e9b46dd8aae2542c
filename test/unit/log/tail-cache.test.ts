import { describe, expect, it } from 'vitest';
import { LogTail, TailCache } from '../../../src/log/tail-cache.ts';
import { leaderEpoch, offset } from '../../../src/model/ids.ts';
import { splitBatches } from '../../../src/records/validate-batch.ts';
import { makeBatch } from './log-world.ts';

/** Neighbouring batches of two records each from `base` on. */
function batches(base: number, count: number): Uint8Array {
  const bytes = new Uint8Array(
    Buffer.concat(Array.from({ length: count }, (_, i) => makeBatch({ count: 2, tag: i }))),
  );
  splitBatches(bytes).forEach((batch, i) => {
    batch.assignOffset(offset(base + i * 2), leaderEpoch(0));
  });
  return bytes;
}

const size = batches(0, 1).length;

function tailOf(limit: number, chunks: readonly number[]): { tail: LogTail; cache: TailCache } {
  const cache = new TailCache(limit);
  const tail = new LogTail(cache, offset(0));
  let at = 0;
  for (const count of chunks) {
    tail.append(batches(at, count), offset(at), offset(at + count * 2));
    at += count * 2;
  }
  return { tail, cache };
}

const ends = (tail: LogTail, from: number, maxBytes: number, end: number) => {
  const read = tail.read(offset(from), maxBytes, offset(end));
  return read === null ? null : [read.bytes / size, read.nextOffset];
};

describe('the tail of a log', () => {
  it('reads whole batches across chunks, up to a size but at least one', () => {
    const { tail } = tailOf(10_000, [1, 3, 1]);
    expect(ends(tail, 0, 10_000, 10)).toEqual([5, 10]);
    expect(ends(tail, 0, size * 3, 10)).toEqual([3, 6]);
    expect(ends(tail, 3, 1, 10)).toEqual([1, 4]);
    expect(ends(tail, 5, size * 2, 10)).toEqual([2, 8]);
    expect(ends(tail, 5, 10_000, 10)).toEqual([3, 10]);
  });

  it('reads nothing that reaches the end offset', () => {
    const { tail } = tailOf(10_000, [1, 3, 1]);
    expect(ends(tail, 0, 10_000, 7)).toEqual([3, 6]);
    expect(ends(tail, 0, 10_000, 1)).toEqual([0, 0]);
  });

  it('drops the oldest first when the budget is spent, and says that it is not there', () => {
    const { tail, cache } = tailOf(size * 2, [1, 1, 1, 1]);
    expect(ends(tail, 0, 10_000, 8)).toEqual([4, 8]);
    tail.written(offset(8));
    expect(cache.bytes).toBe(size * 2);
    expect(ends(tail, 3, 10_000, 8)).toBe(null);
    expect(ends(tail, 4, 10_000, 8)).toEqual([2, 8]);
  });

  it('keeps what is not written, whatever the budget says', () => {
    const { tail, cache } = tailOf(0, [1, 1, 1]);
    tail.written(offset(2));
    expect(ends(tail, 2, 10_000, 6)).toEqual([2, 6]);
    expect(cache.bytes).toBe(size * 2);
  });

  it('is cut inside a chunk, and grows again', () => {
    const { tail } = tailOf(10_000, [1, 3]);
    tail.truncateTo(offset(5));
    expect(ends(tail, 0, 10_000, 99)).toEqual([2, 4]);
    tail.append(batches(4, 1), offset(4), offset(6));
    expect(ends(tail, 0, 10_000, 99)).toEqual([3, 6]);
    tail.truncateTo(offset(0));
    expect(ends(tail, 0, 10_000, 99)).toBe(null);
  });

  it('shares the budget with other logs and gives its part back', () => {
    const cache = new TailCache(size * 2);
    const [a, b] = [new LogTail(cache, offset(0)), new LogTail(cache, offset(0))];
    for (const tail of [a, b]) {
      tail.append(batches(0, 1), offset(0), offset(2));
      tail.written(offset(2));
    }
    b.append(batches(2, 1), offset(2), offset(4));
    expect(ends(a, 0, 100, 2)).toBe(null);
    expect(ends(b, 0, 10_000, 4)).toEqual([2, 4]);
    b.clear();
    expect(cache.bytes).toBe(0);
  });
});
