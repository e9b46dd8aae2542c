import { expect, test } from 'vitest';
import type { ProducerOptions } from '../../../src/client/producer-options.ts';
import { Errors } from '../../../src/model/errors.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import type { ProduceAction } from '../../support/fake-broker.ts';
import { type FakeWorld, fakeWorld } from '../../support/fake-broker-client.ts';
import { batchesOf, numbers } from '../../support/fake-broker-values.ts';

/** Small batches, so that many are in flight. */
const small: ProducerOptions = { batchBytes: 1024, lingerMs: 1 };
const filler = 'x'.repeat(300);

async function sendAll(world: FakeWorld, count: number, options = small) {
  world.cluster.addTopic('orders');
  const producer = world.client.producer({ ...options, value: 'string' });
  const sends = numbers(0, count).map((n) =>
    producer.send({ topic: 'orders', value: `${n} ${filler}` }),
  );
  return { producer, outcomes: await world.run(Promise.allSettled(sends)) };
}

const storedNumbers = (world: FakeWorld): string[] =>
  world.cluster
    .partition('orders')
    .values()
    .map((value) => value!.split(' ')[0]!);

/** Treats the first requests as told and the others well. */
function script(world: FakeWorld, actions: readonly ProduceAction[]): void {
  let next = 0;
  world.cluster.onProduce = () => actions[next++] ?? 'answer';
}

test.each([
  ['a stream that breaks before anything is stored', ['answer', 'answer', 'drop before']],
  ['a stream that breaks after a batch was stored', ['answer', 'answer', 'drop after']],
  ['the very first stream breaking after the batch was stored', ['drop after']],
  ['several losses in a row', ['answer', 'drop after', 'drop before', 'drop after', 'drop after']],
  ['too few replicas', ['answer', 'answer', { error: Errors.NOT_ENOUGH_REPLICAS }]],
  ['too few replicas at the first batch', [{ error: Errors.NOT_ENOUGH_REPLICAS }]],
  [
    'a batch stored whose answer is a timeout',
    ['answer', { storeThenError: Errors.REQUEST_TIMED_OUT }],
  ],
  [
    'an overloaded broker',
    ['answer', { error: Errors.BROKER_OVERLOADED }, { error: Errors.BROKER_OVERLOADED }],
  ],
  ['an answer that never comes', ['answer', 'store and ignore']],
] as [string, ProduceAction[]][])(
  '%s makes no record repeat, swap or fail',
  async (_name, actions) => {
    const world = await fakeWorld();
    script(world, actions);
    const { outcomes } = await sendAll(world, 40);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(storedNumbers(world)).toEqual(numbers(0, 40));
    expect(world.cluster.errors).toEqual([]);
  },
);

test('what is resent keeps its sequence', async () => {
  const world = await fakeWorld();
  script(world, ['answer', 'drop before']);
  await sendAll(world, 6);
  const [, lost, again] = world.cluster.produced.map((request) => batchesOf(request)[0]!);
  expect(again!.baseSequence).toBe(lost!.baseSequence);
  expect(again!.producerEpoch).toBe(lost!.producerEpoch);
});

test('until the first batch is acknowledged no second one is sent', async () => {
  const world = await fakeWorld();
  script(world, ['ignore']);
  world.cluster.addTopic('orders');
  const producer = world.client.producer(small);
  for (const n of numbers(0, 20)) void producer.send({ topic: 'orders', value: `${n} ${filler}` });
  await world.pass(1000);
  expect(world.cluster.produced).toHaveLength(1);
});

test('at most five requests are unanswered, however many batches wait', async () => {
  const world = await fakeWorld();
  script(world, ['answer', ...Array<ProduceAction>(20).fill('ignore')]);
  world.cluster.addTopic('orders');
  const producer = world.client.producer(small);
  await world.run(producer.send({ topic: 'orders', value: 'first' }));
  for (const n of numbers(0, 60)) void producer.send({ topic: 'orders', value: `${n} ${filler}` });
  await world.pass(1000);
  expect(world.cluster.produced).toHaveLength(6);
});

