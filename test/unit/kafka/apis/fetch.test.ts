import { expect, test } from 'vitest';
import { topicByName } from '../../../../src/metadata/image.ts';
import { BatchView } from '../../../../src/records/batch-view.ts';
import { apiNamed, requestFrame } from '../../../support/kafka-requests.ts';
import { item } from '../../broker/broker-world.ts';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

const NO_ID = new Uint8Array(16);
const BATCHES = 3;
const BATCH_BYTES = makeBatch().length;

async function open(settings: { [key: string]: string } = {}): Promise<ConnectionWorld> {
  return await ConnectionWorld.open({ 'log.retention.ms': '-1', ...settings }, async (world) => {
    await world.createTopic('t', 2);
    for (let at = 0; at < BATCHES; at++) await world.produce([item('t', 0, makeBatch())]);
    // Its leader is in another epoch than the first.
    await world.crashAndStart();
  });
}

const idOf = (world: ConnectionWorld, name: string): Uint8Array =>
  new Uint8Array(
    Buffer.from(topicByName(world.world.broker.image, name)!.topicId as string, 'base64url'),
  );

function requestOf(
  partitions: readonly object[],
  more: object = {},
  topic: { topic?: string; topicId?: Uint8Array } = {},
) {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1_000_000,
    replicaDirectoryId: NO_ID,
  };
  const each = partitions.map((one) => ({ ...partition, ...one }));
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: null,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: 't', topicId: NO_ID, partitions: each, ...topic }],
    forgottenTopicsData: [],
    rackId: '',
    ...more,
  };
}

interface Answer {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly partitions: readonly Partition[] }[];
}

interface Partition {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly records: readonly Uint8Array[];
  readonly abortedTransactions: readonly unknown[] | null;
}

const fetch = async (world: ConnectionWorld, version: number, request: object): Promise<Answer> =>
  (await world.ask('Fetch', version, request as never)) as unknown as Answer;

const first = (answer: Answer): Partition => answer.responses[0]!.partitions[0]!;

function offsetsIn({ records }: Partition): number[] {
  const bytes = new Uint8Array(Buffer.concat(records));
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { baseOffset, sizeInBytes } = new BatchView(bytes, at);
    offsets.push(baseOffset);
    at += sizeInBytes;
  }
  return offsets;
}

test('every version reads whole batches, by name or by id', async () => {
  const world = await open();
  const topic = { topicId: idOf(world, 't') };
  for (let version = 4; version <= 17; version++) {
    const answer = await fetch(world, version, requestOf([{}], {}, version < 13 ? {} : topic));
    expect(first(answer)).toMatchObject({ errorCode: 0, highWatermark: 3 });
    expect(offsetsIn(first(answer))).toEqual([0, 1, 2]);
    expect(answer.sessionId).toBe(0);
  }
  expect(world.memory.usedBytes).toBe(0);
});

test('what an answer may carry is bounded by its client and by the broker, but for the first batch', async () => {
  const world = await open({ 'fetch.max.bytes': '1024' });
  const read = async (partitionMaxBytes: number, maxBytes: number) => {
    const answer = await fetch(world, 12, requestOf([{ partitionMaxBytes }], { maxBytes }));
    return offsetsIn(first(answer)).length;
  };
  expect(await read(1, 1)).toBe(1);
  expect(await read(2 * BATCH_BYTES, 1_000_000)).toBe(2);
  expect(await read(1_000_000, 2 * BATCH_BYTES + 1)).toBe(2);
  for (let at = 0; at < 12; at++) await world.world.produce([item('t', 0, makeBatch())]);
  expect(await read(1_000_000, 1_000_000)).toBe(Math.floor(1024 / BATCH_BYTES));
  expect(await read(-1, -1)).toBe(1);
});

test('a fetch waits for records, and no longer than its client wants', async () => {
  const world = await open();
  const wait = { maxWaitMs: 500, minBytes: 1 };
  await world.send(requestFrame(apiNamed('Fetch'), 12, 1, requestOf([{ fetchOffset: 3 }], wait)));
  await world.world.pass(100);
  expect(world.wire.frames).toEqual([]);
  await world.world.produce([item('t', 0, makeBatch())]);
  await world.world.pass(1);
  expect(world.wire.frames).toHaveLength(1);
  await world.send(requestFrame(apiNamed('Fetch'), 12, 2, requestOf([{ fetchOffset: 4 }], wait)));
  await world.world.pass(490);
  expect(world.wire.frames).toHaveLength(1);
  await world.world.pass(20);
  expect(world.wire.frames).toHaveLength(2);
});

test('a fetch that waits ends with its connection', async () => {
  const world = await open();
  const wait = { maxWaitMs: 100_000, minBytes: 1 };
  await world.send(requestFrame(apiNamed('Fetch'), 12, 1, requestOf([{ fetchOffset: 3 }], wait)));
  world.connection.closed();
  await world.world.pass(10);
  expect(world.memory.usedBytes).toBe(0);
  expect(world.unexpected).toEqual([]);
});

test.each([
  ['an offset beyond the end', { fetchOffset: 4 }, 1],
  ['a negative offset', { fetchOffset: -1 }, 1],
  ['a partition that is not there', { partition: 9 }, 3],
  ['a negative partition', { partition: -1 }, 3],
  ['an epoch that is over', { currentLeaderEpoch: 0 }, 74],
  ['an epoch to come', { currentLeaderEpoch: 99 }, 75],
])('%s is told at once, without a high watermark', async (_, partition, errorCode) => {
  const world = await open();
  const request = requestOf([partition], { maxWaitMs: 100_000, minBytes: 1_000_000 });
  const before = world.world.machine.scheduler.nowMs;
  expect(first(await fetch(world, 12, request))).toMatchObject({ errorCode, highWatermark: -1 });
  expect(world.world.machine.scheduler.nowMs - before).toBeLessThan(1000);
});

test('an id that no topic has is told as such', async () => {
  const world = await open();
  const request = requestOf([{}], {}, { topicId: new Uint8Array(16).fill(9) });
  expect(first(await fetch(world, 13, request)).errorCode).toBe(100);
});

test('there are no sessions: who goes on with one is told so, who ends or begins one is answered', async () => {
  const world = await open();
  for (const sessionId of [0, 5]) {
    const going = await fetch(world, 12, requestOf([{}], { sessionId, sessionEpoch: 1 }));
    expect(going).toMatchObject({ errorCode: 70, responses: [] });
    for (const sessionEpoch of [0, -1]) {
      const full = await fetch(world, 12, requestOf([{}], { sessionId, sessionEpoch }));
      expect(full).toMatchObject({ errorCode: 0, sessionId: 0 });
      expect(offsetsIn(first(full))).toEqual([0, 1, 2]);
    }
  }
});

test('aborted transactions are a list for those who read committed records only', async () => {
  const world = await open();
  expect(first(await fetch(world, 12, requestOf([{}])))).toMatchObject({
    abortedTransactions: null,
  });
  const committed = requestOf([{}], { isolationLevel: 1 });
  expect(first(await fetch(world, 12, committed))).toMatchObject({ abortedTransactions: [] });
});

test('what is read is lent until its answer is with the system', async () => {
  const world = await open({ 'log.tail.cache.bytes': '0' });
  world.wire.isSlow = true;
  await world.send(requestFrame(apiNamed('Fetch'), 12, 1, requestOf([{}])));
  await world.world.until(() => world.wire.frames.length === 1);
  expect(world.memory.usedBytes).toBe(world.wire.frames[0]!.length);
  world.wire.take();
  expect(world.memory.usedBytes).toBe(0);
});
