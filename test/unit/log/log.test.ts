import { beforeEach, describe, expect, it } from 'vitest';
import { leaderEpoch, offset, producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { epoch0, LogWorld, makeBatch } from './log-world.ts';

const producer = (baseSequence: number, id = 1) => ({
  producer: { id: producerId(id), epoch: 0, baseSequence },
});

const firstSegment = '00000000000000000000.log';

let world: LogWorld;

beforeEach(async () => {
  world = new LogWorld(7);
  await world.start();
});

describe('flushing (DESIGN D8, 4b)', () => {
  it('raises the flushed offset after the fsync, once for all that was appended meanwhile', async () => {
    const { log } = world;
    const raised: number[] = [];
    const synced: string[] = [];
    await world.appendDurably(makeBatch());
    log.onFlushed = (flushed) => raised.push(flushed);
    world.machine.disk.onSync = (_kind, path) => {
      synced.push(path);
      return undefined;
    };
    for (let i = 0; i < 5; i++) world.append(makeBatch());
    expect(log.logEndOffset).toBe(6);
    expect(log.flushedOffset).toBe(1);
    await world.settle(100);
    expect(raised).toEqual([6]);
    expect(synced.filter((path) => path.endsWith('.log'))).toEqual([
      `data/orders-0/${firstSegment}`,
    ]);
  });

  it('counts a written record as flushed without an fsync if the topic is only replicated', async () => {
    world.topicConfig = { ...world.topicConfig, durability: 'replicated' };
    const { log } = world;
    const synced: string[] = [];
    world.machine.disk.onSync = (_kind, path) => {
      if (path.endsWith('.log')) synced.push(path);
      return undefined;
    };
    await world.appendDurably(makeBatch());
    expect(synced).toEqual([]);
    expect(log.durableOffset).toBe(0);
    log.updateConfig({ ...world.topicConfig, durability: 'durable' });
    await world.settle(100);
    expect(log.durableOffset).toBe(1);
  });

  it('rule 1: bytes that a failed fsync lost are durable after recovery, before they count', async () => {
    await world.appendDurably(makeBatch({ tag: 1 }));
    world.machine.disk.plan({ operation: 'sync', path: /\.log$/, code: 'EIO' });
    world.append(makeBatch({ tag: 2 }));
    await world.settle(100);
    expect(world.failures.length).toBe(1);
    // The kernel takes the lost pages for clean: a new process sees them, and its fsync succeeds.
    await world.crashAndOpen('process');
    expect(world.log.flushedOffset).toBe(2);
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(2);
  });

  it('rule 2: a flush that began before a truncation does not count after it', async () => {
    const { log } = world;
    await world.appendDurably(makeBatch({ tag: 1 }));
    const raised: number[] = [];
    log.onFlushed = (flushed) => raised.push(flushed);
    world.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs: 50 });
    world.append(makeBatch({ tag: 2, count: 3 }));
    await world.settle(20);
    const truncated = log.truncateTo(offset(1));
    expect(log.flushedOffset).toBe(1);
    await world.run(truncated);
    expect(raised).toEqual([]);
    world.append(makeBatch({ tag: 3 }));
    await world.settle(100);
    expect(raised).toEqual([2]);
    const [, second] = await world.readAll();
    expect(second!.at(-2)).toBe(3);
  });

  it('rule 4: all five remembered batches are known after a restart of any kind', async () => {
    for (let i = 0; i < 7; i++) await world.appendDurably(makeBatch(producer(i)));
    for (const kind of ['clean', 'process', 'power'] as const) {
      if (kind === 'clean') await world.restartCleanly();
      else await world.crashAndOpen(kind);
      for (let i = 2; i < 7; i++) {
        expect(world.append(makeBatch(producer(i)))).toMatchObject({
          ok: true,
          duplicate: true,
          baseOffset: i,
        });
      }
      expect(world.append(makeBatch(producer(1)))).toMatchObject({
        ok: false,
        row: { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER' },
      });
    }
  });

  it('rule 4: they are known also when retention has deleted their batches', async () => {
    for (let i = 0; i < 5; i++) await world.appendDurably(makeBatch(producer(i)));
    world.log.roll();
    await world.appendDurably(makeBatch());
    await world.run(world.log.advanceLogStart(offset(6)));
    await world.crashAndOpen('power');
    expect(await world.names()).not.toContain(firstSegment);
    expect(world.append(makeBatch(producer(0)))).toMatchObject({ duplicate: true, baseOffset: 0 });
  });

  it('rule 6: a failed fsync takes the directory out of service, and nothing is tried again', async () => {
    const { log } = world;
    await world.appendDurably(makeBatch());
    world.machine.disk.plan({ operation: 'sync', path: /\.log$/, code: 'EIO' });
    world.append(makeBatch());
    await world.settle(100);
    expect(world.failures.map((error) => error.message)).toEqual([
      expect.stringContaining('the data directory is out of service'),
    ]);
    let syncs = 0;
    world.machine.disk.onSync = () => {
      syncs++;
      return undefined;
    };
    const row = { name: 'KAFKA_STORAGE_ERROR' };
    expect(world.append(makeBatch())).toMatchObject({ ok: false, row });
    expect(log.read(offset(0), 100, offset(1))).toMatchObject({ ok: false, row });
    await world.settle(5000);
    await world.run(world.directory.close());
    expect(syncs).toBe(0);
    expect(log.flushedOffset).toBe(1);
    expect(world.failures.length).toBe(1);
  });

  it('rule 6: a failed write does the same', async () => {
    await world.appendDurably(makeBatch());
    world.machine.disk.plan({ operation: 'write', path: /\.log$/, code: 'ENOSPC' });
    world.append(makeBatch());
    await world.settle(100);
    expect(world.failures.length).toBe(1);
    expect(world.log.flushedOffset).toBe(1);
    await expect(world.run(world.log.advanceLogStart(offset(1)))).rejects.toThrow('out of service');
  });

  it('rule 6: an fsync that hangs is reported', async () => {
    await world.appendDurably(makeBatch());
    world.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs: 30_000 });
    world.append(makeBatch());
    await world.settle(20_000);
    expect(world.stalls).toEqual([10_000]);
  });

  it('refuses appends while too much waits to be written', async () => {
    world.config = { ...world.config, unwrittenMaxBytes: 100 };
    await world.open();
    expect(world.append(makeBatch({ valueBytes: 100 }))).toMatchObject({ ok: true });
    expect(world.append(makeBatch())).toMatchObject({
      ok: false,
      row: { name: 'BROKER_OVERLOADED' },
    });
    await world.settle(100);
    expect(world.append(makeBatch())).toMatchObject({ ok: true });
  });
});