test('no more bytes are sent than the broker granted', async () => {
  const world = await fakeWorld({ produceCreditBytes: 2500 });
  world.cluster.onProduce = () => 'ignore';
  world.cluster.addTopic('orders', 4);
  const producer = world.client.producer(small);
  for (const n of numbers(0, 40)) {
    void producer.send({ topic: 'orders', partition: Number(n) % 4, value: `${n} ${filler}` });
  }
  await world.pass(1000);
  const bytes = world.cluster.produced
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { records }) => sum + records.length, 0);
  expect(bytes).toBeGreaterThan(1000);
  expect(bytes).toBeLessThanOrEqual(2500);
});

test('batches follow the leader to another broker', async () => {
  const world = await fakeWorld({ nodes: 2 });
  const { cluster } = world;
  cluster.addTopic('orders');
  const producer = world.client.producer({ ...small, value: 'string' });
  await world.run(producer.send({ topic: 'orders', value: '0' }));
  cluster.moveLeader('orders', 0, 2);
  const before = cluster.calls.length;
  const sends = numbers(1, 30).map((value) => producer.send({ topic: 'orders', value }));
  await world.run(Promise.all(sends));
  expect(storedNumbers(world)).toEqual(numbers(0, 30));
  // The refusal said who leads now: nobody else had to be asked.
  expect(cluster.calls.length).toBe(before);
});

test('a broker that dies and comes back gets what it missed', async () => {
  const world = await fakeWorld();
  const { cluster } = world;
  cluster.addTopic('orders');
  const producer = world.client.producer({ ...small, value: 'string' });
  await world.run(producer.send({ topic: 'orders', value: '0' }));
  await world.run(cluster.stopNode(1));
  const sends = numbers(1, 30).map((value) => producer.send({ topic: 'orders', value }));
  await world.pass(7000);
  await cluster.startNode(1);
  await world.run(Promise.all(sends));
  expect(storedNumbers(world)).toEqual(numbers(0, 30));
});

test('a batch whose fate is unknown at its timeout fails so, and the next epoch begins', async () => {
  const world = await fakeWorld();
  const { cluster } = world;
  cluster.addTopic('orders');
  const options = { ...small, deliveryTimeoutMs: 2000, requestTimeoutMs: 100_000 };
  const producer = world.client.producer({ ...options, value: 'string' });
  await world.run(producer.send({ topic: 'orders', value: '0' }));
  script(world, ['ignore']);
  const error = await world.failure(producer.send({ topic: 'orders', value: 'lost' }));
  expect(error.code).toBe('OUTCOME_UNKNOWN');
  expect(error.message).toContain('1 records for orders-0 may or may not be stored');
  await world.run(producer.send({ topic: 'orders', value: '1' }));
  expect(storedNumbers(world)).toEqual(['0', '1']);
  const [first, , last] = cluster.produced.map((request) => batchesOf(request)[0]!);
  expect(last!.producerEpoch).toBe(first!.producerEpoch + 1);
  expect(last!.baseSequence).toBe(0);
});

test('a record that could not be sent in time is certain not to be stored', async () => {
  const world = await fakeWorld();
  const { cluster } = world;
  cluster.addTopic('orders');
  const producer = world.client.producer({ deliveryTimeoutMs: 2000 });
  await world.run(producer.send({ topic: 'orders', value: '0' }));
  await world.run(cluster.stopNode(1));
  const error = await world.failure(producer.send({ topic: 'orders', value: '1' }));
  expect(error.code).toBe('DELIVERY_TIMEOUT');
  await cluster.startNode(1);
  await world.run(producer.send({ topic: 'orders', value: '2' }));
  expect(storedNumbers(world)).toEqual(['0', '2']);
});

