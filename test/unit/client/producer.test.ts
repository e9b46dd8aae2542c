import { expect, test } from 'vitest';
import { VarveError } from '../../../src/client/errors.ts';
import { partitionForKey } from '../../../src/codec/murmur2.ts';
import { Errors } from '../../../src/model/errors.ts';
import { fakeWorld } from '../../support/fake-broker-client.ts';
import { FakePartition } from '../../support/fake-broker-partition.ts';
import { numbers } from '../../support/fake-broker-values.ts';

test('a record is stored and its promise tells where', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  const sent = await run(producer.send({ topic: 'orders', key: 'k', value: 'v', timestampMs: 7 }));
  expect(sent).toEqual({ topic: 'orders', partition: 0, offset: 0, timestampMs: 7 });
  expect(cluster.partition('orders').records()).toEqual([
    { offset: 0, key: 'k', value: 'v', timestampMs: 7 },
  ]);
  await run(client.close());
  expect(cluster.errors).toEqual([]);
});

test('what is sent in one turn shares a batch', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  const sends = numbers(0, 100).map((value) => producer.send({ topic: 'orders', value }));
  const sent = await run(Promise.all(sends));
  expect(sent.map(({ offset }) => String(offset))).toEqual(numbers(0, 100));
  expect(cluster.partition('orders').batches).toHaveLength(1);
});

test('batches for several partitions of one leader share a message', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders', 3);
  const producer = client.producer();
  await run(
    producer.sendBatch([0, 1, 2].map((partition) => ({ topic: 'orders', partition, value: 'v' }))),
  );
  expect(cluster.produced).toHaveLength(1);
  expect(cluster.produced[0]!.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2]);
});

test('equal keys go to the partition that Kafka clients pick', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders', 7);
  const producer = client.producer();
  for (const key of ['a', 'customer-17', 'ключ']) {
    const { partition } = await run(producer.send({ topic: 'orders', key, value: 'v' }));
    expect(partition).toBe(partitionForKey(Buffer.from(key), 7));
  }
});

test('records without a key stay with one partition until its batch has left', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders', 5);
  const producer = client.producer();
  const send = (): Promise<{ partition: number }> => producer.send({ topic: 'orders', value: 'v' });
  const first = await run(Promise.all([send(), send(), send()]));
  const second = await run(Promise.all([send(), send(), send()]));
  const used = (sent: { partition: number }[]) => new Set(sent.map(({ partition }) => partition));
  expect(used(first).size).toBe(1);
  expect(used(second).size).toBe(1);
  expect(second[0]!.partition).not.toBe(first[0]!.partition);
});

test('a partitioner of the program decides, and a wrong answer of it fails the send', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('orders', 3);
  const producer = client.producer({ partitioner: (_topic, key) => key![0]! - 48 });
  const sent = await run(producer.send({ topic: 'orders', key: '2', value: 'v' }));
  expect(sent.partition).toBe(2);
  const wrong = await failure(producer.send({ topic: 'orders', key: '7', value: 'v' }));
  expect(wrong.message).toBe('topic orders has partitions 0 to 2, not 7');
});

test('keys, tombstones, headers and times arrive as they were given', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer({ key: 'string', value: 'json' });
  await run(
    Promise.all([
      producer.send({ topic: 'orders', key: 'a', value: { n: 1 }, timestampMs: 5 }),
      producer.send({ topic: 'orders', key: 'a', value: null, timestampMs: 4 }),
    ]),
  );
  expect(cluster.partition('orders').records()).toEqual([
    { offset: 0, key: 'a', value: '{"n":1}', timestampMs: 5 },
    { offset: 1, key: 'a', value: null, timestampMs: 4 },
  ]);
  const consumer = client.consumer({ topics: ['orders'], from: 'earliest' });
  await run(
    producer.send({ topic: 'orders', value: 1, headers: { trace: 'x', raw: new Uint8Array([1]) } }),
  );
  const iterator = consumer[Symbol.asyncIterator]();
  for (let i = 0; i < 2; i++) await run(iterator.next());
  const { value } = await run(iterator.next());
  expect(value?.headers.map(({ key, value: v }) => [key, [...v!]])).toEqual([
    ['trace', [120]],
    ['raw', [1]],
  ]);
});

