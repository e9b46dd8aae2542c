import { expect, test } from 'vitest';
import { BatchMemory } from '../../../src/client/batch-memory.ts';
import { PartitionQueue } from '../../../src/client/partition-queue.ts';
import { ProduceConnection, type ProduceEntry } from '../../../src/client/produce-connection.ts';
import { ProducerBatch } from '../../../src/client/producer-batch.ts';
import { produceRequestCodec, produceResponseCodec } from '../../../src/rpc/log-codecs.ts';
import type { ProducedPartition, ProduceRequest } from '../../../src/rpc/log-messages.ts';
import {
  type Channel,
  RpcCode,
  type RpcStatus,
  type StreamEvents,
} from '../../../src/rpc/transport.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

const queueSettings = { isIdempotent: false, lingerMs: 0, deliveryTimeoutMs: 1000, maxInFlight: 5 };

function setUp() {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const sent: ProduceRequest[] = [];
  const answered: (readonly ProduceEntry[])[] = [];
  const lost: { entries: readonly ProduceEntry[]; status: RpcStatus }[] = [];
  const state = { room: 0, keepsUp: true, ended: false };
  let events: StreamEvents | undefined;
  const channel = {
    stream: (_path: string, given: StreamEvents) => {
      events = given;
      return {
        send: (bytes: Uint8Array) => {
          sent.push(produceRequestCodec.decode(bytes));
          return state.keepsUp;
        },
        pause() {},
        resume() {},
        end: () => {
          state.ended = true;
        },
        fail: (status: RpcStatus) => env.timers.nextTurn(() => given.onClose(status)),
      };
    },
  } as unknown as Channel;
  const settings = { acks: 1 as const, maxInFlight: 3, requestTimeoutMs: 1000 };
  const connection = new ProduceConnection(settings, env, channel, {
    onAnswer: (entries) => answered.push(entries),
    onRoom: () => state.room++,
    onLost: (entries, status) => lost.push({ entries, status }),
  });
  const queue = new PartitionQueue('orders', 0, queueSettings);
  const entry = (bytes = 10): ProduceEntry => {
    const place = { topic: 'orders', partition: 0, createdMs: 0, serial: 0 };
    const batch = new ProducerBatch(place, 0, {
      compression: 0,
      memory: new BatchMemory(0),
      onSettled() {},
      onSplit() {},
    });
    void batch.append({ key: null, value: new Uint8Array(bytes), timestampMs: 0 });
    return { queue, batch, topicId: new Uint8Array(0) };
  };
  const answer = (correlationId: number, creditBytes = 0, partitions: ProducedPartition[] = []) =>
    events!.onMessage(produceResponseCodec.encode({ correlationId, creditBytes, partitions }));
  return {
    connection,
    sent,
    answered,
    lost,
    state,
    entry,
    answer,
    scheduler,
    events: () => events!,
  };
}

const stored: ProducedPartition = {
  topic: 'orders',
  partition: 0,
  error: undefined,
  baseOffset: 0,
  logAppendTimeMs: -1,
  logStartOffset: 0,
  leaderId: -1,
  leaderEpoch: -1,
};

test('nothing is sent before the broker has granted credit', () => {
  const { connection, answer, state } = setUp();
  expect(connection.hasRoomFor(1, 10)).toBe(false);
  answer(0, 1000);
  expect(connection.hasRoomFor(1, 10)).toBe(true);
  expect(state.room).toBe(1);
});

test('credit is spent by sending and comes back with answers', () => {
  const { connection, sent, answered, entry, answer } = setUp();
  answer(0, 1000);
  const first = entry(700);
  connection.send([first]);
  expect(connection.hasRoomFor(1, 500)).toBe(false);
  expect(connection.hasRoomFor(1, 100)).toBe(true);
  expect(sent[0]).toMatchObject({ correlationId: 1, acks: 1, timeoutMs: 1000 });
  answer(1, sent[0]!.partitions[0]!.records.length, [stored]);
  expect(answered).toEqual([[first]]);
  expect(connection.hasRoomFor(1, 1000)).toBe(true);
});

test('a batch larger than all credit goes alone when nothing is unanswered', () => {
  const { connection, entry, answer } = setUp();
  answer(0, 100);
  expect(connection.hasRoomFor(1, 5000)).toBe(true);
  expect(connection.hasRoomFor(2, 5000)).toBe(false);
  connection.send([entry(5000)]);
  expect(connection.hasRoomFor(1, 10)).toBe(false);
});

test('only so many requests are unanswered, and none while the stream does not keep up', () => {
  const { connection, entry, answer, state, events } = setUp();
  answer(0, 100_000);
  for (let i = 0; i < 3; i++) connection.send([entry()]);
  expect(connection.hasRoomFor(1, 10)).toBe(false);
  state.keepsUp = false;
  for (const id of [1, 2, 3]) answer(id, 0, [stored]);
  connection.send([entry()]);
  expect(connection.hasRoomFor(1, 10)).toBe(false);
  events().onDrain();
  expect(connection.hasRoomFor(1, 10)).toBe(true);
});

test.each([
  ['an unknown correlation id', 9, [stored]],
  ['another partition', 1, [{ ...stored, partition: 4 }]],
  ['too few partitions', 1, []],
] as const)('an answer with %s ends the stream', async (_name, id, partitions) => {
  const { connection, answered, lost, entry, answer, scheduler } = setUp();
  answer(0, 1000);
  const one = entry();
  connection.send([one]);
  answer(id, 0, [...partitions]);
  await scheduler.run(10);
  expect(answered).toEqual([]);
  expect(lost.map(({ entries, status }) => [entries, status.code])).toEqual([
    [[one], RpcCode.INTERNAL],
  ]);
});

test('an answer that does not come ends the stream, and all that is unanswered is told', async () => {
  const { connection, lost, entry, answer, scheduler } = setUp();
  answer(0, 10_000);
  const [first, second] = [entry(), entry()];
  connection.send([first]);
  await scheduler.run(3000);
  connection.send([second]);
  await scheduler.run(5990);
  expect(lost).toEqual([]);
  await scheduler.run(6100);
  expect(lost).toHaveLength(1);
  expect(lost[0]!.entries).toEqual([first, second]);
  expect(lost[0]!.status.code).toBe(RpcCode.DEADLINE_EXCEEDED);
});

test('a broker that never speaks is given up, one that answers is not', async () => {
  const silent = setUp();
  await silent.scheduler.run(7000);
  expect(silent.lost).toHaveLength(1);
  const lively = setUp();
  lively.answer(0, 10_000);
  lively.connection.send([lively.entry()]);
  await lively.scheduler.run(5000);
  lively.answer(1, 0, [stored]);
  await lively.scheduler.run(60_000);
  expect(lively.lost).toEqual([]);
});

test('the close waits for answers', async () => {
  const { connection, entry, answer, state, events } = setUp();
  answer(0, 1000);
  connection.send([entry()]);
  const closed = connection.close();
  expect(connection.hasRoomFor(1, 1)).toBe(false);
  expect(state.ended).toBe(false);
  answer(1, 0, [stored]);
  expect(state.ended).toBe(true);
  events().onClose({ code: RpcCode.OK, message: '' });
  await closed;
});
