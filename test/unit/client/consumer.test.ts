import * as v from 'valibot';
import { expect, test } from 'vitest';
import type { Consumer } from '../../../src/client/consumer.ts';
import { Errors } from '../../../src/model/errors.ts';
import { producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { type FakeWorld, fakeWorld } from '../../support/fake-broker-client.ts';
import { FakePartition } from '../../support/fake-broker-partition.ts';
import { numbers } from '../../support/fake-broker-values.ts';

/** A topic with `count` numbered values in each partition, ten a batch. */
async function filled(world: FakeWorld, count: number, partitions = 1, topic = 'orders') {
  world.cluster.addTopic(topic, partitions);
  const producer = world.client.producer({ value: 'string' });
  for (let at = 0; at < count; at += 10) {
    const values = numbers(at, Math.min(at + 10, count));
    const records = [...Array(partitions).keys()].flatMap((partition) =>
      values.map((value) => ({ topic, partition, value, timestampMs: Number(value) * 1000 })),
    );
    await world.run(producer.sendBatch(records));
  }
  return producer;
}

async function take<T>(iterable: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of iterable) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

const all = <T>(iterable: AsyncIterable<T>): Promise<T[]> =>
  take(iterable, Number.POSITIVE_INFINITY);
const values = (records: readonly { value: unknown }[]) => records.map(({ value }) => value);

test('a topic is read from the beginning to the end, in order', async () => {
  const world = await fakeWorld();
  await filled(world, 100);
  const options = { topics: ['orders'], from: 'earliest', until: 'end', value: 'string' } as const;
  const records = await world.run(all(world.client.consumer(options)));
  expect(values(records)).toEqual(numbers(0, 100));
  expect(records[42]).toEqual({
    topic: 'orders',
    partition: 0,
    offset: 42,
    timestampMs: 42_000,
    key: null,
    value: '42',
    headers: [],
  });
  await world.pass(10);
  expect(world.cluster.errors).toEqual([]);
});

test('all partitions on all brokers are read, and the loop ends at the end of each', async () => {
  const world = await fakeWorld({ nodes: 3 });
  await filled(world, 30, 5);
  const options = { topics: ['orders'], from: 'earliest', until: 'end', value: 'string' } as const;
  const records = await world.run(all(world.client.consumer(options)));
  for (let partition = 0; partition < 5; partition++) {
    const own = records.filter((record) => record.partition === partition);
    expect(values(own)).toEqual(numbers(0, 30));
  }
});

test('records written after the start are not before the end', async () => {
  const world = await fakeWorld();
  const producer = await filled(world, 10);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', until: 'end' });
  const iterator = consumer[Symbol.asyncIterator]();
  await world.run(iterator.next());
  await world.run(producer.send({ topic: 'orders', value: 'late' }));
  let count = 1;
  while (!(await world.run(iterator.next())).done) count++;
  expect(count).toBe(10);
});

test('the end of an empty topic is there at once', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders', 2);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', until: 'end' });
  expect(await world.run(all(consumer))).toEqual([]);
});

test.each([
  ['an offset', { offset: 17 }, '17'],
  ['a time', { timestampMs: 25_000 }, '25'],
  ['a time between records', { timestampMs: 25_001 }, '26'],
  ['the earliest', 'earliest', '0'],
] as const)('reading begins at %s', async (_name, from, first) => {
  const world = await fakeWorld();
  await filled(world, 40);
  const consumer = world.client.consumer({ topics: ['orders'], from, value: 'string' });
  expect(values(await world.run(take(consumer, 1)))).toEqual([first]);
});

test.each([['latest'], [{ timestampMs: 99_000 }]] as const)(
  'from %j on only new records are read',
  async (from) => {
    const world = await fakeWorld();
    const producer = await filled(world, 10);
    const consumer = world.client.consumer({ topics: ['orders'], from, value: 'string' });
    const next = take(consumer, 1);
    await world.pass(100);
    await world.run(producer.send({ topic: 'orders', value: 'new' }));
    expect(values(await world.run(next))).toEqual(['new']);
  },
);