test('arguments that make no sense fail the send and name what is right', async () => {
  const { cluster, client, failure } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  const send = (record: object) =>
    failure(producer.send({ topic: 'orders', value: 'v', ...record } as never));
  expect((await send({ topic: '' })).message).toBe('a topic is named by a text, not ""');
  expect((await send({ partition: -1 })).message).toContain('the partition of orders must be');
  expect((await send({ partition: 4 })).message).toContain('has partitions 0 to 0, not 4');
  expect((await send({ timestampMs: 1.5 })).message).toContain('timestampMs of a record');
  const wrongType = await send({ value: 17 });
  expect(wrongType.code).toBe('SERIALIZATION_FAILED');
  expect(wrongType.message).toContain('the value is of type number');
});

test('what a serializer or the headers get wrong does not spoil the batch', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('orders');
  const broken = { serialize: (value: unknown) => value as Uint8Array, deserialize: () => '' };
  const producer = client.producer({ value: broken });
  const good = producer.send({ topic: 'orders', value: new Uint8Array(3) });
  const wrong = await failure(producer.send({ topic: 'orders', value: 7 as never }));
  expect(wrong.message).toContain('it must give a Uint8Array');
  const headers = { a: 7 } as never;
  const value = new Uint8Array(1);
  const header = await failure(producer.send({ topic: 'orders', value, headers }));
  expect(header.message).toContain('header "a" must have a text as its name');
  await run(good);
  expect(cluster.partition('orders').records()).toHaveLength(1);
});

test('a record that no broker takes is refused before it is sent', async () => {
  const { cluster, client, failure } = await fakeWorld({ maxMessageBytes: 100_000 });
  cluster.addTopic('orders');
  const producer = client.producer();
  const error = await failure(producer.send({ topic: 'orders', value: new Uint8Array(99_000) }));
  expect(error.code).toBe('MESSAGE_TOO_LARGE');
  const headers = { h: new Uint8Array(99_000) };
  const byHeader = await failure(producer.send({ topic: 'orders', value: 'v', headers }));
  expect(byHeader.code).toBe('MESSAGE_TOO_LARGE');
  expect(cluster.produced).toHaveLength(0);
});

test('a topic that does not exist is told of in seconds, by name', async () => {
  const { client, failure, machine } = await fakeWorld();
  const producer = client.producer();
  const error = await failure(producer.send({ topic: 'ordres', value: 'v' }));
  expect(VarveError.is(error)).toBe(true);
  expect(error.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect(error.message).toContain('topic "ordres" does not exist');
  expect(machine.scheduler.nowMs).toBeLessThan(5000);
});

test('a topic that is made a moment later is found, and the records keep their order', async () => {
  const { cluster, client, run, pass } = await fakeWorld();
  const producer = client.producer();
  const sends = numbers(0, 10).map((value) => producer.send({ topic: 'orders', value }));
  await pass(500);
  cluster.addTopic('orders');
  await run(Promise.all(sends));
  expect(cluster.partition('orders').values()).toEqual(numbers(0, 10));
});

test('when the buffer is full, send waits for room and keeps the order', async () => {
  const { cluster, client, run, pass } = await fakeWorld();
  cluster.addTopic('orders');
  cluster.onProduce = () => ({ delayMs: 20 });
  const producer = client.producer({ bufferBytes: 4096, batchBytes: 1024 });
  await run(producer.send({ topic: 'orders', value: '-1' }));
  const done: number[] = [];
  const sends = numbers(0, 500).map((value, i) =>
    producer.send({ topic: 'orders', value }).then(() => done.push(i)),
  );
  await pass(25);
  expect(done.length).toBeLessThan(450);
  await run(Promise.all(sends));
  expect(cluster.partition('orders').values()).toEqual(numbers(-1, 500));
});

test('who waits for room longer than the delivery timeout is told', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('orders');
  cluster.onProduce = () => 'ignore';
  const producer = client.producer({ bufferBytes: 1024, deliveryTimeoutMs: 1000 });
  const value = new Uint8Array(500);
  const sends = [0, 1, 2].map(() => producer.send({ topic: 'orders', value }));
  sends[2]!.catch(() => {});
  const outcomes = await run(Promise.allSettled(sends));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  const last = await failure(sends[2]!);
  expect(['BUFFER_FULL', 'DELIVERY_TIMEOUT']).toContain(last.code);
});

