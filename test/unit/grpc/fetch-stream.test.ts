import { expect, test } from 'vitest';
import { Compression } from '../../../src/codec/compression.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import type { IsolationLevel } from '../../../src/rpc/log-messages.ts';
import { item } from '../broker/broker-world.ts';
import { makeBatch } from '../log/log-world.ts';
import { DoorWorld, MIB } from './door-world.ts';
import { sealed } from './sealed-batch.ts';

async function withRecords(
  count: number,
  valueBytes = 20,
  settings: { [key: string]: string } = {},
) {
  const door = await DoorWorld.open(settings);
  for (let i = 0; i < count; i++) {
    await door.world.produce([item('t', 0, makeBatch({ valueBytes, tag: i }))]);
  }
  return door;
}

test('batches are sent with the marks of their partition and the correlation id of the position', async () => {
  const door = await withRecords(3);
  const client = door.fetch();
  client.send({ 0: 0, 1: 0 }, { correlationId: 9 });
  await client.received(1);
  expect(
    client.partitions.map(({ records, ...rest }) => ({ ...rest, pieces: records.length })),
  ).toEqual([
    {
      topic: 't',
      partition: 0,
      correlationId: 9,
      error: undefined,
      highWatermark: 3,
      lastStableOffset: 3,
      logStartOffset: 0,
      plainRecords: [],
      pieces: 1,
    },
    {
      topic: 't',
      partition: 1,
      correlationId: 9,
      error: undefined,
      highWatermark: 0,
      lastStableOffset: 0,
      logStartOffset: 0,
      plainRecords: [],
      pieces: 0,
    },
  ]);
});

test('what arrives later is sent without being asked for', async () => {
  const door = await withRecords(0);
  const client = door.fetch();
  client.send({ 0: 0 });
  await client.received(1);
  await door.world.produce([item('t', 0, makeBatch())]);
  await client.received(2);
  expect(client.partitions.at(-1)).toMatchObject({ highWatermark: 1 });
});

test('a partition that cannot be read is refused by name, without marks, and can be asked for again', async () => {
  const door = await withRecords(1);
  const client = door.fetch();
  client.send({ 0: 100, 9: 0 });
  await client.received(1);
  expect(client.partitions.toSorted((a, b) => a.partition - b.partition)).toMatchObject([
    { partition: 0, error: { name: 'OFFSET_OUT_OF_RANGE' }, highWatermark: -1, logStartOffset: -1 },
    { partition: 9, error: { name: 'UNKNOWN_TOPIC_OR_PARTITION' }, lastStableOffset: -1 },
  ]);
  client.send({ 0: 0 }, { correlationId: 2 });
  await client.received(2);
  expect(client.partitions.at(-1)).toMatchObject({ correlationId: 2, error: undefined });
});

test('a position that replaces a refused one in the same turn is read', async () => {
  const door = await withRecords(1);
  const client = door.fetch();
  client.send({ 0: -1 }, { correlationId: 1 });
  client.send({ 0: 0 }, { correlationId: 2 });
  await client.received(1);
  await door.world.produce([item('t', 0, makeBatch())]);
  await client.received(2);
  expect(client.partitions.map(({ correlationId }) => correlationId)).toEqual([1, 2, 2]);
});

test('a stopped partition is not read on', async () => {
  const door = await withRecords(1);
  const client = door.fetch();
  client.send({ 0: 0 });
  await client.received(1);
  client.send(
    {},
    {
      stops: [
        { topic: 't', partition: 0 },
        { topic: 'never', partition: 3 },
      ],
    },
  );
  await door.world.pass(10);
  await door.world.produce([item('t', 0, makeBatch())]);
  await door.world.pass(100);
  expect(client.messages).toHaveLength(1);
});

test('no more is sent than there is credit for, but for the last batch', async () => {
  const door = await withRecords(20, 1000);
  const client = door.fetch();
  client.send({ 0: 0 }, { creditBytes: 3000 });
  await door.world.pass(100);
  expect(client.bytes).toBeGreaterThanOrEqual(3000);
  expect(client.bytes).toBeLessThan(3000 + 1100);
});

test('a half-closed stream is served while credit lasts, and ends then', async () => {
  const door = await withRecords(3, 1000);
  const client = door.fetch();
  client.send({ 0: 0 }, { creditBytes: 5000 });
  client.stream.end();
  await door.world.pass(100);
  expect(client.status).toBeUndefined();
  for (let i = 0; i < 5; i++) {
    await door.world.produce([item('t', 0, makeBatch({ valueBytes: 1000 }))]);
  }
  expect(await client.closed()).toBe('OK');
  expect(client.bytes).toBeGreaterThanOrEqual(5000);
});

test('a half-close that comes with the request does not take away what is read from the disk', async () => {
  const door = await withRecords(5, 1000, { 'log.tail.cache.bytes': '0' });
  const client = door.fetch();
  client.send({ 0: 0 }, { creditBytes: 1 });
  client.stream.end();
  expect(await client.closed()).toBe('OK');
  expect(client.bytes).toBeGreaterThan(1000);
});

test('a half-closed stream ends when there is no partition left to read', async () => {
  const door = await withRecords(1);
  const client = door.fetch();
  client.send({ 0: 0, 9: 0 });
  client.stream.end();
  await client.received(1);
  await door.world.run(door.world.broker.deleteTopics([{ name: 't' }]));
  expect(await client.closed()).toBe('OK');
  expect(client.partitions.at(-1)).toMatchObject({ error: { name: 'UNKNOWN_TOPIC_OR_PARTITION' } });
});

test('a half-close without a request ends the stream at once', async () => {
  const door = await withRecords(0);
  const client = door.fetch();
  client.stream.end();
  expect(await client.closed()).toBe('OK');
});

