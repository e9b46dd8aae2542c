import { beforeEach, describe, expect, it } from 'vitest';
import { type LogMark, NO_INDEX } from '../../../src/log/durable-marks.ts';
import { LeaderEpochs } from '../../../src/log/leader-epochs.ts';
import { ProducerStates } from '../../../src/log/producer-states.ts';
import { RecoveryWalk } from '../../../src/log/recovery-walk.ts';
import { SegmentIndexes } from '../../../src/log/segment-indexes.ts';
import { leaderEpoch, offset } from '../../../src/model/ids.ts';
import { orders, topicPartition } from './log-world.ts';
import { flip, INTERVAL_BYTES, type WrittenSegment, writeSegment } from './segment-world.ts';

let written: WrittenSegment;

/** A mark after `count` batches of the segment. */
const markAfter = (count: number): LogMark => ({
  topicPartition,
  topicId: orders,
  logStartOffset: offset(10),
  endOffset: offset(10 + count * 2),
  segmentBase: offset(10),
  position: written.positions[count] ?? written.segment.sizeInBytes,
  finishedBefore: offset(10),
  index: NO_INDEX,
  isClean: false,
  segmentCount: 1,
  totalBytes: 0,
  epochs: [{ epoch: leaderEpoch(0), startOffset: offset(10) }],
});

async function walk(mark: LogMark | undefined) {
  const { segment, file } = written;
  segment.indexes = new SegmentIndexes(segment.baseOffset);
  const writes: number[] = [];
  const write = file.write.bind(file);
  file.write = (position, buffers) => {
    writes.push(position);
    return write(position, buffers);
  };
  const found = new RecoveryWalk(segment, file, {
    mark,
    intervalBytes: INTERVAL_BYTES,
    nowMs: 1,
    replayFrom: offset(10),
    logStartOffset: offset(10),
    epochs: new LeaderEpochs(mark?.epochs),
    producers: new ProducerStates(10),
    onScanned: () => {},
  });
  await found.run(0);
  file.write = write;
  const { position, nextOffset, problem, rewriteFrom } = found;
  return { position, nextOffset, problem, rewriteFrom, writes };
}

describe('a walk through a segment', () => {
  beforeEach(async () => {
    written = await writeSegment(8);
  });

  it('writes again what lies above the mark, and nothing below it', async () => {
    const found = await walk(markAfter(3));
    expect(found).toMatchObject({ nextOffset: 26, problem: null });
    expect(found.writes).toEqual([written.positions[3]]);
    expect((await walk(markAfter(8))).writes).toEqual([]);
    expect((await walk(undefined)).writes).toEqual([0]);
  });

  it('makes the indexes anew', async () => {
    const before = written.segment.indexes!.offsets.table.bytesFrom(0).slice();
    await walk(undefined);
    expect(written.segment.indexes!.offsets.table.bytesFrom(0)).toEqual(before);
  });

  it('stops at a batch that does not follow the one before, in offset or epoch', async () => {
    await flip(written.file, written.positions[5]! + 7);
    expect(await walk(undefined)).toMatchObject({
      position: written.positions[5],
      nextOffset: 20,
      problem: 'a batch from offset 21 where 20 is next',
    });
    await flip(written.file, written.positions[5]! + 7);
    await flip(written.file, written.positions[5]! + 15);
    expect(await walk(undefined)).toMatchObject({
      position: written.positions[6],
      problem: 'a batch of leader epoch 0 after one of 1',
    });
    expect(await walk(markAfter(8))).toMatchObject({
      position: written.positions[5],
      problem: 'a batch of leader epoch 1 where 0 is known',
    });
  });

  it('stops at a batch that lies across the mark', async () => {
    const mark = { ...markAfter(3), position: written.positions[3]! + 1 };
    expect(await walk(mark)).toMatchObject({
      position: written.positions[3],
      problem: expect.stringContaining('does not fit the mark'),
    });
  });

  it('tells the time of the first batch', async () => {
    expect(await RecoveryWalk.firstTimestamp(written.file)).toBe(1001);
  });
});
