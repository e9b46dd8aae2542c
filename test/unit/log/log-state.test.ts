import { describe, expect, it } from 'vitest';
import { emptyLog, LogState } from '../../../src/log/log-state.ts';
import { Segment } from '../../../src/log/segment.ts';
import { TailCache } from '../../../src/log/tail-cache.ts';
import { offset } from '../../../src/model/ids.ts';

function stateOf(...bases: number[]): LogState {
  const segments = bases.map((base) => new Segment('log', offset(base)));
  for (const segment of segments) segment.sizeInBytes = 10;
  const recovered = { ...emptyLog(10), segments, logStartOffset: offset(bases[0] ?? 0) };
  return new LogState(recovered, new TailCache(100));
}

describe('the state of a log', () => {
  it('begins at 0 with nothing in it', () => {
    const state = stateOf();
    expect([state.logStartOffset, state.logEndOffset, state.flushedOffset]).toEqual([0, 0, 0]);
    expect(state.active).toBe(undefined);
  });

  it('knows in which segment an offset lies', () => {
    const state = stateOf(5, 10, 20);
    expect([5, 9, 10, 19, 20, 99].map((at) => state.segmentOf(offset(at)).baseOffset)).toEqual([
      5, 5, 10, 10, 20, 20,
    ]);
    expect(() => state.segmentOf(offset(4))).toThrow('in one of its segments');
    expect(state.active?.baseOffset).toBe(20);
    expect(state.sizeInBytes).toBe(30);
  });
});
