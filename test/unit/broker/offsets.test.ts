import { expect, test } from 'vitest';
import type { OffsetResult, OffsetSpec } from '../../../src/broker/offsets.ts';
import { Errors } from '../../../src/model/errors.ts';
import { makeBatch } from '../log/log-world.ts';
import { BrokerWorld, item } from './broker-world.ts';

const NOW = 1_700_000_000_000;

/** A topic whose partition 0 has four records, a second apart. */
async function withRecords(settings: { [key: string]: string } = {}) {
  const world = await BrokerWorld.open({
    'log.retention.ms': '-1',
    'log.message.timestamp.after.max.ms': '9007199254740991',
    ...settings,
  });
  await world.createTopic('t');
  for (let i = 0; i < 4; i++) {
    await world.produce([item('t', 0, makeBatch({ timestampMs: NOW + i * 1000 }))]);
  }
  const list = (spec: OffsetSpec, leaderEpoch?: number) =>
    world.run(world.broker.listOffset('t', 0, spec, leaderEpoch));
  const deleteBefore = (offset: number) => world.run(world.broker.deleteRecords('t', 0, offset));
  return { world, list, deleteBefore };
}

const told = ({ row, offset }: OffsetResult) => `${offset} ${row.name}`;

test('the earliest offset is the start of the log, the latest the high watermark', async () => {
  const { list, deleteBefore } = await withRecords();
  expect(await list('earliest')).toMatchObject({ offset: 0, timestampMs: -1 });
  expect(await list('latest')).toMatchObject({ offset: 4, timestampMs: -1 });
  await deleteBefore(2);
  expect(told(await list('earliest'))).toBe('2 NONE');
});

test('the latest offset does not count what is not durable', async () => {
  const { world, list } = await withRecords();
  world.stallDisk(10_000);
  const produced = world.broker.produce([item('t', 0, makeBatch())], {
    acks: 'all',
    timeoutMs: 30_000,
  });
  expect(told(await list('latest'))).toBe('4 NONE');
  await world.run(produced);
  expect(told(await list('latest'))).toBe('5 NONE');
});

test('an offset by time is that of the first record of that time or later', async () => {
  const { list } = await withRecords();
  expect(await list({ timestampMs: NOW + 1000 })).toMatchObject({
    offset: 1,
    timestampMs: NOW + 1000,
    leaderEpoch: 0,
  });
  expect(told(await list({ timestampMs: NOW + 1001 }))).toBe('2 NONE');
  expect(told(await list({ timestampMs: -5 }))).toBe('0 NONE');
  expect(told(await list({ timestampMs: NOW + 3001 }))).toBe('-1 NONE');
  expect(told(await list({ timestampMs: Number.MAX_SAFE_INTEGER }))).toBe('-1 NONE');
});

test('the offset of the largest timestamp is that of a record, and none without records', async () => {
  const { world, list, deleteBefore } = await withRecords();
  const third = { offset: 3, timestampMs: NOW + 3000, leaderEpoch: 0 };
  expect(await list('max-timestamp')).toMatchObject(third);
  await world.produce([item('t', 0, makeBatch({ timestampMs: NOW }))]);
  expect(await list('max-timestamp')).toMatchObject(third);
  world.stallDisk(10_000);
  const later = item('t', 0, makeBatch({ timestampMs: NOW + 9000 }));
  const produced = world.broker.produce([later], { acks: 'all', timeoutMs: 30_000 });
  expect(await list('max-timestamp')).toMatchObject(third);
  await world.run(produced);
  expect(await list('max-timestamp')).toMatchObject({ offset: 5, timestampMs: NOW + 9000 });
  await deleteBefore(6);
  expect(await list('max-timestamp')).toMatchObject({
    row: Errors.NONE,
    offset: -1,
    timestampMs: -1,
    leaderEpoch: -1,
  });
});

test('who knows another leader epoch is told so before anything else', async () => {
  const { world, list } = await withRecords();
  await world.crashAndStart();
  for (const spec of ['earliest', 'latest', 'max-timestamp', { timestampMs: 0 }] as const) {
    expect((await list(spec, 1)).row.name).toBe('NONE');
    expect(told(await list(spec, 0))).toBe('-1 FENCED_LEADER_EPOCH');
    expect(told(await list(spec, 2))).toBe('-1 UNKNOWN_LEADER_EPOCH');
  }
});