test('a batch stored and then forgotten by the broker is never stored twice', async () => {
  const world = await fakeWorld();
  const { cluster } = world;
  cluster.addTopic('orders');
  const producer = world.client.producer({ value: 'string' });
  await world.run(producer.send({ topic: 'orders', value: '0' }));
  let requests = 0;
  cluster.onProduce = () => {
    requests++;
    if (requests === 1) return 'drop after';
    return requests === 2 ? { error: Errors.UNKNOWN_PRODUCER_ID } : 'answer';
  };
  const error = await world.failure(producer.send({ topic: 'orders', value: '1' }));
  expect(error.code).toBe('OUTCOME_UNKNOWN');
  await world.run(producer.send({ topic: 'orders', value: '2' }));
  expect(storedNumbers(world)).toEqual(['0', '1', '2']);
});

test('a batch that was refused as out of order and was never sent before is sent anew', async () => {
  const world = await fakeWorld();
  script(world, ['answer', { error: Errors.OUT_OF_ORDER_SEQUENCE_NUMBER }]);
  const { outcomes } = await sendAll(world, 20);
  expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(storedNumbers(world)).toEqual(numbers(0, 20));
});

test('a batch that is refused for good does not hold up those behind it', async () => {
  const world = await fakeWorld();
  script(world, ['answer', { error: Errors.INVALID_TIMESTAMP }]);
  const { outcomes } = await sendAll(world, 20);
  const failed = outcomes.flatMap((one, n) => (one.status === 'rejected' ? [String(n)] : []));
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(5);
  expect(storedNumbers(world)).toEqual(numbers(0, 20).filter((n) => !failed.includes(n)));
  const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  expect(new Set(reasons)).toEqual(new Set(['INVALID_TIMESTAMP']));
});

test('a batch that is too large is split until it fits, and later ones are smaller', async () => {
  const world = await fakeWorld();
  const { cluster } = world;
  cluster.onProduce = ({ partitions }) =>
    partitions[0]!.records.length > 3000 ? { error: Errors.MESSAGE_TOO_LARGE } : 'answer';
  const { outcomes } = await sendAll(world, 100, { batchBytes: 16_384 });
  expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(storedNumbers(world)).toEqual(numbers(0, 100));
  const offsets = outcomes.map((one) => (one.status === 'fulfilled' ? one.value.offset : -1));
  expect(offsets.map(String)).toEqual(numbers(0, 100));
});

test('one record that is too large fails alone', async () => {
  const world = await fakeWorld();
  script(world, [{ error: Errors.MESSAGE_TOO_LARGE }]);
  world.cluster.addTopic('orders');
  const producer = world.client.producer();
  const error = await world.failure(producer.send({ topic: 'orders', value: 'big' }));
  expect(error.code).toBe('MESSAGE_TOO_LARGE');
  await world.run(producer.send({ topic: 'orders', value: 'small' }));
  expect(world.cluster.partition('orders').values()).toEqual(['small']);
});

test('a topic that is deleted under way fails what is for it, in seconds', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders');
  const producer = world.client.producer();
  await world.run(producer.send({ topic: 'orders', value: '0' }));
  world.cluster.removeTopic('orders');
  const error = await world.failure(producer.send({ topic: 'orders', value: '1' }));
  // Nothing was appended, and that is certain.
  expect(error.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect(error.message).toContain('orders');
  expect(world.machine.scheduler.nowMs).toBeLessThan(10_000);
});

test('a topic made anew with fewer partitions fails what is for the others, in seconds and by name', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders', 3);
  const producer = world.client.producer();
  const send = (partition: number) => producer.send({ topic: 'orders', partition, value: 'x' });
  await world.run(Promise.all([send(0), send(2)]));
  world.cluster.addTopic('orders', 2);
  const lost = send(2);
  lost.catch(() => {});
  expect((await world.run(send(1))).offset).toBe(0);
  const error = await world.failure(lost);
  expect(error.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  expect(error.message).toContain('orders-2 does not exist: topic orders has partitions 0 to 1');
  expect(world.machine.scheduler.nowMs).toBeLessThan(6000);
});

