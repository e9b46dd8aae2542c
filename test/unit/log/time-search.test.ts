import { beforeEach, describe, expect, it } from 'vitest';
import { offset } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { LogWorld, makeBatch } from './log-world.ts';

let world: LogWorld;

/** Batches of two records a millisecond apart, each from one of the times on; small segments. */
async function fill(timesMs: readonly number[]): Promise<void> {
  for (const timestampMs of timesMs) {
    await world.appendDurably(makeBatch({ count: 2, valueBytes: 40, timestampMs }));
  }
}

/** Offset and time of the record with the largest. */
const largest = async (end: number = world.log.logEndOffset) => {
  const found = await world.run(world.log.offsetForTime('largest', offset(end)));
  return found === undefined ? undefined : [found.offset, found.timestampMs];
};

const rising = Array.from({ length: 30 }, (_, i) => 1000 + i * 10);

describe.each([0, 1_000_000])('the largest timestamp of a log, %d bytes in memory', (bytes) => {
  beforeEach(async () => {
    world = new LogWorld(4);
    world.config = { ...world.config, tailCacheBytes: bytes, openSegmentsMax: 1 };
    world.topicConfig = { ...world.topicConfig, segmentBytes: 1000, indexIntervalBytes: 100 };
    await world.start();
  });

  it('is that of the last record when times rise', async () => {
    await fill(rising);
    expect(world.log.segmentCount).toBeGreaterThan(3);
    expect(await largest()).toEqual([59, 1291]);
  });

  it('is where it is when times fall', async () => {
    await fill(rising.toReversed());
    expect(await largest()).toEqual([1, 1291]);
  });

  it('is that of the first of equals, in one segment and in several', async () => {
    await fill(rising.map(() => 1000));
    expect(await largest()).toEqual([1, 1001]);
  });

  it('counts only what may be read', async () => {
    await fill(rising);
    for (let end = 2; end < 60; end += 2)
      expect(await largest(end)).toEqual([end - 1, 990 + end * 5 + 1]);
  });

  it('counts only what is still there, also of the batch in which the log starts', async () => {
    await fill([...rising.toReversed(), 900]);
    for (const start of [2, 3, 21, 60]) {
      await world.run(world.log.advanceLogStart(offset(start)));
      const batch = Math.floor(start / 2);
      const first = batch === 30 ? 900 : rising.toReversed()[batch]!;
      expect(await largest()).toEqual([batch * 2 + 1, first + 1]);
    }
    await world.run(world.log.advanceLogStart(offset(62)));
    expect(await largest()).toBe(undefined);
  });

  it('is not that of a record that was deleted of a batch that is still there', async () => {
    const builder = new BatchBuilder({ compression: 0 });
    for (const timestampMs of [5000, 10]) builder.append({ key: null, value: null, timestampMs });
    await world.appendDurably(builder.build().slice());
    await fill(rising);
    expect(await largest()).toEqual([0, 5000]);
    await world.run(world.log.advanceLogStart(offset(1)));
    expect(await largest(2)).toEqual([1, 10]);
    expect(await largest()).toEqual([61, 1291]);
  });

  it('is found behind one that is beyond what may be read, or was deleted', async () => {
    await fill([5000, ...rising, 9000]);
    await world.run(world.log.advanceLogStart(offset(2)));
    expect(await largest(62)).toEqual([61, 1291]);
  });

  it('is none in an empty log, and none if no record has one', async () => {
    expect(await largest()).toBe(undefined);
    await world.appendDurably(makeBatch({ timestampMs: -1 }));
    expect(await largest()).toBe(undefined);
    await fill([0]);
    expect(await largest()).toEqual([2, 1]);
  });

  it('stays the same after a restart', async () => {
    await fill([...rising, ...rising.toReversed()]);
    await world.run(world.directory.close());
    await world.start();
    expect(await largest()).toEqual([59, 1291]);
  });
});

it('a search by time does not open segments beyond its end', async () => {
  world = new LogWorld(4);
  world.config = { ...world.config, tailCacheBytes: 0 };
  world.topicConfig = { ...world.topicConfig, segmentBytes: 1000 };
  await world.start();
  await fill(rising);
  world.machine.disk.plan({ operation: 'open', path: /0{17}[1-9]\d/, code: 'EIO', times: 99 });
  expect(await world.run(world.log.offsetForTime(1e6, offset(6)))).toBe(undefined);
  expect(await largest(6)).toEqual([5, 1021]);
});