describe('a stop', () => {
  it('in order writes what is queued, and the next start reads no batch', async () => {
    for (let i = 0; i < 30; i++) world.append(makeBatch({ count: 3, valueBytes: 50 }));
    await world.restartCleanly();
    expect(world.log.logEndOffset).toBe(90);
    expect(world.reports.map(({ message }) => message)).not.toContain('recovering a log');
    expect((await world.readAll()).length).toBe(30);
  });

  it('in order is believed once: a crash after the next start is a crash', async () => {
    await world.appendDurably(makeBatch());
    await world.restartCleanly();
    world.append(makeBatch());
    await world.settle(5000);
    await world.crashAndOpen('process');
    expect(world.reports.map(({ message }) => message)).toContain('recovering a log');
    expect(world.log.logEndOffset).toBe(2);
  });

  it('refuses everything afterwards', async () => {
    const { log } = world;
    await world.appendDurably(makeBatch());
    await world.run(world.directory.close());
    const row = { name: 'KAFKA_STORAGE_ERROR' };
    expect(log.append(makeBatch(), epoch0, 'client')).toMatchObject({ ok: false, row });
    expect(log.read(offset(0), 1, offset(1))).toMatchObject({ ok: false, row });
  });
});

describe('leader epochs of a log', () => {
  it('are written into batches and survive every kind of restart', async () => {
    await world.appendDurably(makeBatch(), leaderEpoch(3));
    world.log.beginLeaderEpoch(leaderEpoch(5));
    await world.appendDurably(makeBatch(), leaderEpoch(5));
    for (const kind of ['process', 'power'] as const) {
      await world.crashAndOpen(kind);
      expect(world.log.leaderEpochs.entries).toEqual([
        { epoch: 3, startOffset: 0 },
        { epoch: 5, startOffset: 1 },
      ]);
    }
    const epochs = (await world.readAll()).map((bytes) => new BatchView(bytes, 0).leaderEpoch);
    expect(epochs).toEqual([3, 5]);
  });

  it('without records survive a stop in order', async () => {
    await world.appendDurably(makeBatch(), leaderEpoch(3));
    world.log.beginLeaderEpoch(leaderEpoch(9));
    await world.restartCleanly();
    expect(world.log.leaderEpochs.latestEpoch).toBe(9);
  });
});
