import { expect, test } from 'vitest';
import { produceRequestCodec } from '../../../src/rpc/log-codecs.ts';
import type { Acks } from '../../../src/rpc/log-messages.ts';
import { produceMethod } from '../../../src/rpc/log-service.ts';
import { makeBatch } from '../log/log-world.ts';
import { DoorWorld, MIB } from './door-world.ts';

test('the first message grants credit and answers nothing', async () => {
  const door = await DoorWorld.open({ 'grpc.produce.credit.bytes': '1MiB' });
  const client = door.produce();
  expect(await client.received(1)).toEqual([
    { correlationId: 0, creditBytes: MIB, partitions: [] },
  ]);
});

test('each request is answered once, under its correlation id, with its partitions in order', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  client.send({ 1: makeBatch(), 0: makeBatch({ count: 2 }), 7: makeBatch() });
  client.send({ 0: makeBatch() }, { correlationId: 77, acks: 2 });
  client.send({});
  await client.received(4);
  await door.world.pass(1000);
  expect(client.answers.sort()).toEqual([
    '1: t-0 0 NONE,t-1 0 NONE,t-7 -1 UNKNOWN_TOPIC_OR_PARTITION',
    '3: ',
    '77: t-0 2 NONE',
  ]);
});

test('an answer gives back the credit that its request took', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  const batch = makeBatch();
  client.send({ 0: batch.slice(), 1: batch.slice(), 9: batch.slice() });
  client.sendPlain([{ value: new Uint8Array(100) }]);
  await client.received(3);
  expect(client.messages.find(({ correlationId }) => correlationId === 1)!.creditBytes).toBe(
    3 * batch.length,
  );
  // Plain records take none.
  expect(client.messages.find(({ correlationId }) => correlationId === 2)!.creditBytes).toBe(0);
});

test('a fast partition is answered before a slow one that was asked for earlier', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  door.world.machine.disk.plan({ operation: 'sync', path: /t-0\/.*\.log$/, delayMs: 1000 });
  client.send({ 0: makeBatch() });
  client.send({ 1: makeBatch() });
  await client.received(3);
  expect(client.answers).toEqual(['2: t-1 0 NONE', '1: t-0 0 NONE']);
});

test.for([
  [{ acks: 3 as Acks }, 'INVALID_REQUIRED_ACKS: acks is 3; ACKS_ALL or ACKS_LEADER'],
  [{ acks: -1 as Acks }, 'INVALID_REQUIRED_ACKS: acks is -1; ACKS_ALL or ACKS_LEADER'],
  [{ correlationId: 0 }, 'INVALID_REQUEST: correlation id 0 and timeout 0 ms'],
  [{ correlationId: -7 }, 'INVALID_REQUEST: correlation id -7 and timeout 0 ms'],
  [{ timeoutMs: -1 }, 'INVALID_REQUEST: correlation id 1 and timeout -1 ms'],
] as const)('a request with %o ends the stream by name', async ([broken, told]) => {
  const door = await DoorWorld.open();
  const client = door.produce();
  client.send({ 0: makeBatch() }, broken);
  expect(await client.closed()).toContain(told);
  expect(client.answers).toEqual([]);
});

test('a stalled disk is told when the time of the request is over', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  door.world.stallDisk(60_000);
  client.send({ 0: makeBatch() }, { timeoutMs: 100 });
  await client.received(2);
  expect(client.answers).toEqual(['1: t-0 -1 REQUEST_TIMED_OUT']);
});

test('plain records become one batch with times of the broker where they have none', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  const text = new TextEncoder();
  client.sendPlain([
    { key: text.encode('k'), headers: [{ key: 'h', value: undefined }] },
    { value: text.encode('v'), timestampMs: 5 },
  ]);
  await client.received(2);
  expect(client.answers).toEqual(['1: t-0 0 NONE']);
  const reader = door.fetch();
  reader.send({ 0: 0 }, { plainRecords: true });
  await reader.received(1);
  expect(reader.plainRecords).toEqual([
    {
      key: text.encode('k'),
      value: undefined,
      headers: [{ key: 'h', value: undefined }],
      timestampMs: expect.any(Number),
      offset: 0,
    },
    { key: undefined, value: text.encode('v'), headers: [], timestampMs: 5, offset: 1 },
  ]);
  expect(reader.plainRecords[0]!.timestampMs).toBeGreaterThan(1_000_000);
});

