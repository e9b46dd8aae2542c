import { beforeEach, describe, expect, it } from 'vitest';
import { leaderEpoch, offset, producerId, topicId } from '../../../src/model/ids.ts';
import { LogWorld, makeBatch, orders, smallTopic, topicPartition } from './log-world.ts';

let world: LogWorld;

/** Segments of three batches of two records: bases 0, 6, 12, 18. */
async function twelveBatches(): Promise<void> {
  world.topicConfig = { ...world.topicConfig, segmentBytes: 850 };
  await world.start();
  for (let i = 0; i < 12; i++) {
    const producer = { id: producerId(1), epoch: 0, baseSequence: i * 2 };
    const batch = makeBatch({ count: 2, valueBytes: 100, tag: i, timestampMs: 1000 + i, producer });
    await world.appendDurably(batch, leaderEpoch(Math.floor(i / 4)));
  }
}

const bases = async (): Promise<number[]> =>
  (await world.names())
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number(name.slice(0, 20)));

describe('the start of a log', () => {
  beforeEach(async () => {
    world = new LogWorld(5);
    await twelveBatches();
    expect(await bases()).toEqual([0, 6, 12, 18]);
  });

  it('that was advanced stays there after a power cut', async () => {
    await world.run(world.log.advanceLogStart(offset(9)));
    expect(world.log.logStartOffset).toBe(9);
    await world.crashAndOpen('power');
    expect(world.log.logStartOffset).toBe(9);
    expect(await bases()).toEqual([6, 12, 18]);
    expect(world.log.read(offset(8), 100, offset(24))).toMatchObject({
      row: { name: 'OFFSET_OUT_OF_RANGE' },
    });
    expect(world.log.leaderEpochs.entries[0]).toEqual({ epoch: 1, startOffset: 9 });
  });

  it('is not seen before it is durable', async () => {
    const { log } = world;
    const moved = log.advanceLogStart(offset(9));
    while (log.logStartOffset === 0) await world.settle(0.1);
    await world.crashAndOpen('power');
    expect(world.log.logStartOffset).toBe(9);
    moved.catch(() => {});
  });

  it('never moves back', async () => {
    await world.run(world.log.advanceLogStart(offset(9)));
    await world.run(world.log.advanceLogStart(offset(3)));
    expect(world.log.logStartOffset).toBe(9);
  });

  it('may be the end of the log, which then goes on from there', async () => {
    await world.run(world.log.advanceLogStart(offset(24)));
    await world.crashAndOpen('power');
    expect([world.log.logStartOffset, world.log.logEndOffset]).toEqual([24, 24]);
    expect(world.append(makeBatch(), leaderEpoch(2))).toMatchObject({ baseOffset: 24 });
  });
});

describe('retention of a log', () => {
  beforeEach(async () => {
    world = new LogWorld(5);
    await twelveBatches();
  });

  const retain = async (limits: object, nowMs: number | null, highWatermark = 24) => {
    world.topicConfig = { ...world.topicConfig, retentionMs: -1, retentionBytes: -1, ...limits };
    await world.run(world.log.applyRetention(nowMs, offset(highWatermark)));
    return world.log.logStartOffset;
  };

  it('by size leaves at least the limit', async () => {
    const size = world.log.sizeInBytes;
    expect(await retain({ retentionBytes: size }, 0)).toBe(0);
    expect(await retain({ retentionBytes: size / 2 + 1 }, 0)).toBe(6);
    expect(world.log.sizeInBytes).toBeGreaterThanOrEqual(size / 2 + 1);
    expect(await retain({ retentionBytes: 0 }, 0)).toBe(18);
    expect(await bases()).toEqual([18]);
  });

  it('by time takes segments whose records are all older', async () => {
    // The newest records of the segments are of 1003, 1006, 1009 and 1012.
    expect(await retain({ retentionMs: 100 }, 1106)).toBe(6);
    expect(await retain({ retentionMs: 100 }, 1107)).toBe(12);
  });

  it('closes an active segment that is wholly too old, and keeps the end of the log', async () => {
    expect(await retain({ retentionMs: 100 }, 1e6)).toBe(24);
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(24);
    expect(await bases()).toEqual([24]);
  });

  it('takes nothing at or above the high watermark', async () => {
    expect(await retain({ retentionMs: 100 }, 1e6, 11)).toBe(6);
    expect(await retain({ retentionMs: 100 }, 1e6, 12)).toBe(12);
  });

  it('takes nothing by time when the clock cannot be trusted', async () => {
    expect(await retain({ retentionMs: 100 }, null)).toBe(0);
    expect(await retain({ retentionMs: 100, retentionBytes: 0 }, null)).toBe(18);
  });
});

