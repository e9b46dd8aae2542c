import { expect, test } from 'vitest';
import { offset, topicId } from '../../../src/model/ids.ts';
import {
  epoch0,
  FOLDER,
  LogWorld,
  makeBatch,
  orders,
  ROOT,
  smallTopic,
  topicPartition,
} from '../../unit/log/log-world.ts';

const second = topicId('BBBBBBBBBBBBBBBBBBBBBQ');
const third = topicId('CCCCCCCCCCCCCCCCCCCCCQ');

// Seed 103, aimed at no site: three topics of one name were deleted within 90 ms, and the folder of
// the first was renamed in the name of the second, while the first one's segment was still written.
test('a log that is deleted before it has a folder leaves the folder of its predecessor alone', async () => {
  const world = new LogWorld(1);
  await world.start();
  const { directory } = world;
  await world.appendDurably(makeBatch());
  world.machine.disk.plan({ operation: 'sync', path: /orders-0\/.*\.log$/, delayMs: 200 });
  world.append(makeBatch());
  await world.settle(5);
  const firstGone = directory.delete(topicPartition, orders);
  directory.openLog(topicPartition, second, smallTopic);
  const secondGone = directory.delete(topicPartition, second);
  const last = directory.openLog(topicPartition, third, smallTopic);
  expect(last.append(makeBatch({ tag: 3 }), epoch0, 'client')).toMatchObject({ ok: true });
  await world.machine.scheduler.run(() => last.flushedOffset > 0);
  await world.run(Promise.all([firstGone, secondGone]));
  await world.settle(500);
  expect(world.failures).toEqual([]);
  world.describe = (_, id) => (id === third ? smallTopic : 'deleted');
  await world.crashAndOpen('power');
  expect(world.directory.log(topicPartition)).toMatchObject({
    topicId: third,
    logEndOffset: 1,
    corruption: null,
  });
});

// Seed 56, aimed at the producer snapshots of recovery: the power failed while the next start emptied
// the folder of a deleted topic, and the folder was there again without the file that says whose it is.
test('power cuts at any time while a start removes a deleted topic leave a folder that starts', async () => {
  for (let seed = 0; seed < 150; seed++) {
    const world = new LogWorld(seed);
    // No mark is written meanwhile: then only the folder itself says of which topic it is.
    world.config = { ...world.config, marksIntervalMs: 3_600_000 };
    await world.start();
    await world.appendDurably(makeBatch());
    world.crash('process');
    world.describe = () => 'deleted';
    void world.beginOpening();
    await world.settle((seed % 50) / 2);
    world.crash('power');
    await world.open();
    expect(world.directory.log(topicPartition)).toBeUndefined();
  }
});

// Seed 14: records were deleted up to the end of the active segment, which was closed after that.
test('a clean stop leaves no segment before the log start, so the next start scans nothing', async () => {
  const world = new LogWorld(1);
  await world.start();
  await world.appendDurably(makeBatch());
  await world.run(world.log.advanceLogStart(offset(1)));
  world.log.roll();
  await world.appendDurably(makeBatch());
  expect(await world.names()).toContain('00000000000000000000.log');
  world.reports.length = 0;
  await world.restartCleanly();
  expect(world.reports.map(({ message }) => message)).not.toContain('recovering a log');
  expect(await world.run(world.env.files.list(ROOT))).toContain('orders-0');
  expect(await world.run(world.env.files.list(FOLDER))).not.toContain('00000000000000000000.log');
});