test('records that are written while a loop waits arrive', async () => {
  const world = await fakeWorld();
  const producer = await filled(world, 10);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', value: 'string' });
  const reading = take(consumer, 20);
  for (const value of numbers(10, 20)) {
    await world.pass(50);
    await world.run(producer.send({ topic: 'orders', value }));
  }
  expect(values(await world.run(reading))).toEqual(numbers(0, 20));
});

test('leaving a loop ends the fetching, and the next loop goes on after the last record', async () => {
  const world = await fakeWorld();
  await filled(world, 40);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', value: 'string' });
  expect(values(await world.run(take(consumer, 7)))).toEqual(numbers(0, 7));
  expect(consumer.position({ topic: 'orders', partition: 0 })).toBe(7);
  await world.pass(10);
  const producing = 1;
  expect(world.cluster.openStreams).toBe(producing);
  expect(values(await world.run(take(consumer, 5)))).toEqual(numbers(7, 12));
});

test('two loops at a time are refused', async () => {
  const world = await fakeWorld();
  await filled(world, 10);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  consumer[Symbol.asyncIterator]();
  expect(() => consumer[Symbol.asyncIterator]()).toThrow('is being read already');
});

test('batches come as they were produced, and count as read when they are handed out', async () => {
  const world = await fakeWorld();
  await filled(world, 30);
  const consumer = world.client.consumer({
    topics: ['orders'],
    from: { offset: 5 },
    value: 'string',
  });
  const batches = await world.run(take(consumer.batches(), 2));
  expect(batches.map((batch) => [values(batch.records), batch.nextOffset])).toEqual([
    [numbers(5, 10), 10],
    [numbers(10, 20), 20],
  ]);
  expect(consumer.position({ topic: 'orders', partition: 0 })).toBe(20);
});

test('a seek drops the rest of the batch that is being read and all that was fetched', async () => {
  const world = await fakeWorld();
  await filled(world, 100);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', value: 'string' });
  const place = { topic: 'orders', partition: 0 };
  const iterator = consumer[Symbol.asyncIterator]();
  const next = async () => (await world.run(iterator.next())).value?.value;
  expect([await next(), await next()]).toEqual(['0', '1']);
  await world.run(consumer.seek({ ...place, offset: 90 }));
  expect([await next(), await next()]).toEqual(['90', '91']);
  await world.run(consumer.seek({ ...place, timestampMs: 3000 }));
  expect([await next(), await next()]).toEqual(['3', '4']);
  expect(consumer.position(place)).toBe(5);
});

test.each(numbers(1, 31).map(Number))(
  'seeks at any moment lead to the record asked for (seed %i)',
  async (seed) => {
    const world = await fakeWorld({ nodes: 2 });
    await filled(world, 100, 2);
    const random = new SimulatedRandom(seed);
    world.cluster.fetchLatencyMs = random.below(2) * 5;
    const options = { topics: ['orders'], from: 'earliest', prefetchBytes: 1000 } as const;
    const consumer = world.client.consumer({ ...options, value: 'string' });
    const iterator = consumer[Symbol.asyncIterator]();
    const expected = [0, 0];
    for (let step = 0; step < 60; step++) {
      const partition = random.below(2);
      const place = { topic: 'orders', partition };
      const choice = random.below(8);
      if (choice === 0) {
        expected[partition] = random.below(60);
        const seeking = consumer.seek({ ...place, offset: expected[partition]! });
        if (random.below(2) === 0) world.cluster.dropStreams(1 + random.below(2));
        await world.run(seeking);
      } else if (choice === 1) {
        consumer.pause([place]);
        await world.pass(random.below(20));
        consumer.resume([place]);
      } else if (choice === 2) {
        world.cluster.moveLeader('orders', partition, 1 + random.below(2));
      } else if (Math.min(...expected) < 90) {
        const { value: record } = await world.run(iterator.next());
        expect(record!.offset).toBe(expected[record!.partition]);
        expected[record!.partition]!++;
      }
    }
    expect(world.cluster.errors).toEqual([]);
  },
);