test.for([
  [{ creditBytes: -1 }, 'INVALID_REQUEST: credit -1 and max_partition_bytes 0'],
  [{ maxPartitionBytes: -5 }, 'INVALID_REQUEST: credit 1048576 and max_partition_bytes -5'],
  [{ correlationId: 0 }, 'INVALID_REQUEST: correlation id 0 is not above 0'],
  [{ isolationLevel: 3 as IsolationLevel }, 'INVALID_REQUEST: isolation level 3 is not known'],
] as const)('a request with %o ends the stream by name', async ([broken, told]) => {
  const door = await withRecords(1);
  const client = door.fetch();
  client.send({ 0: 0 }, broken);
  expect(await client.closed()).toContain(told);
  expect(client.messages).toEqual([]);
});

test('more partitions than are allowed end the stream by name', async () => {
  const door = await DoorWorld.open({ 'grpc.fetch.partitions': '1' });
  const client = door.fetch();
  client.send({ 0: 0 });
  await client.received(1);
  client.send({ 1: 0 });
  expect(await client.closed()).toMatch(/^REQUEST_TOO_LARGE: .*2 partitions; at most 1/);
});

test('ten thousand positions, repeated and wrong, are each answered and none is kept', async () => {
  const door = await withRecords(1);
  const client = door.fetch();
  const position = { topic: 't', topicId: new Uint8Array(0), leaderEpoch: -1 };
  const positions = Array.from({ length: 10_000 }, (_, at) => ({
    ...position,
    partition: at % 5000,
    offset: at % 3 === 0 ? -at : 0,
  }));
  client.send({}, { positions });
  await door.world.until(() => client.partitions.length >= 9998);
  for (const { partitions } of client.messages) expect(partitions.length).toBeLessThan(5000);
  expect(client.status).toBeUndefined();
});

test('a client that asks, but does not read, is not listened to', async () => {
  const door = await withRecords(40, 100_000);
  const client = door.fetch();
  client.stream.pause();
  client.send({ 0: 0 }, { creditBytes: 16 * MIB, maxPartitionBytes: 1 });
  await door.world.pass(100);
  client.send({ 9: 0 }, { correlationId: 2 });
  client.send({}, { creditBytes: -1 });
  await door.world.pass(100);
  expect(client.status).toBeUndefined();
  client.stream.resume();
  expect(await client.closed()).toMatch(/^INVALID_REQUEST: credit -1/);
});

test('when the broker stops, readers are told so', async () => {
  const door = await withRecords(1);
  const client = door.fetch();
  client.send({ 0: 0 });
  await client.received(1);
  door.door.stop();
  expect(await client.closed()).toMatch(/^BROKER_STOPPING/);
});

test('plain records are those from the position on, with their offsets', async () => {
  const door = await DoorWorld.open();
  await door.world.produce([item('t', 0, makeBatch({ count: 5, timestampMs: 1000 }))]);
  const client = door.fetch();
  client.send({ 0: 3 }, { plainRecords: true });
  await client.received(1);
  expect(client.plainRecords.map(({ offset, timestampMs }) => [offset, timestampMs])).toEqual([
    [3, 1003],
    [4, 1004],
  ]);
  expect(client.bytes).toBe(0);
});

test('a small batch that comes to much is sent as plain records in several messages', async () => {
  const door = await DoorWorld.open();
  const builder = new BatchBuilder({ compression: Compression.zstd });
  for (let i = 0; i < 50; i++) {
    builder.append({ key: null, value: new Uint8Array(100_000), timestampMs: 1 });
  }
  await door.world.produce([item('t', 0, builder.build().slice())]);
  const client = door.fetch();
  client.send({ 0: 0 }, { plainRecords: true });
  await door.world.until(() => client.plainRecords.length >= 50);
  expect(client.plainRecords.map(({ offset }) => offset)).toEqual([...Array(50).keys()]);
  expect(client.messages.length).toBeGreaterThanOrEqual(5);
});

test('one batch at a time is decoded, and the next when the client has taken it', async () => {
  const door = await DoorWorld.open();
  for (let i = 0; i < 5; i++) {
    const builder = new BatchBuilder({ compression: Compression.zstd });
    const value = new Uint8Array(10 * MIB);
    builder.append({ key: null, value, timestampMs: 1 });
    await door.world.produce([item('t', 0, builder.build().slice())]);
  }
  const client = door.fetch();
  client.stream.pause();
  client.send({ 0: 0 }, { plainRecords: true });
  await door.world.pass(100);
  await door.world.run(door.world.broker.deleteRecords('t', 0, 5));
  client.stream.resume();
  await door.world.until(() => client.partitions.some(({ error }) => error !== undefined));
  expect(client.plainRecords.map(({ offset }) => offset)).toEqual([0]);
});

test('a batch whose records cannot be decoded is refused, and the partition dropped', async () => {
  const door = await DoorWorld.open();
  const batch = makeBatch();
  // The length of its record is wrong, the checksum is not: a broker does not look at records.
  batch[61] = 99;
  await door.world.produce([item('t', 0, sealed(batch))]);
  const client = door.fetch();
  client.send({ 0: 0 }, { plainRecords: true });
  await client.received(1);
  expect(client.partitions).toMatchObject([
    { error: { name: 'CORRUPT_MESSAGE' }, highWatermark: -1, plainRecords: [] },
  ]);
  await door.world.produce([item('t', 0, makeBatch())]);
  await door.world.pass(100);
  expect(client.messages).toHaveLength(1);
  client.send({ 0: 1 }, { correlationId: 2 });
  await client.received(2);
  expect(client.plainRecords).toHaveLength(1);
});