test('plain records that contradict themselves end the stream by name', async () => {
  const door = await DoorWorld.open();
  const early = door.produce();
  early.sendPlain([{ timestampMs: -1 }]);
  expect(await early.closed()).toMatch(/^INVALID_TIMESTAMP: timestamp -1 /);
  const both = door.produce();
  const plain = { key: undefined, value: undefined, headers: [], timestampMs: 0, offset: 0 };
  const partition = { topic: 't', partition: 0, topicId: new Uint8Array(0) };
  both.send({}, { partitions: [{ ...partition, records: makeBatch(), plainRecords: [plain] }] });
  expect(await both.closed()).toMatch(/^INVALID_REQUEST: t-0 has both records and plain_records/);
});

test('a partition that stands twice in a request ends the stream by name', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  const entry = (partition: number) => ({
    ...{ topic: 't', partition, topicId: new Uint8Array(0) },
    records: makeBatch(),
  });
  client.send({}, { partitions: [entry(0), entry(1), entry(0)] });
  expect(await client.closed()).toMatch(/^INVALID_REQUEST: t-0 stands twice/);
});

test('plain records that cannot be decoded end the stream by name', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  const cut = { key: undefined, value: new Uint8Array(3), headers: [], timestampMs: 0, offset: 0 };
  const plainRecords = {
    length: 1,
    *[Symbol.iterator]() {
      yield cut;
    },
  };
  const encoded = produceRequestCodec.encode({
    ...{ correlationId: 1, acks: 1, timeoutMs: 0 },
    partitions: [
      {
        topic: 't',
        partition: 0,
        topicId: new Uint8Array(0),
        records: new Uint8Array(0),
        plainRecords,
      },
    ],
  });
  // The length of the value now goes beyond its record.
  encoded[encoded.length - 4] = 100;
  const stream = door.channel.stream(produceMethod.path, client as never);
  stream.send(encoded);
  expect(await client.closed()).toMatch(
    /^INVALID_REQUEST: malformed request: 100 bytes are claimed/,
  );
});

test('after a half-close everything is answered before the end', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  door.world.stallDisk(1000);
  client.send({ 0: makeBatch() });
  client.send({ 1: makeBatch() });
  client.stream.end();
  expect(await client.closed()).toBe('OK');
  expect(client.answers.sort()).toEqual(['1: t-0 0 NONE', '2: t-1 0 NONE']);
});

test('a half-close without requests ends the stream at once', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  client.stream.end();
  expect(await client.closed()).toBe('OK');
});

test('reading pauses while more than the credit is unanswered, and goes on when it is answered', async () => {
  const door = await DoorWorld.open({ 'grpc.produce.credit.bytes': '64KiB' });
  const client = door.produce();
  door.world.stallDisk(1000);
  for (let i = 0; i < 10; i++) client.send({ 0: makeBatch({ valueBytes: 30_000 }) });
  await door.world.pass(500);
  const log = door.world.logs.log({ topic: 't', partition: 0 })!;
  // What has arrived before the pause is taken in; the rest stays with the client.
  const taken = log.logEndOffset;
  expect(taken).toBeLessThan(10);
  await client.received(11);
  expect(client.answers.at(-1)).toBe('10: t-0 9 NONE');
});

test('many small requests pause the reading, too', async () => {
  const door = await DoorWorld.open({ 'grpc.produce.credit.bytes': '64KiB' });
  const client = door.produce();
  await client.received(1);
  door.world.stallDisk(1000);
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 100; i++) client.send({ 0: makeBatch() });
    await door.world.pass(10);
  }
  const log = door.world.logs.log({ topic: 't', partition: 0 })!;
  expect(log.logEndOffset).toBeLessThan(500);
  await client.received(1001);
  expect(log.logEndOffset).toBe(1000);
});

