import { expect, test } from 'vitest';
import { fakeWorld } from '../../support/fake-broker-client.ts';

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