test('a paused partition gives nothing, the others go on, and resume goes on where it was', async () => {
  const world = await fakeWorld();
  await filled(world, 20, 2);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', value: 'string' });
  consumer.pause([{ topic: 'orders', partition: 0 }]);
  const reading = take(consumer, 40);
  await world.pass(1000);
  expect(consumer.position({ topic: 'orders', partition: 0 })).toBe(0);
  expect(consumer.position({ topic: 'orders', partition: 1 })).toBe(20);
  consumer.resume([{ topic: 'orders', partition: 0 }]);
  const records = await world.run(reading);
  expect(values(records.filter(({ partition }) => partition === 0))).toEqual(numbers(0, 20));
});

test('no more is fetched ahead than was allowed, plus one batch', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders');
  const producer = world.client.producer({ batchBytes: 2048 });
  const value = new Uint8Array(1000);
  for (let i = 0; i < 100; i++) await world.run(producer.send({ topic: 'orders', value }));
  const options = { topics: ['orders'], from: 'earliest', prefetchBytes: 5000 } as const;
  const consumer = world.client.consumer(options);
  const iterator = consumer[Symbol.asyncIterator]();
  await world.run(iterator.next());
  await world.pass(1000);
  const granted = () =>
    world.cluster.fetches.reduce((sum, { creditBytes }) => sum + creditBytes, 0);
  expect(granted()).toBeLessThan(5000 + 1100);
  for (let i = 1; i < 50; i++) await world.run(iterator.next());
  await world.pass(1000);
  expect(granted()).toBeLessThan(50 * 1100 + 5000);
});

test('a stream that breaks is opened again, and nothing is missed or repeated', async () => {
  const world = await fakeWorld({ nodes: 2 });
  const producer = await filled(world, 50, 2);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest', value: 'string' });
  const reading = take(consumer, 200);
  for (let at = 50; at < 100; at += 10) {
    world.cluster.dropStreams(1 + ((at / 10) % 2));
    await world.pass(20);
    const records = [0, 1].flatMap((partition) =>
      numbers(at, at + 10).map((value) => ({ topic: 'orders', partition, value })),
    );
    await world.run(producer.sendBatch(records));
  }
  const records = await world.run(reading);
  for (const partition of [0, 1]) {
    const own = records.filter((record) => record.partition === partition);
    expect(values(own)).toEqual(numbers(0, 100));
  }
});

test('a consumer follows the leader, and waits for a broker that is down', async () => {
  const world = await fakeWorld({ nodes: 2 });
  await filled(world, 30);
  const options = { topics: ['orders'], from: 'earliest', prefetchBytes: 300 } as const;
  const consumer = world.client.consumer({ ...options, value: 'string' });
  const iterator = consumer[Symbol.asyncIterator]();
  const seen: unknown[] = [];
  const read = async (count: number) => {
    for (let i = 0; i < count; i++) seen.push((await world.run(iterator.next())).value?.value);
  };
  await read(5);
  world.cluster.moveLeader('orders', 0, 2);
  await world.run(world.cluster.stopNode(1));
  await read(15);
  await world.run(world.cluster.stopNode(2));
  await world.pass(3000);
  await world.cluster.startNode(2);
  await read(10);
  expect(seen).toEqual(numbers(0, 30));
});

test('a position that is gone fails the loop with advice, after what could be read', async () => {
  const world = await fakeWorld();
  await filled(world, 10);
  world.cluster.partition('orders').logStartOffset = 5;
  const consumer = world.client.consumer({ topics: ['orders'], from: { offset: 2 } });
  const error = await world.failure(all(consumer));
  expect(error.code).toBe('OFFSET_OUT_OF_RANGE');
  expect(error.message).toContain('option onOutOfRange');
  await world.run(consumer.seek({ topic: 'orders', partition: 0, offset: 8 }));
  const [record] = await world.run(take(consumer, 1));
  expect(record?.offset).toBe(8);
});

test.each([
  ['earliest', 5],
  ['latest', 10],
] as const)('with onOutOfRange %s the consumer goes on at %i', async (onOutOfRange, expected) => {
  const world = await fakeWorld();
  const producer = await filled(world, 10);
  world.cluster.partition('orders').logStartOffset = 5;
  const from = { offset: 2 };
  const consumer = world.client.consumer({ topics: ['orders'], from, onOutOfRange });
  const reading = take(consumer, 1);
  await world.pass(1000);
  await world.run(producer.send({ topic: 'orders', value: 'x' }));
  expect((await world.run(reading))[0]?.offset).toBe(expected);
});

