import { beforeEach, describe, expect, it } from 'vitest';
import { offset, topicId } from '../../../src/model/ids.ts';
import { epoch0, FOLDER, LogWorld, makeBatch, orders, ROOT, topicPartition } from './log-world.ts';

const newer = topicId('AAAAAAAAAAAAAAAAAAAAAg');

let world: LogWorld;

const names = (): Promise<string[]> => world.run(world.env.files.list(ROOT));

describe('a data directory', () => {
  beforeEach(async () => {
    world = new LogWorld(3);
    await world.start();
  });

  it('makes the folder of a partition at its first append', async () => {
    expect(world.log.logEndOffset).toBe(0);
    await world.settle(5000);
    expect(await names()).toEqual(['durable-marks']);
    await world.appendDurably(makeBatch());
    expect(await names()).toContain('orders-0');
    const bytes = await world.run(world.env.files.readFile(`${FOLDER}/partition.metadata`));
    expect(new TextDecoder().decode(bytes)).toBe(`version: 0\ntopic_id: ${orders}\n`);
  });

  it('opens all logs again, each with its topic', async () => {
    for (let partition = 0; partition < 5; partition++) {
      const tp = { topic: 'many', partition };
      const log = world.directory.openLog(tp, newer, world.topicConfig);
      for (let i = 0; i <= partition; i++) log.append(makeBatch(), epoch0, 'client');
    }
    await world.restartCleanly();
    const found = [...world.directory.logs()].map((log) => [
      log.topicPartition.partition,
      log.topicId,
      log.logEndOffset,
    ]);
    expect(found.sort()).toEqual([0, 1, 2, 3, 4].map((n) => [n, newer, n + 1]));
    expect(world.directory.log({ topic: 'many', partition: 3 })?.logEndOffset).toBe(4);
    expect(world.directory.log(topicPartition)).toBe(undefined);
  });

  it('deletes a log: out of service at once, gone for good when that resolves', async () => {
    await world.appendDurably(makeBatch());
    const { log } = world;
    const deleted = world.directory.delete(topicPartition, orders);
    expect(log.append(makeBatch(), epoch0, 'client')).toMatchObject({ ok: false });
    await world.run(deleted);
    world.describe = () => {
      throw new Error('asked for a log that is gone');
    };
    await world.crashAndOpen('power');
    await world.settle(1000);
    expect(await names()).toEqual(['durable-marks']);
  });

  it('does nothing if the log to be deleted is of another topic, or not there', async () => {
    await world.appendDurably(makeBatch());
    await world.run(world.directory.delete(topicPartition, newer));
    await world.run(world.directory.delete({ topic: 'none', partition: 0 }, newer));
    expect(world.append(makeBatch())).toMatchObject({ ok: true });
  });

  it('lets a new topic of the same name begin while the old one is still being deleted', async () => {
    for (let i = 0; i < 5; i++) await world.appendDurably(makeBatch());
    const deleted = world.directory.delete(topicPartition, orders);
    const log = world.directory.openLog(topicPartition, newer, world.topicConfig);
    const outcome = log.append(makeBatch({ tag: 9 }), epoch0, 'client');
    expect(outcome).toMatchObject({ ok: true, baseOffset: 0 });
    await world.run(deleted);
    await world.machine.scheduler.run(() => log.flushedOffset === 1);
    await world.crashAndOpen('power');
    expect([...world.directory.logs()].map((found) => [found.topicId, found.logEndOffset])).toEqual(
      [[newer, 1]],
    );
  });

  it('deletes topics of the same name one after another, each with its own folder', async () => {
    await world.appendDurably(makeBatch());
    const first = world.directory.delete(topicPartition, orders);
    world.directory.openLog(topicPartition, newer, world.topicConfig);
    const second = world.directory.delete(topicPartition, newer);
    const log = world.directory.openLog(topicPartition, orders, world.topicConfig);
    log.append(makeBatch(), epoch0, 'client');
    await world.run(Promise.all([first, second]));
    await world.machine.scheduler.run(() => log.flushedOffset === 1);
    await world.settle(1000);
    expect(await names()).toEqual(['durable-marks', 'orders-0']);
    expect(world.failures).toEqual([]);
  });

  it('removes the folder of a topic that was deleted while the broker was down', async () => {
    await world.appendDurably(makeBatch());
    world.describe = () => 'deleted';
    await world.crashAndOpen('process');
    expect([...world.directory.logs()]).toEqual([]);
    await world.settle(1000);
    expect(await names()).toEqual(['durable-marks']);
  });

  it('goes on removing after a restart', async () => {
    await world.appendDurably(makeBatch());
    world.describe = () => 'deleted';
    world.crash('process');
    world.machine.disk.plan({ operation: 'remove', path: /-delete/, code: 'EACCES' });
    await world.open();
    await world.settle(1000);
    expect((await names())[1]).toMatch(/^orders-0\..*-delete$/);
    await world.crashAndOpen('process');
    await world.settle(1000);
    expect(await names()).toEqual(['durable-marks']);
  });

  it('sets the folder of an unknown topic aside and never deletes it', async () => {
    await world.appendDurably(makeBatch());
    world.describe = () => 'unknown';
    await world.crashAndOpen('process');
    const aside = `orders-0.${orders}-stray`;
    for (let i = 0; i < 2; i++) {
      expect(await names()).toContain(aside);
      await world.settle(1000);
      await world.crashAndOpen('power');
    }
    expect(await world.run(world.env.files.list(`${ROOT}/${aside}`))).toContain(
      '00000000000000000000.log',
    );
  });

  it('keeps a log in place, out of service, whose folder is missing', async () => {
    await world.appendDurably(makeBatch());
    await world.settle(2000);
    world.crash('process');
    const { files } = world.env;
    await world.run(files.rename(FOLDER, `${ROOT}/moved`));
    await world.open();
    expect(world.log.corruption).toContain('folder data/orders-0 is missing');
    expect(world.append(makeBatch())).toMatchObject({ row: { name: 'KAFKA_STORAGE_ERROR' } });
  });

  it('empties the folder of a partition whose making was interrupted', async () => {
    world.crash('process');
    await world.run(world.env.files.makeDirectory(FOLDER));
    await world.open();
    expect(await names()).toEqual(['durable-marks']);
    await world.appendDurably(makeBatch());
    expect(world.log.logEndOffset).toBe(1);
  });

  it('refuses to open with damaged marks, and says what removing them means', async () => {
    await world.appendDurably(makeBatch());
    await world.run(world.directory.close());
    world.crash('process');
    await world.flip('../durable-marks', 20);
    await expect(world.open()).rejects.toThrow(
      /^data\/durable-marks is damaged .* brings back records that delete-records removed/,
    );
    await world.run(world.env.files.removeFile(`${ROOT}/durable-marks`));
    await world.open();
    expect(world.log.logEndOffset).toBe(1);
  });

  it('refuses to open a folder with segments of nobody knows which topic', async () => {
    await world.appendDurably(makeBatch());
    world.crash('process');
    await world.remove('partition.metadata');
    await world.run(world.env.files.removeFile(`${ROOT}/durable-marks`));
    await expect(world.open()).rejects.toThrow('partition.metadata does not say of which topic');
  });

  it('deletes old segments by time, below the high watermark only', async () => {
    world.topicConfig = { ...world.topicConfig, retentionMs: 60_000 };
    world.config = { ...world.config, retentionCheckIntervalMs: 10_000 };
    await world.restartCleanly();
    const nowMs = world.machine.clock.wallMs();
    for (let i = 0; i < 6; i++) {
      await world.appendDurably(makeBatch({ timestampMs: nowMs + i * 1000 }));
      world.log.roll();
    }
    world.highWatermark = () => 2;
    await world.settle(200_000);
    expect(world.log.logStartOffset).toBe(2);
    world.highWatermark = () => 6;
    await world.settle(20_000);
    expect(world.log.logStartOffset).toBe(6);
    expect(world.log.logEndOffset).toBe(6);
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(6);
  });
});

describe('retention in a data directory', () => {
  it('deletes nothing by time in a round in which the wall clock has jumped', async () => {
    world = new LogWorld(3);
    world.topicConfig = { ...world.topicConfig, retentionMs: 3_600_000 };
    world.config = { ...world.config, retentionCheckIntervalMs: 10_000 };
    let jumpMs = 0;
    const { clock } = world.env;
    world.env = {
      ...world.env,
      clock: { monotonicMs: () => clock.monotonicMs(), wallMs: () => clock.wallMs() + jumpMs },
    };
    await world.start();
    await world.appendDurably(makeBatch({ timestampMs: clock.wallMs() }));
    world.log.roll();
    await world.appendDurably(makeBatch({ timestampMs: clock.wallMs() }));
    jumpMs = 86_400_000;
    await world.settle(10_500);
    expect(world.log.logStartOffset).toBe(0);
    expect(world.reports.map(({ message }) => message)).toContain(
      'the clock has jumped, nothing is deleted by time this once',
    );
    await world.settle(10_500);
    expect(world.log.logStartOffset).toBe(offset(2));
  });
});