test('a signal gives up a record that waits, and lets the others pass', async () => {
  const { cluster, client, run, failure, pass } = await fakeWorld();
  const producer = client.producer();
  const controller = new AbortController();
  const { signal } = controller;
  const given = producer.send({ topic: 'orders', value: 'given up' }, { signal });
  const kept = producer.send({ topic: 'orders', value: 'kept' });
  const reason = failure(given);
  controller.abort(new Error('enough'));
  expect((await reason).message).toBe('enough');
  await pass(100);
  cluster.addTopic('orders');
  await run(kept);
  expect(cluster.partition('orders').values()).toEqual(['kept']);
  const late = await failure(producer.send({ topic: 'orders', value: 'x' }, { signal }));
  expect(late.message).toBe('enough');
});

test('flush resolves when all that was sent before has an outcome, and nothing lingers', async () => {
  const { cluster, client, run, pass, machine } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer({ lingerMs: 60_000 });
  await run(producer.send({ topic: 'orders', value: 'warm up' }));
  cluster.onProduce = () => ({ delayMs: 30 });
  let settled = 0;
  const send = (value: string) =>
    producer.send({ topic: 'orders', value }).then(() => {
      settled++;
    });
  const first = send('goes at once');
  await pass(10);
  const second = send('would linger');
  await run(producer.flush());
  expect(settled).toBe(2);
  expect(machine.scheduler.nowMs).toBeLessThan(1000);
  await run(Promise.all([first, second]));
});

test('flush of nothing resolves, and so does a flush after a failure', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  await run(producer.flush());
  cluster.onProduce = () => ({ error: Errors.INVALID_RECORD });
  const failed = failure(producer.send({ topic: 'orders', value: 'a' }));
  expect((await failed).code).toBe('INVALID_RECORD');
  await run(producer.flush());
});

test('close sends what is there, ends the streams and refuses more', async () => {
  const { cluster, client, run, failure, pass } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer({ lingerMs: 60_000 });
  const sends = numbers(0, 10).map((value) => producer.send({ topic: 'orders', value }));
  await run(Promise.all([producer.close(), producer.close(), ...sends]));
  expect(cluster.partition('orders').values()).toEqual(numbers(0, 10));
  expect((await failure(producer.send({ topic: 'orders', value: 'x' }))).code).toBe('CLOSED');
  await pass(10);
  expect(cluster.openStreams).toBe(0);
});

test('close with a signal gives up what has no answer, and says what may be stored', async () => {
  const { cluster, client, run, failure, pass } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  await run(producer.send({ topic: 'orders', value: 'a' }));
  cluster.onProduce = () => 'ignore';
  const codes: string[] = [];
  const note = (error: { code: string }) => codes.push(error.code);
  producer.send({ topic: 'orders', value: 'under way' }).catch(note);
  await pass(100);
  producer.send({ topic: 'strange', value: 'waits for its topic' }).catch(note);
  const controller = new AbortController();
  const closed = producer.close({ signal: controller.signal });
  controller.abort();
  await run(closed);
  expect(codes.sort()).toEqual(['CLOSED', 'OUTCOME_UNKNOWN']);
  await pass(10);
  expect(cluster.openStreams).toBe(0);
  expect((await failure(producer.send({ topic: 'orders', value: 'b' }))).code).toBe('CLOSED');
});

test('an idle producer asks for new partitions now and then', async () => {
  const { cluster, client, run, pass } = await fakeWorld();
  const topic = cluster.addTopic('orders');
  const producer = client.producer();
  await run(producer.send({ topic: 'orders', value: 'a' }));
  topic.partitions.push(new FakePartition(1));
  await pass(61_000);
  const sent = await run(producer.send({ topic: 'orders', partition: 1, value: 'b' }));
  expect(sent.partition).toBe(1);
});

test.each(['gzip', 'zstd', 'lz4', 'snappy'] as const)(
  'batches are compressed with %s',
  async (compression) => {
    const { cluster, client, run } = await fakeWorld();
    cluster.addTopic('orders');
    const producer = client.producer({ compression });
    await run(producer.sendBatch(numbers(0, 200).map((value) => ({ topic: 'orders', value }))));
    expect(cluster.partition('orders').values()).toEqual(numbers(0, 200));
  },
);
