import { beforeEach, describe, expect, it } from 'vitest';
import { leaderEpoch, offset, producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import { epoch0, LogWorld, makeBatch } from './log-world.ts';

let world: LogWorld;

const joined = (...batches: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(batches));
const refused = (name: string) => ({ ok: false, row: { name } });

describe('an append', () => {
  beforeEach(async () => {
    world = new LogWorld(2);
    await world.start();
  });

  it('gives out dense offsets and writes them and the epoch into the batches', async () => {
    const records = joined(makeBatch({ count: 3 }), makeBatch({ count: 2 }));
    expect(world.append(records, leaderEpoch(4))).toEqual({
      ok: true,
      baseOffset: 0,
      lastOffset: 4,
      logAppendTimeMs: -1,
      duplicate: false,
    });
    const second = new BatchView(records, new BatchView(records, 0).sizeInBytes);
    expect([second.baseOffset, second.lastOffset, second.leaderEpoch]).toEqual([3, 4, 4]);
    expect(second.isCrcValid()).toBe(true);
    expect(world.append(makeBatch(), leaderEpoch(4))).toMatchObject({ baseOffset: 5 });
  });

  it('stamps the time of the append if the topic wants that, and checks no time then', () => {
    world.topicConfig = { ...world.topicConfig, messageTimestampType: 'LogAppendTime' };
    const records = makeBatch({ timestampMs: 9e15 - 1 });
    const nowMs = world.machine.clock.wallMs();
    expect(world.append(records)).toMatchObject({ ok: true, logAppendTimeMs: nowMs });
    const batch = new BatchView(records, 0);
    expect([batch.maxTimestamp, batch.timestampType]).toEqual([nowMs, 'append']);
    expect(batch.isCrcValid()).toBe(true);
  });

  it('is refused as a whole, with nothing changed, if one batch is bad', () => {
    const bad = makeBatch();
    bad[70]! ^= 1;
    const records = joined(makeBatch(), bad);
    expect(world.append(records)).toMatchObject(refused('CORRUPT_MESSAGE'));
    expect(world.log.logEndOffset).toBe(0);
    expect(world.append(new Uint8Array(0))).toMatchObject(refused('INVALID_RECORD'));
    expect(world.append(makeBatch().subarray(0, 40))).toMatchObject(refused('CORRUPT_MESSAGE'));
  });

  it('is refused if it is too large for the topic or for a segment', () => {
    world.topicConfig = { ...world.topicConfig, maxMessageBytes: 1000 };
    expect(world.append(makeBatch({ valueBytes: 1000 }))).toMatchObject(
      refused('MESSAGE_TOO_LARGE'),
    );
    const many = joined(...Array.from({ length: 10 }, () => makeBatch({ valueBytes: 500 })));
    expect(world.append(many)).toMatchObject(refused('RECORD_LIST_TOO_LARGE'));
  });

  it('is refused under an epoch that is older than the log has', () => {
    world.append(makeBatch(), leaderEpoch(4));
    expect(world.append(makeBatch(), leaderEpoch(3))).toMatchObject(refused('FENCED_LEADER_EPOCH'));
  });

  it('that is repeated answers the offsets of then, and appends nothing', () => {
    const batch = () =>
      makeBatch({ count: 2, producer: { id: producerId(1), epoch: 0, baseSequence: 0 } });
    world.append(makeBatch());
    world.append(batch());
    world.append(makeBatch());
    expect(world.append(batch())).toMatchObject({
      ok: true,
      duplicate: true,
      baseOffset: 1,
      lastOffset: 2,
    });
    expect(world.log.logEndOffset).toBe(4);
  });

  it('of a control batch is for coordinators only', () => {
    const marker = () =>
      buildTransactionMarker({
        type: 'abort',
        producerId: producerId(1),
        producerEpoch: 0,
        coordinatorEpoch: 1,
        timestampMs: 1000,
      });
    expect(world.append(marker())).toMatchObject(refused('INVALID_RECORD'));
    expect(world.log.append(marker(), epoch0, 'coordinator')).toMatchObject({ ok: true });
  });

  it('of a follower keeps offsets and epochs, and must fit the end of the log', () => {
    const { log } = world;
    const from = (baseOffset: number, epoch: number): Uint8Array => {
      const records = makeBatch({ count: 2 });
      new BatchView(records, 0).assignOffset(offset(baseOffset), leaderEpoch(epoch));
      return records;
    };
    const follow = (records: Uint8Array) => log.append(records, epoch0, 'leader');
    expect(follow(joined(from(0, 3), from(2, 5)))).toMatchObject({ ok: true, lastOffset: 3 });
    expect(log.leaderEpochs.entries).toEqual([
      { epoch: 3, startOffset: 0 },
      { epoch: 5, startOffset: 2 },
    ]);
    expect(follow(from(5, 5))).toMatchObject(refused('OFFSET_OUT_OF_RANGE'));
    expect(follow(from(4, 4))).toMatchObject(refused('OFFSET_OUT_OF_RANGE'));
    expect(log.logEndOffset).toBe(4);
  });
});

describe('a segment is closed', () => {
  beforeEach(async () => {
    world = new LogWorld(2);
    world.topicConfig = { ...world.topicConfig, segmentBytes: 100_000 };
    await world.start();
  });

  it('when an append would make it larger than allowed', () => {
    world.topicConfig = { ...world.topicConfig, segmentBytes: 300 };
    for (let i = 0; i < 4; i++) world.append(makeBatch({ valueBytes: 40 }));
    expect(world.log.segmentCount).toBe(2);
  });

  it('when a record is so much younger than its first', () => {
    world.topicConfig = { ...world.topicConfig, segmentMs: 100 };
    for (const timestampMs of [1000, 1100, 1101, 1150]) world.append(makeBatch({ timestampMs }));
    expect(world.log.segmentCount).toBe(2);
  });

  it('when its index is full', () => {
    world.topicConfig = { ...world.topicConfig, segmentIndexBytes: 36, indexIntervalBytes: 0 };
    for (let i = 0; i < 4; i++) world.append(makeBatch({ timestampMs: 1000 + i }));
    expect(world.log.segmentCount).toBe(2);
  });

  it('on request, but not when it is empty', () => {
    world.log.roll();
    expect(world.log.segmentCount).toBe(0);
    world.append(makeBatch());
    world.log.roll();
    world.log.roll();
    expect(world.log.segmentCount).toBe(2);
  });
});
