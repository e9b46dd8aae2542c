import { expect, test } from 'vitest';
import { FetchConnection } from '../../../src/client/fetch-connection.ts';
import { PrefetchBudget } from '../../../src/client/prefetch-budget.ts';
import { fetchRequestCodec, fetchResponseCodec } from '../../../src/rpc/log-codecs.ts';
import type { FetchRequest } from '../../../src/rpc/log-messages.ts';
import type { Channel, RpcCode, StreamEvents } from '../../../src/rpc/transport.ts';

function setUp(totalBytes = 1000, readCommitted = false) {
  const sent: FetchRequest[] = [];
  const fetched: number[] = [];
  let lost = 0;
  let events: StreamEvents | undefined;
  const channel = {
    stream: (_path: string, given: StreamEvents) => {
      events = given;
      return {
        send: (bytes: Uint8Array) => sent.push(fetchRequestCodec.decode(bytes)) > 0,
        pause() {},
        resume() {},
        end() {},
        fail: (status: { code: RpcCode; message: string }) => given.onClose(status as never),
      };
    },
  } as unknown as Channel;
  const budget = new PrefetchBudget(totalBytes);
  const settings = { readCommitted, budget };
  const connection = new FetchConnection(1, settings, channel, {
    onFetched: (_, { correlationId }) => fetched.push(correlationId),
    onLost: () => lost++,
  });
  const position = (partition: number) => ({
    topic: 'orders',
    partition,
    topicId: new Uint8Array(16),
    offset: 7,
    leaderEpoch: 0,
  });
  const receive = (correlationId: number, bytes = 0) =>
    events!.onMessage(
      fetchResponseCodec.encode({
        partitions: [1, 2].map((partition) => ({
          topic: 'orders',
          partition,
          correlationId,
          error: undefined,
          highWatermark: 0,
          lastStableOffset: 0,
          logStartOffset: 0,
          records: [new Uint8Array(bytes)],
        })),
      }),
    );
  const granted = () => sent.reduce((sum, { creditBytes }) => sum + creditBytes, 0);
  return { connection, budget, sent, fetched, lost: () => lost, position, receive, granted };
}

test('the budget is granted once, and again as bytes are released, in strides', () => {
  const { connection, sent, granted, receive } = setUp(8_000_000);
  connection.grant();
  connection.grant();
  expect(granted()).toBe(8_000_000);
  receive(1, 1_000_000);
  for (let i = 0; i < 90; i++) connection.release(10_000);
  expect(granted()).toBe(8_000_000);
  for (let i = 0; i < 20; i++) connection.release(10_000);
  expect(granted()).toBe(9_050_000);
  expect(sent).toHaveLength(2);
});

test('a stream that was overdrawn by a large batch goes on when that is released', () => {
  const { connection, budget, granted, receive } = setUp(1000);
  connection.grant();
  receive(1, 25_000);
  expect(granted()).toBe(1000);
  connection.release(25_000);
  connection.release(25_000);
  expect(granted()).toBe(51_000);
  expect(budget.freeBytes).toBe(0);
});

test('a stream that has nothing gets a little although others hold all there is', () => {
  const { connection, budget, granted } = setUp(1000);
  budget.take(1000);
  connection.grant();
  connection.grant();
  expect(granted()).toBe(500);
});

test('what is released after the end is free again, and so is credit that was not used', () => {
  const { connection, budget, receive } = setUp(1000);
  connection.grant();
  receive(1, 200);
  expect(budget.freeBytes).toBe(0);
  connection.close();
  expect(budget.freeBytes).toBe(600);
  connection.release(400);
  expect(budget.freeBytes).toBe(1000);
});

test('every request for positions has a correlation id of its own', () => {
  const { connection, position } = setUp();
  const first = connection.begin([position(0), position(1)]);
  const second = connection.begin([position(0)]);
  expect(first[0]).toBe(first[1]);
  expect(second[0]).toBeGreaterThan(first[0]!);
});

test('very many positions go in several requests', () => {
  const { connection, sent, position } = setUp();
  const ids = connection.begin(Array.from({ length: 2500 }, (_, i) => position(i)));
  expect(sent.map(({ positions }) => positions.length)).toEqual([1000, 1000, 500]);
  expect(new Set(ids).size).toBe(3);
});

test('the isolation level goes with the first request', () => {
  const { connection, sent } = setUp(1000, true);
  connection.grant();
  expect(sent[0]!.isolationLevel).toBe(2);
});

test('what comes is passed on, and nothing after the close', () => {
  const { connection, sent, fetched, lost, receive, position } = setUp();
  receive(5);
  expect(fetched).toEqual([5, 5]);
  expect(connection.hasSpoken).toBe(true);
  connection.close();
  expect(lost()).toBe(1);
  receive(6);
  connection.begin([position(0)]);
  connection.stop(position(0));
  expect([fetched.length, sent.length]).toEqual([2, 0]);
});