const KIB_400 = { valueBytes: 400 * 1024 };

test('a client that was refused is not read before there is room', async () => {
  const door = await DoorWorld.open({ 'queued.max.request.bytes': '1MiB' });
  const client = door.produce();
  await client.received(1);
  door.world.stallDisk(500);
  for (let i = 0; i < 3; i++) client.send({ 0: makeBatch(KIB_400) });
  await client.received(2);
  expect(client.answers).toEqual(['3: t-0 -1 BROKER_OVERLOADED']);
  for (let i = 0; i < 20; i++) client.send({ 1: makeBatch() });
  await door.world.pass(400);
  // One or two may have arrived before the pause; the rest stays with the client.
  const log = door.world.logs.log({ topic: 't', partition: 1 })!;
  expect(log.logEndOffset).toBeLessThan(5);
  await client.received(24);
  expect(log.logEndOffset).toBe(20);
});

test('a client that was refused is read again, even if there is never room', async () => {
  const door = await DoorWorld.open({ 'queued.max.request.bytes': '1MiB' });
  const client = door.produce();
  await client.received(1);
  door.world.stallDisk(20_000);
  for (let i = 0; i < 3; i++) client.send({ 0: makeBatch(KIB_400) });
  await client.received(2);
  for (let i = 0; i < 5; i++) client.send({ 1: makeBatch(KIB_400) });
  await door.world.pass(10_000);
  expect(client.answers).toHaveLength(6);
});

/** A request whose answer is large, as it names what is wrong with each partition. */
const manyRefusals = Array.from({ length: 9000 }, (_, partition) => ({
  topic: `missing topic ${partition}`,
  partition,
  topicId: new Uint8Array(0),
  records: new Uint8Array(0),
}));

test('a client that takes no answers is not read until it does', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  await client.received(1);
  client.stream.pause();
  for (let i = 0; i < 5; i++) client.send({}, { partitions: manyRefusals });
  await door.world.pass(10);
  client.send({ 0: makeBatch() });
  await door.world.pass(4000);
  // Nothing more is read from it meanwhile.
  expect(door.world.logs.log({ topic: 't', partition: 0 })!.logEndOffset).toBe(0);
  client.stream.resume();
  await client.received(7);
  await door.world.pass(60_000);
  expect(client.status).toBeUndefined();
});

test('a client that goes away takes nothing with it', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  door.world.stallDisk(1000);
  client.send({ 0: makeBatch() });
  await door.world.pass(100);
  client.stream.fail({ code: 1, message: 'gone' });
  await door.world.pass(2000);
  expect(door.world.logs.log({ topic: 't', partition: 0 })!.flushedOffset).toBe(1);
  expect(door.unexpected).toEqual([]);
});

test('when the broker stops, the stream ends by name, and not before what was taken is safe', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  door.world.stallDisk(1000);
  client.send({ 0: makeBatch() });
  await door.world.pass(100);
  door.door.stop();
  client.send({ 0: makeBatch() });
  expect(await client.closed()).toMatch(/^BROKER_STOPPING/);
  expect(door.world.logs.log({ topic: 't', partition: 0 })!.flushedOffset).toBe(1);
});

test.for(['0a', '1000', '22ffffffff07', '2202080f'])(
  'a message of the bytes %s does not hurt the broker',
  async (hex) => {
    const door = await DoorWorld.open();
    const closes: number[] = [];
    const raw = door.channel.stream('/varve.v1.LogService/Produce', {
      onMessage() {},
      onDrain() {},
      onEnd() {},
      onClose: ({ code }) => closes.push(code),
    });
    raw.send(Uint8Array.from(Buffer.from(hex, 'hex')));
    await door.world.until(() => closes.length > 0);
    expect(closes).toEqual([3]);
    expect(door.unexpected).toEqual([]);
  },
);