test('the end of a leader epoch is where the next one begins, that of the current one the end', async () => {
  const { world } = await withRecords();
  await world.crashAndStart();
  await world.produce([item('t', 0, makeBatch())]);
  const endOf = (epoch: number, current = -1) => {
    const end = world.broker.offsetForLeaderEpoch('t', 0, current, epoch);
    return `${end.row.name} ${end.leaderEpoch} ${end.endOffset}`;
  };
  expect(endOf(0)).toBe('NONE 0 4');
  expect(endOf(1)).toBe('NONE 1 5');
  expect(endOf(1, 1)).toBe('NONE 1 5');
  expect(endOf(2)).toBe('NONE -1 -1');
  expect(endOf(-1)).toBe('NONE -1 -1');
  expect(endOf(1, 0)).toBe('FENCED_LEADER_EPOCH -1 -1');
  expect(endOf(1, 2)).toBe('UNKNOWN_LEADER_EPOCH -1 -1');
  expect(world.broker.offsetForLeaderEpoch('u', 0, -1, 0).row.name).toBe(
    'UNKNOWN_TOPIC_OR_PARTITION',
  );
});

test('deleted records are gone for good, also after a crash', async () => {
  const { world, list, deleteBefore } = await withRecords();
  expect(told(await deleteBefore(3))).toBe('3 NONE');
  await world.crashAndStart();
  expect(told(await list('earliest'))).toBe('3 NONE');
  expect(told(await list('latest'))).toBe('4 NONE');
});

test('-1 deletes up to the high watermark', async () => {
  const { list, deleteBefore } = await withRecords();
  expect(told(await deleteBefore(-1))).toBe('4 NONE');
  expect(told(await list('earliest'))).toBe('4 NONE');
});

test('deleting what is deleted changes nothing', async () => {
  const { deleteBefore } = await withRecords();
  await deleteBefore(3);
  expect(told(await deleteBefore(1))).toBe('3 NONE');
});

test('records are not deleted beyond the high watermark, nor before the first', async () => {
  const { list, deleteBefore } = await withRecords();
  for (const offset of [5, -2, Number.MAX_SAFE_INTEGER]) {
    expect(told(await deleteBefore(offset))).toBe('-1 OFFSET_OUT_OF_RANGE');
  }
  expect(told(await list('earliest'))).toBe('0 NONE');
});

test('a partition that is not there is refused', async () => {
  const { world } = await withRecords();
  expect(told(await world.run(world.broker.listOffset('u', 0, 'latest')))).toBe(
    '-1 UNKNOWN_TOPIC_OR_PARTITION',
  );
  expect(told(await world.run(world.broker.deleteRecords('t', 7, 0)))).toBe(
    '-1 UNKNOWN_TOPIC_OR_PARTITION',
  );
});

test.each([
  ['', {}],
  [', also if its files are', { code: 'ENOENT' }],
] as const)(
  'a topic that is deleted while its records are looked through is gone for the caller%s',
  async (_, more) => {
    const { world } = await withRecords({ 'log.tail.cache.bytes': '0' });
    world.machine.disk.plan({ operation: 'read', path: /t-0/, delayMs: 500, times: 9, ...more });
    world.machine.disk.plan({ operation: 'sync', path: /durable-marks/, delayMs: 50 });
    const listed = world.broker.listOffset('t', 0, { timestampMs: NOW });
    const trimmed = world.broker.deleteRecords('t', 0, 2);
    await world.run(world.broker.deleteTopics([{ name: 't' }]));
    expect(told(await world.run(listed))).toBe('-1 UNKNOWN_TOPIC_OR_PARTITION');
    expect(told(await world.run(trimmed))).toBe('-1 UNKNOWN_TOPIC_OR_PARTITION');
    await world.createTopic('t');
    expect(world.failures).toEqual([]);
    expect(world.lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
);

test('a disk that fails is the outcome of that partition, and its path stays in the house', async () => {
  const { world, list } = await withRecords({ 'log.tail.cache.bytes': '0' });
  world.machine.disk.plan({ operation: 'read', path: /t-0/, code: 'EIO', times: 9 });
  const failed = await list({ timestampMs: NOW });
  expect(told(failed)).toBe('-1 KAFKA_STORAGE_ERROR');
  expect(failed.detail).not.toContain('/');
  expect(world.lines.some(({ level }) => level === 'error')).toBe(true);
});

test('a disk that fails while records are deleted takes the broker out of service', async () => {
  const { world, list, deleteBefore } = await withRecords();
  world.machine.disk.plan({ operation: 'sync', path: /.*/, code: 'EIO', times: 99 });
  expect(told(await deleteBefore(2))).toBe('-1 KAFKA_STORAGE_ERROR');
  expect(world.failures).toHaveLength(1);
  expect(told(await list('latest'))).toBe('-1 KAFKA_STORAGE_ERROR');
});
