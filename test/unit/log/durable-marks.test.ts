import { describe, expect, it } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { decodeMarks, encodeMarks, type LogMark } from '../../../src/log/durable-marks.ts';
import { NO_JOURNAL } from '../../../src/log/journal-format.ts';
import { leaderEpoch, offset, topicId } from '../../../src/model/ids.ts';

const mark = (topic: string, partition: number): LogMark => ({
  topicPartition: { topic, partition },
  topicId: topicId('AAAAAAAAAAAAAAAAAAAAAQ'),
  logStartOffset: offset(5),
  endOffset: offset(2 ** 40),
  segmentBase: offset(2 ** 39),
  position: 2 ** 31 - 1,
  finishedBefore: offset(2 ** 39),
  index: { offsetEntries: 3, offsetCrc: 0xffff_ffff, timeEntries: 2, timeCrc: 1 },
  isClean: partition === 1,
  segmentCount: 7,
  totalBytes: 2 ** 45,
  epochs: [
    { epoch: leaderEpoch(0), startOffset: offset(5) },
    { epoch: leaderEpoch(9), startOffset: offset(100) },
  ],
});

describe('durable marks', () => {
  it('are read as they were written', () => {
    const marks = [mark('a', 0), mark('orders.eu', 1)];
    const point = { part: 3, position: 2 ** 33 };
    const { logs, journal } = decodeMarks(encodeMarks(marks, point));
    expect([...logs.keys()]).toEqual(['a-0', 'orders.eu-1']);
    expect([...logs.values()]).toEqual(marks);
    expect(journal).toEqual(point);
    expect(decodeMarks(encodeMarks([], NO_JOURNAL)).logs.size).toBe(0);
  });

  it('are not believed with any bit flipped or any byte missing', () => {
    const bytes = encodeMarks([mark('a', 0)], NO_JOURNAL);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 16;
      expect(() => decodeMarks(flipped)).toThrow(CorruptError);
      expect(() => decodeMarks(bytes.subarray(0, at))).toThrow(CorruptError);
    }
  });
});