test('a broker that refuses the stream for good fails the records at once', async () => {
  const world = await fakeWorld();
  world.cluster.addTopic('orders');
  world.cluster.onCall = (method) => {
    if (method === 'AllocateProducerId') throw new (class extends Error {})('boom');
  };
  const producer = world.client.producer({ deliveryTimeoutMs: 5000 });
  const error = await world.failure(producer.send({ topic: 'orders', value: '0' }));
  expect(error.code).toBe('UNKNOWN_SERVER_ERROR');
});

test('a producer that is not idempotent sends no ids, and retries', async () => {
  const world = await fakeWorld();
  script(world, ['answer', 'drop before']);
  const { outcomes } = await sendAll(world, 20, { ...small, idempotent: false });
  expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(batchesOf(world.cluster.produced[0]!)[0]!.hasProducer).toBe(false);
  expect(world.cluster.calls).not.toContain('AllocateProducerId');
});

/** Every way a broker can behave that loses nothing, by chance. */
function anyAction(random: SimulatedRandom): ProduceAction {
  const actions: ProduceAction[] = [
    'drop before',
    'drop after',
    'store and ignore',
    'ignore',
    { delayMs: random.below(50) },
    { error: Errors.NOT_ENOUGH_REPLICAS },
    { error: Errors.NOT_LEADER_OR_FOLLOWER },
    { storeThenError: Errors.REQUEST_TIMED_OUT },
    { storeThenError: Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND },
  ];
  return random.below(3) > 0 ? 'answer' : actions[random.below(actions.length)]!;
}

test.each(numbers(1, 41).map(Number))(
  'under faults by chance (seed %i) every acknowledged record is stored once and in order',
  async (seed) => {
    const world = await fakeWorld({ nodes: 3 });
    const { cluster } = world;
    const random = new SimulatedRandom(seed);
    cluster.addTopic('orders', 4);
    cluster.onProduce = () => anyAction(random);
    const options = { ...small, deliveryTimeoutMs: 20_000, requestTimeoutMs: 1000 };
    const producer = world.client.producer({ ...options, value: 'string' });
    const acknowledged: string[] = [];
    const unknown: string[] = [];
    const refused: string[] = [];
    const sends: Promise<void>[] = [];
    for (const n of numbers(0, 200)) {
      const partition = Number(n) % 4;
      const sent = producer.send({ topic: 'orders', partition, value: `${n} ${filler}` }).then(
        ({ offset }) => {
          acknowledged.push(n);
          const record = cluster.partition('orders', partition).records()[offset];
          expect(record?.value).toBe(`${n} ${filler}`);
        },
        (error) => {
          (error.code === 'OUTCOME_UNKNOWN' ? unknown : refused).push(n);
        },
      );
      sends.push(sent);
      if (random.below(10) === 0) await world.pass(random.below(200));
      if (random.below(40) === 0)
        cluster.moveLeader('orders', random.below(4), 1 + random.below(3));
      if (random.below(60) === 0) cluster.dropStreams(1 + random.below(3));
    }
    await world.run(Promise.all(sends));
    for (const partition of [0, 1, 2, 3]) {
      const stored = cluster
        .partition('orders', partition)
        .values()
        .map((v) => Number(v!.split(' ')[0]));
      expect(stored).toEqual([...new Set(stored)].sort((a, b) => a - b));
      const mine = acknowledged.filter((n) => Number(n) % 4 === partition).map(Number);
      expect(mine.filter((n) => !stored.includes(n))).toEqual([]);
      expect(refused.filter((n) => stored.includes(Number(n)))).toEqual([]);
    }
    expect(cluster.errors).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(100);
  },
);
