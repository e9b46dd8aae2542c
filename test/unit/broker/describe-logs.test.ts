import { expect, test } from 'vitest';
import { makeBatch } from '../log/log-world.ts';
import { BrokerWorld, item } from './broker-world.ts';

test('every partition of the broker is told with the size of its segments', async () => {
  const world = await BrokerWorld.open({ 'log.segment.bytes': '16KiB' });
  await world.createTopic('a', 2);
  const batch = () => makeBatch({ valueBytes: 10_000 });
  for (let i = 0; i < 3; i++) await world.produce([item('a', 1, batch())]);
  const [directory, ...others] = world.broker.describeLogDirs();
  expect(others).toEqual([]);
  expect(directory).toMatchObject({
    path: expect.stringContaining('/data'),
    row: { name: 'NONE' },
  });
  const sizes = directory!.partitions.toSorted((a, b) => a.partition - b.partition);
  expect(sizes).toEqual([
    { topic: 'a', partition: 0, sizeInBytes: 0 },
    { topic: 'a', partition: 1, sizeInBytes: 3 * batch().length },
  ]);
});

test('a directory that is out of service says so, and nothing else', async () => {
  const world = await BrokerWorld.open();
  await world.createTopic('a');
  world.machine.disk.plan({ operation: 'sync', path: /.*/, code: 'EIO', times: 99 });
  await world.produce([item('a', 0, makeBatch())]);
  expect(world.broker.describeLogDirs()).toMatchObject([
    { row: { name: 'KAFKA_STORAGE_ERROR' }, partitions: [] },
  ]);
});