test('control batches are passed over and move the position', async () => {
  const world = await fakeWorld();
  const producer = await filled(world, 10);
  const marker = buildTransactionMarker({
    type: 'commit',
    producerId: producerId(7),
    producerEpoch: 0,
    coordinatorEpoch: 0,
    timestampMs: 0,
  });
  const partition = world.cluster.partition('orders');
  partition.appendRaw(new BatchView(marker, 0));
  await world.run(producer.send({ topic: 'orders', value: 'after' }));
  partition.appendRaw(new BatchView(marker.slice(), 0));
  const options = { topics: ['orders'], from: 'earliest', until: 'end', value: 'string' } as const;
  const consumer = world.client.consumer(options);
  const records = await world.run(all(consumer));
  expect(values(records)).toEqual([...numbers(0, 10), 'after']);
  expect(records.at(-1)?.offset).toBe(11);
  expect(consumer.position({ topic: 'orders', partition: 0 })).toBe(13);
});

test('a batch that fails its checksum fails the loop, unless checks are off', async () => {
  const world = await fakeWorld();
  await filled(world, 20);
  const batch = world.cluster.partition('orders').batches[1]!;
  batch.bytes[batch.bytes.length - 1]! ^= 0;
  batch.bytes[20]! ^= 1;
  const options = { topics: ['orders'], from: 'earliest', until: 'end' } as const;
  const seen: number[] = [];
  const checked = world.client.consumer(options);
  const error = await world.failure(
    (async () => {
      for await (const { offset } of checked) seen.push(offset);
    })(),
  );
  expect(seen.map(String)).toEqual(numbers(0, 10));
  expect(error.code).toBe('CORRUPT_MESSAGE');
  expect(error.message).toContain('orders-0 cannot be read at offset 10');
  const unchecked = world.client.consumer({ ...options, checkCrcs: false });
  expect(await world.run(all(unchecked))).toHaveLength(20);
});

test('a record that cannot be read fails the loop there, and can be passed over', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders');
  const producer = world.client.producer();
  const given = ['{"n":0}', 'not JSON', '{"n":2}'];
  await world.run(producer.sendBatch(given.map((value) => ({ topic: 'orders', value }))));
  const options = { topics: ['orders'], from: 'earliest', until: 'end', value: 'json' } as const;
  const consumer = world.client.consumer(options);
  const seen: unknown[] = [];
  const read = async () => {
    for await (const { value } of consumer) seen.push(value);
  };
  const error = (await world.failure(read())) as Error & { code: string; record?: object };
  expect(error.code).toBe('SERIALIZATION_FAILED');
  expect(error.record).toEqual({ topic: 'orders', partition: 0, offset: 1 });
  expect(error.message).toContain('offset 1 of orders-0');
  await world.run(consumer.seek({ topic: 'orders', partition: 0, offset: 2 }));
  await world.run(read());
  expect(seen).toEqual([{ n: 0 }, { n: 2 }]);
});

test('schemas give types on both sides, and one that checks asynchronously is awaited', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders');
  const order = v.object({
    id: v.number(),
    at: v.pipe(
      v.string(),
      v.transform((at) => new Date(at)),
    ),
  });
  const producer = world.client.producer({ value: order });
  await world.run(producer.send({ topic: 'orders', value: { id: 1, at: '2026-01-01' } }));
  const refused = await world.failure(
    producer.send({ topic: 'orders', value: { id: 'x', at: '2026-01-01' } as never }),
  );
  expect(refused.message).toContain('the schema refuses the value: id: ');
  const slow = v.pipeAsync(
    order,
    v.checkAsync(async ({ id }) => id > 0),
  );
  const options = { topics: ['orders'], from: 'earliest', until: 'end' } as const;
  for (const value of [order, slow]) {
    const consumer: Consumer<'bytes', typeof order> = world.client.consumer({
      ...options,
      value,
    }) as never;
    const records = await world.run(all(consumer));
    expect(records.map((record) => record.value?.at.getFullYear())).toEqual([2026]);
    const batches = await world.run(all(world.client.consumer({ ...options, value }).batches()));
    expect(batches.flatMap((batch) => values(batch.records))).toEqual([
      { id: 1, at: new Date('2026-01-01') },
    ]);
  }
});