describe('the truncation of a log', () => {
  beforeEach(async () => {
    world = new LogWorld(5);
    await twelveBatches();
  });

  it('removes the batch that holds the offset and all after it, for good', async () => {
    await world.run(world.log.truncateTo(offset(9)));
    expect(world.log.logEndOffset).toBe(8);
    expect(world.log.flushedOffset).toBe(8);
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(8);
    expect(world.log.leaderEpochs.entries).toEqual([{ epoch: 0, startOffset: 0 }]);
    expect(await bases()).toEqual([0, 6]);
  });

  it('takes back what the producers had sent', async () => {
    await world.run(world.log.truncateTo(offset(8)));
    const again = (sequence: number) =>
      makeBatch({
        count: 2,
        valueBytes: 100,
        producer: { id: producerId(1), epoch: 0, baseSequence: sequence },
      });
    expect(world.append(again(6), leaderEpoch(2))).toMatchObject({
      duplicate: true,
      baseOffset: 6,
    });
    expect(world.append(again(8), leaderEpoch(2))).toMatchObject({
      duplicate: false,
      baseOffset: 8,
    });
  });

  it('to the end of the log does nothing, to its start empties it', async () => {
    await world.run(world.log.truncateTo(offset(24)));
    expect(world.log.logEndOffset).toBe(24);
    await world.run(world.log.truncateTo(offset(0)));
    expect(world.log.logEndOffset).toBe(0);
    await world.appendDurably(makeBatch({ tag: 77 }), leaderEpoch(5));
    await world.crashAndOpen('power');
    expect((await world.readAll()).length).toBe(1);
  });

  it('keeps the marks true while it waits for its turn', async () => {
    const other = world.directory.openLog({ topic: 'other', partition: 0 }, orders, smallTopic);
    other.append(makeBatch(), leaderEpoch(0), 'client');
    await world.machine.scheduler.run(() => other.flushedOffset === 1);
    world.machine.disk.plan({ operation: 'sync', path: /orders.*log$/, delayMs: 500 });
    world.append(makeBatch(), leaderEpoch(2));
    await world.settle(20);
    world.log.truncateTo(offset(4)).catch(() => {});
    // Makes the directory write the marks of all logs.
    await world.run(other.advanceLogStart(offset(1)));
    await world.crashAndOpen('power');
    expect(world.log.corruption).toBe(null);
    expect([24, 25]).toContain(world.log.logEndOffset);
  });

  it('waits until the folder of an older topic is out of the way', async () => {
    const newer = topicId('AAAAAAAAAAAAAAAAAAAAAg');
    world.machine.disk.plan({ operation: 'sync', path: /orders-0\/.*\.log$/, delayMs: 200 });
    world.append(makeBatch(), leaderEpoch(2));
    await world.settle(5);
    const gone = world.directory.delete(topicPartition, orders);
    const log = world.directory.openLog(topicPartition, newer, smallTopic);
    for (let tag = 0; tag < 3; tag++) log.append(makeBatch({ tag }), leaderEpoch(0), 'client');
    await world.run(Promise.all([gone, log.truncateTo(offset(1))]));
    expect([log.logEndOffset, log.flushedOffset]).toEqual([1, 1]);
    world.describe = (_, id) => (id === newer ? smallTopic : 'deleted');
    await world.crashAndOpen('power');
    expect(world.directory.log(topicPartition)).toMatchObject({
      topicId: newer,
      logEndOffset: 1,
      corruption: null,
    });
  });

  it('is refused when the log is closed', async () => {
    const { log } = world;
    await world.run(world.directory.close());
    await expect(log.truncateTo(offset(8))).rejects.toThrow('the log of orders-0 is closed');
  });

  it('lets no reader have records that are cut once it has begun', async () => {
    const seen = { before: 0, after: 0 };
    for (let seed = 1; seed <= 60; seed++) {
      world = new LogWorld(seed);
      world.config = { ...world.config, tailCacheBytes: 0 };
      await twelveBatches();
      const { log } = world;
      const reading = Promise.resolve(log.read(offset(6), 10_000, offset(24))).then((outcome) => {
        if (!outcome.ok) throw new Error(outcome.detail);
        expect(outcome.nextOffset).toBeGreaterThan(6);
        expect(outcome.nextOffset).toBeLessThanOrEqual(log.logEndOffset);
        seen[log.logEndOffset === 24 ? 'before' : 'after']++;
      });
      await world.settle(0.03 * (seed % 30));
      const truncated = log.truncateTo(offset(8));
      await world.run(Promise.all([reading, truncated]));
    }
    expect(Math.min(seen.before, seen.after)).toBeGreaterThan(5);
  });
});
