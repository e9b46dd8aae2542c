import { beforeEach, describe, expect, it } from 'vitest';
import { countOpen } from './count-open.ts';
import { epoch0, FOLDER, LogWorld, makeBatch, orders, ROOT } from './log-world.ts';

let world: LogWorld;

const waits = (): number =>
  world.reports.filter(({ message }) => message.startsWith('waiting for a free file handle'))
    .length;

describe('a data directory without a free file handle', () => {
  beforeEach(async () => {
    world = new LogWorld(9);
    await world.start();
  });

  it.each([
    ['open', 'EMFILE', /\.log$/],
    ['open', 'ENFILE', /partition\.metadata/],
    ['syncDirectory', 'EMFILE', /orders-0$/],
  ] as const)('waits until there is one: %s, %s', async (operation, code, path) => {
    world.machine.disk.plan({ operation, path, code, times: 5 });
    await world.appendDurably(makeBatch());
    expect(waits()).toBe(1);
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(1);
    expect(world.failures).toEqual([]);
  });

  it('writes its marks, and closes a segment, when there is one again', async () => {
    await world.appendDurably(makeBatch());
    world.machine.disk.plan({ operation: 'open', path: /./, code: 'EMFILE', times: 40 });
    world.log.roll();
    await world.settle(4000);
    await world.appendDurably(makeBatch());
    await world.settle(4000);
    expect(world.failures).toEqual([]);
    world.crash('process');
    const names = await world.run(world.env.files.list(FOLDER));
    expect(names).toContain('00000000000000000001.producers');
    expect(await world.run(world.env.files.list(ROOT))).toContain('durable-marks');
  });

  it('reads from the disk when there is one again', async () => {
    world.config = { ...world.config, tailCacheBytes: 0 };
    await world.restartCleanly();
    await world.appendDurably(makeBatch());
    world.machine.disk.plan({ operation: 'open', path: /\.log$/, code: 'EMFILE', times: 3 });
    expect((await world.readAll()).length).toBe(1);
    expect(waits()).toBe(1);
  });

  it('closes files meanwhile that nobody uses', async () => {
    const count = countOpen(world.env.files);
    for (let partition = 0; partition < 5; partition++) {
      const log = world.directory.openLog({ topic: 'idle', partition }, orders, world.topicConfig);
      log.append(makeBatch(), epoch0, 'client');
      await world.machine.scheduler.run(() => log.flushedOffset === 1);
    }
    await world.settle(3000);
    expect(count.open).toBe(5);
    world.machine.disk.plan({ operation: 'open', path: /orders-0/, code: 'EMFILE' });
    await world.appendDurably(makeBatch());
    expect(count.open).toBe(1);
  });

  it('says again that it waits when that goes on', async () => {
    world.machine.disk.plan({ operation: 'open', path: /orders-0/, code: 'EMFILE', times: 500 });
    await world.appendDurably(makeBatch());
    expect(waits()).toBe(3);
  });

  it('gives up when the disk has failed', async () => {
    world.machine.disk.plan({ operation: 'open', path: /orders-0/, code: 'EMFILE', times: 1e9 });
    world.append(makeBatch());
    await world.settle(100);
    world.machine.disk.plan({ operation: 'sync', path: /other-0/, code: 'EIO' });
    const other = world.directory.openLog(
      { topic: 'other', partition: 0 },
      orders,
      world.topicConfig,
    );
    other.append(makeBatch(), epoch0, 'client');
    await world.settle(200);
    expect(world.failures.map(({ message }) => message)).toEqual([expect.stringContaining('EIO')]);
    await world.run(world.directory.close());
  });
});