test('a topic that does not exist fails the loop in seconds, by name', async () => {
  const world = await fakeWorld();
  const error = await world.failure(all(world.client.consumer({ topics: ['ordres'] })));
  expect(error.message).toContain('topic "ordres" does not exist');
  expect(world.machine.scheduler.nowMs).toBeLessThan(5000);
});

test('a topic that is deleted while it is read fails the loop', async () => {
  const world = await fakeWorld();
  await filled(world, 10);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  const reading = world.failure(all(consumer));
  world.cluster.removeTopic('orders');
  world.cluster.dropStreams(1);
  expect((await reading).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

test('a topic made anew under the same name is not read on', async () => {
  const world = await fakeWorld();
  await filled(world, 10);
  const consumer = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  await world.run(take(consumer, 10));
  world.cluster.addTopic('orders');
  const error = await world.failure(all(consumer));
  expect(error.code).toBe('INCONSISTENT_TOPIC_ID');
  expect(error.message).toContain('deleted and made anew');
});

test('an error of one partition that does not pass fails the loop', async () => {
  const world = await fakeWorld();
  await filled(world, 10);
  world.cluster.onFetch = () => Errors.TOPIC_AUTHORIZATION_FAILED;
  const error = await world.failure(all(world.client.consumer({ topics: ['orders'] })));
  expect(error.code).toBe('TOPIC_AUTHORIZATION_FAILED');
});

test('partitions that a topic gets are read from their beginning', async () => {
  const world = await fakeWorld();
  const topic = world.cluster.addTopic('orders');
  const producer = world.client.producer();
  const consumer = world.client.consumer({ topics: ['orders'], value: 'string' });
  const reading = take(consumer, 1);
  await world.pass(100);
  topic.partitions.push(new FakePartition(1));
  await world.pass(61_000);
  await world.run(producer.send({ topic: 'orders', partition: 1, value: 'first' }));
  expect(await world.run(reading)).toMatchObject([{ partition: 1, offset: 0, value: 'first' }]);
});

test('one partition of a topic can be read, and one that is not there is told', async () => {
  const world = await fakeWorld();
  await filled(world, 10, 3);
  const options = { from: 'earliest', until: 'end' } as const;
  const one = world.client.consumer({ ...options, topics: [{ topic: 'orders', partition: 1 }] });
  const records = await world.run(all(one));
  expect(new Set(records.map(({ partition }) => partition))).toEqual(new Set([1]));
  const none = world.client.consumer({ ...options, topics: [{ topic: 'orders', partition: 9 }] });
  expect((await world.failure(all(none))).message).toContain('has partitions 0 to 2, not 9');
  const seeking = one.seek({ topic: 'orders', partition: 2, offset: 0 });
  expect((await world.failure(seeking)).message).toContain('orders-2 is not among the partitions');
});

test('close ends a loop that waits, and a signal fails it', async () => {
  const world = await fakeWorld();
  await filled(world, 3);
  const closing = world.client.consumer({ topics: ['orders'], from: 'earliest' });
  const reading = all(closing);
  await world.pass(100);
  await world.run(Promise.all([closing.close(), closing.close()]));
  expect(await world.run(reading)).toHaveLength(3);
  expect(() => closing[Symbol.asyncIterator]()).toThrow('the consumer is closed');
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = world.failure(all(world.client.consumer({ topics: ['orders'], signal })));
  controller.abort(new Error('enough'));
  expect((await aborted).message).toBe('enough');
});

test('read_committed asks the broker for it', async () => {
  const world = await fakeWorld();
  await filled(world, 3);
  const options = { topics: ['orders'], from: 'earliest', until: 'end' } as const;
  await world.run(all(world.client.consumer({ ...options, isolation: 'read_committed' })));
  expect(new Set(world.cluster.fetches.map(({ isolationLevel }) => isolationLevel))).toEqual(
    new Set([2]),
  );
});
