import { expect, test } from 'vitest';
import { anotherClient, fakeWorld } from '../../support/fake-broker-client.ts';
import { FakePartition } from '../../support/fake-broker-partition.ts';
import { numbers } from '../../support/fake-broker-values.ts';

const big = new Uint8Array(900);

test('records that wait for different topics do not wait for each other', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('there');
  const producer = client.producer();
  const missing = producer.send({ topic: 'missing', value: 'x' });
  missing.catch(() => {});
  await run(producer.send({ topic: 'there', value: 'x' }));
  expect(cluster.partition('there').values()).toEqual(['x']);
  expect((await failure(missing)).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
});

test('records for an unknown topic share one search for it', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  await run(Promise.all([...Array(20)].map(() => producer.send({ topic: 'orders', value: 'x' }))));
  expect(cluster.calls.filter((call) => call === 'DescribeTopics')).toHaveLength(1);
});

test('while one waits for room, the next waits behind it however small it is', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders');
  cluster.onProduce = () => ({ delayMs: 5 });
  const producer = client.producer({ bufferBytes: 2000, batchBytes: 1024 });
  await run(producer.send({ topic: 'orders', value: 'first' }));
  const order: string[] = [];
  const sends = [big, big, big, big, new Uint8Array(1)].map((value, i) =>
    producer.send({ topic: 'orders', value }).then(() => order.push(String(i))),
  );
  await run(Promise.all(sends));
  expect(order).toEqual(['0', '1', '2', '3', '4']);
});

test('a record that is given up while it waits for room is not sent', async () => {
  const { cluster, client, run, failure } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer({ bufferBytes: 2000, batchBytes: 1024 });
  await run(producer.send({ topic: 'orders', value: 'first' }));
  cluster.onProduce = () => ({ delayMs: 50 });
  const controller = new AbortController();
  const { signal } = controller;
  const before = [0, 1].map(() => producer.send({ topic: 'orders', value: big }));
  const given = producer.send({ topic: 'orders', value: new Uint8Array(899) }, { signal });
  given.catch(() => {});
  controller.abort(new Error('enough'));
  const after = producer.send({ topic: 'orders', value: big });
  await run(Promise.all([...before, after]));
  expect((await failure(given)).message).toBe('enough');
  const sizes = cluster
    .partition('orders')
    .values()
    .map((value) => value!.length);
  expect(sizes).toEqual([5, 900, 900, 900]);
});

test('a partition that the topic lacks fails only its record, also one that waited', async () => {
  const { cluster, client, run } = await fakeWorld();
  cluster.addTopic('orders', 2);
  const producer = client.producer();
  const outcomes = await run(
    Promise.allSettled(
      [2, 1].map((partition) => producer.send({ topic: 'orders', partition, value: 'x' })),
    ),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a partition that the topic has only just got takes records at once, in their order', async () => {
  const world = await fakeWorld();
  const { cluster, client, run, pass } = world;
  const topic = cluster.addTopic('orders');
  const producer = client.producer();
  await run(producer.send({ topic: 'orders', value: 'x' }));
  const send = (value: string) => producer.send({ topic: 'orders', partition: 1, value });
  const early = numbers(0, 5).map(send);
  await pass(500);
  topic.partitions.push(new FakePartition(1));
  // The topic is known as it is now before those who wait are let in.
  const late: Promise<unknown>[] = [];
  cluster.onCall = (method) => {
    if (method === 'DescribeTopics') late.push(send(String(5 + late.length)));
  };
  await run(Promise.all(early));
  await run(Promise.all(late));
  expect(late.length).toBeGreaterThan(0);
  expect(cluster.partition('orders', 1).values()).toEqual(numbers(0, 5 + late.length));
});

test('a partition that does not come fails its records after some seconds, and others do not wait', async () => {
  const { cluster, client, run, failure, machine } = await fakeWorld();
  cluster.addTopic('orders');
  const producer = client.producer();
  const missing = producer.send({ topic: 'orders', partition: 1, value: 'x' });
  missing.catch(() => {});
  await run(producer.send({ topic: 'orders', partition: 0, value: 'x' }));
  expect(machine.scheduler.nowMs).toBeLessThan(1000);
  expect((await failure(missing)).message).toBe('topic orders has partitions 0 to 0, not 1');
  expect(machine.scheduler.nowMs).toBeGreaterThan(2500);
  expect(machine.scheduler.nowMs).toBeLessThan(5000);
});

test('a producer picks among the partitions that there are when it first sends to the topic', async () => {
  const world = await fakeWorld();
  const { cluster, client, run } = world;
  const topic = cluster.addTopic('orders');
  await run(client.producer().send({ topic: 'orders', key: 'a', value: 'x' }));
  for (let i = 0; i < 7; i++) topic.partitions.push(new FakePartition(1));
  const fresh = (await anotherClient(world)).producer();
  const next = client.producer();
  for (const key of numbers(0, 20)) {
    const [one, other] = await run(
      Promise.all([fresh, next].map((p) => p.send({ topic: 'orders', key, value: 'x' }))),
    );
    expect(other!.partition).toBe(one!.partition);
  }
});

/** A producer that sends what names no partition to the last one, of a topic that has one. */
async function lastPicker(options: { bufferBytes?: number; batchBytes?: number } = {}) {
  const world = await fakeWorld();
  const topic = world.cluster.addTopic('orders');
  const partitioner = (_topic: string, _key: unknown, count: number): number => count - 1;
  const producer = world.client.producer({ ...options, partitioner });
  await world.run(producer.send({ topic: 'orders', value: 'first' }));
  /** The topic has one partition more, of which another producer learns first. */
  const grow = async (): Promise<void> => {
    topic.partitions.push(new FakePartition(1));
    await world.run(
      world.client.producer().send({ topic: 'orders', partition: 0, value: 'other' }),
    );
  };
  return { ...world, producer, grow };
}

test('a record for which a new partition is picked does not overtake those that have waited for it', async () => {
  const { cluster, run, pass, producer, grow } = await lastPicker();
  const early = ['0', '1'].map((value) => producer.send({ topic: 'orders', partition: 1, value }));
  // By now they ask only once in a second.
  await pass(1500);
  await grow();
  const late = producer.send({ topic: 'orders', value: '2' });
  await run(Promise.all([...early, late]));
  expect(cluster.partition('orders', 1).values()).toEqual(['0', '1', '2']);
});

test('nor does one that was called later and has waited for room', async () => {
  const { cluster, run, pass, producer, grow } = await lastPicker({
    bufferBytes: 2000,
    batchBytes: 1024,
  });
  const early = producer.send({ topic: 'orders', partition: 1, value: big });
  await pass(1500);
  // These fill the buffer, and until they are answered the next has to wait.
  cluster.onProduce = () => ({ delayMs: 1000 });
  const before = [0, 0].map((partition) =>
    producer.send({ topic: 'orders', partition, value: big }),
  );
  const late = producer.send({ topic: 'orders', value: new Uint8Array(899) });
  await grow();
  await run(Promise.all([early, ...before, late]));
  const sizes = cluster
    .partition('orders', 1)
    .values()
    .map((value) => value!.length);
  expect(sizes).toEqual([900, 899]);
});

test('who begins to wait later for a topic or a partition is given as much time', async () => {
  const { cluster, client, run, pass, failure } = await fakeWorld();
  const topic = cluster.addTopic('orders');
  const producer = client.producer();
  const send = (name: string, partition: number): Promise<unknown> => {
    const sent = producer.send({ topic: name, partition, value: 'x' });
    sent.catch(() => {});
    return sent;
  };
  await run(send('orders', 0));
  const early = [send('missing', 0), send('orders', 1)];
  await pass(2900);
  const late = [send('missing', 0), send('orders', 1)];
  await pass(1000);
  expect((await failure(early[0]!)).code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect((await failure(early[1]!)).message).toBe('topic orders has partitions 0 to 0, not 1');
  cluster.addTopic('missing');
  topic.partitions.push(new FakePartition(1));
  await run(Promise.all(late));
  // But nobody waits for ever.
  const never = [send('nowhere', 0), send('orders', 2)];
  for (let i = 0; i < 20; i++) {
    await pass(500);
    never.push(send('nowhere', 0), send('orders', 2));
  }
  await pass(7000);
  const outcomes = await run(Promise.allSettled(never));
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
});

test('who begins to wait later is not failed when the delivery timeout of an earlier one is over', async () => {
  const { cluster, client, run, pass, failure } = await fakeWorld();
  const producer = client.producer({ deliveryTimeoutMs: 2000, requestTimeoutMs: 1000 });
  const send = (): Promise<unknown> => {
    const sent = producer.send({ topic: 'orders', value: 'x' });
    sent.catch(() => {});
    return sent;
  };
  const early = send();
  await pass(1500);
  const late = send();
  await pass(1000);
  await failure(early);
  cluster.addTopic('orders');
  await run(late);
  expect(cluster.partition('orders').values()).toEqual(['x']);
});
