import { expect, test } from 'vitest';
import type {
  FetchAnswer,
  FetchOnce,
  FetchQuestion,
  FetchTerms,
} from '../../../src/broker/fetch-once.ts';
import { topicByName } from '../../../src/metadata/image.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { makeBatch } from '../log/log-world.ts';
import { anyTopicId, BrokerWorld, item } from './broker-world.ts';

const MIB = 1024 * 1024;
const NO_CACHE = { 'log.tail.cache.bytes': '0' };
/** A batch with one record of 1,000 bytes. */
const BATCH = makeBatch({ valueBytes: 1000 }).length;

/** A topic `t` with three partitions; counts what reads lend, and what of it is given back. */
class Fetches {
  readonly world: BrokerWorld;
  lent = 0;
  givenBack = 0;
  reads = 0;

  static async open(settings: { [key: string]: string } = {}): Promise<Fetches> {
    const world = await BrokerWorld.open({ 'log.retention.ms': '-1', ...settings });
    await world.createTopic('t', 3);
    return new Fetches(world);
  }

  constructor(world: BrokerWorld) {
    this.world = world;
    for (const log of world.logs.logs()) {
      const read = log.read.bind(log);
      const lend = (outcome: Awaited<ReturnType<typeof read>>) => {
        if (!outcome.ok || outcome.bytes === 0) return outcome;
        this.lent++;
        let isLent = true;
        const release = () => {
          if (!isLent) throw new Error('given back twice');
          isLent = false;
          this.givenBack++;
          outcome.release?.();
        };
        return { ...outcome, release };
      };
      log.read = (...range) => {
        this.reads++;
        const outcome = read(...range);
        return outcome instanceof Promise ? outcome.then(lend) : lend(outcome);
      };
    }
  }

  async produce(partition: number, count: number, valueBytes = 1000): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.world.produce([item('t', partition, makeBatch({ valueBytes }))]);
    }
  }

  begin(questions: readonly FetchQuestion[], terms: Partial<FetchTerms> = {}): FetchOnce {
    return this.world.broker.fetchOnce(questions, { ...AT_ONCE, ...terms });
  }

  fetch(questions: readonly FetchQuestion[], terms: Partial<FetchTerms> = {}) {
    return this.world.run(this.begin(questions, terms).answered);
  }

  /** The answer with the time at which it came, in ms from now. */
  async timed(fetch: FetchOnce): Promise<{ answers: readonly FetchAnswer[]; afterMs: number }> {
    const { scheduler } = this.world.machine;
    const from = scheduler.nowMs;
    const answers = await this.world.run(fetch.answered);
    return { answers, afterMs: Math.round(scheduler.nowMs - from) };
  }
}

const AT_ONCE: FetchTerms = { minBytes: 1, maxBytes: 50 * MIB, maxWaitMs: 0 };
const PATIENT: Partial<FetchTerms> = { maxWaitMs: 500 };

const ask = (
  partition: number,
  offset: number,
  more: Partial<FetchQuestion> = {},
): FetchQuestion => ({
  ...{ topic: 't', partition, topicId: anyTopicId, leaderEpoch: -1, offset, maxBytes: MIB },
  ...more,
});

/** `NONE 0-3`: the outcome and the offsets of what came. */
const told = (answers: readonly FetchAnswer[]): string[] =>
  answers.map(({ row, batches, bytes }) => {
    const offsets: number[] = [];
    let sum = 0;
    for (const piece of batches) {
      for (let at = 0; at < piece.length; ) {
        const batch = new BatchView(piece, at);
        offsets.push(batch.baseOffset, batch.lastOffset);
        at += batch.sizeInBytes;
      }
      sum += piece.length;
    }
    expect(bytes).toBe(sum);
    return offsets.length === 0 ? row.name : `${row.name} ${offsets.at(0)}-${offsets.at(-1)}`;
  });

test.for([{}, NO_CACHE])('what is there is answered at once, whole, with %o', async (settings) => {
  const t = await Fetches.open(settings);
  await t.produce(0, 3);
  await t.produce(2, 2);
  const answers = await t.fetch([ask(2, 1), ask(0, 0), ask(1, 0)], { maxWaitMs: 60_000 });
  expect(told(answers)).toEqual(['NONE 1-1', 'NONE 0-2', 'NONE']);
  expect(answers[1]).toMatchObject({
    marks: { highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 },
    leaderId: -1,
    leaderEpoch: -1,
  });
});

test('the first partition with something gives a batch however large, the others keep to the limits', async () => {
  const t = await Fetches.open();
  for (const partition of [1, 2]) await t.produce(partition, 3);
  const tiny = await t.fetch([ask(0, 0), ask(1, 0), ask(2, 0)], { maxBytes: 10 });
  expect(told(tiny)).toEqual(['NONE', 'NONE 0-0', 'NONE']);
  expect(tiny[2]!.marks!.highWatermark).toBe(3);
  const small = await t.fetch([ask(1, 0, { maxBytes: 0 }), ask(2, 0, { maxBytes: BATCH - 1 })]);
  expect(told(small)).toEqual(['NONE 0-0', 'NONE']);
  const some = await t.fetch([ask(1, 0), ask(2, 0), ask(1, 1)], { maxBytes: 5 * BATCH + 1 });
  expect(told(some)).toEqual(['NONE 0-2', 'NONE 0-1', 'NONE']);
  expect(t.lent - t.givenBack).toBe(4);
});

test('nothing is read when there is no more room, but errors are still found', async () => {
  const t = await Fetches.open(NO_CACHE);
  for (const partition of [0, 1, 2]) await t.produce(partition, 2);
  t.reads = 0;
  const questions = [ask(0, 0), ask(1, 0), ask(2, 0), ask(2, 9), ask(7, 0)];
  const answers = await t.fetch(questions, { maxBytes: BATCH });
  expect(told(answers)).toEqual([
    'NONE 0-0',
    'NONE',
    'NONE',
    'OFFSET_OUT_OF_RANGE',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ]);
  // The first, and the one that is refused by its log.
  expect(t.reads).toBe(2);
});

test('without anything to read it waits, and answers what comes', async () => {
  const t = await Fetches.open();
  const waiting = t.begin([ask(0, 0), ask(1, 0)], PATIENT);
  await t.world.pass(100);
  await t.produce(1, 1);
  const { answers, afterMs } = await t.timed(waiting);
  expect(told(answers)).toEqual(['NONE', 'NONE 0-0']);
  expect(afterMs).toBeLessThan(10);
  expect(answers[1]!.marks!.highWatermark).toBe(1);
});

test('what becomes readable in one turn is answered together', async () => {
  const t = await Fetches.open();
  const flushed: (() => void)[] = [];
  for (const log of t.world.logs.logs()) {
    const { onFlushed } = log;
    log.onFlushed = (to) => flushed.push(() => onFlushed(to));
  }
  const waiting = t.begin([ask(0, 0), ask(1, 0)], PATIENT);
  const items = [0, 1].map((partition) => item('t', partition, makeBatch()));
  const produced = t.world.broker.produce(items, { acks: 'all', timeoutMs: 30_000 });
  await t.world.until(() => flushed.length === 2);
  for (const advance of flushed) {
    advance();
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }
  expect(told(await t.world.run(waiting.answered))).toEqual(['NONE 0-0', 'NONE 0-0']);
  await t.world.run(produced);
});

test.for([{}, NO_CACHE])(
  'it waits until enough is there, holding nothing, with %o',
  async (settings) => {
    const t = await Fetches.open(settings);
    await t.produce(0, 1);
    const waiting = t.begin([ask(0, 0), ask(1, 0)], { minBytes: 4 * BATCH, maxWaitMs: 60_000 });
    for (const partition of [1, 0]) {
      await t.world.pass(100);
      await t.produce(partition, 1);
      await t.world.pass(100);
      expect(t.givenBack).toBe(t.lent);
    }
    await t.produce(1, 1);
    const { answers, afterMs } = await t.timed(waiting);
    expect(told(answers)).toEqual(['NONE 0-1', 'NONE 0-1']);
    expect(afterMs).toBeLessThan(100);
    expect(t.lent - t.givenBack).toBe(2);
  },
);

test('when the wait is over it answers what there is', async () => {
  const t = await Fetches.open();
  await t.produce(0, 1);
  const waiting = t.begin([ask(0, 0)], { minBytes: 9 * BATCH, maxWaitMs: 500 });
  await t.world.pass(100);
  await t.produce(0, 1);
  const { answers, afterMs } = await t.timed(waiting);
  expect(told(answers)).toEqual(['NONE 0-1']);
  expect(afterMs).toBeGreaterThan(300);
  expect(afterMs).toBeLessThan(410);
  expect(told(await t.fetch([ask(1, 0)], { maxWaitMs: -5 }))).toEqual(['NONE']);
});

test('minBytes beyond maxBytes, or 0, does not keep a reader waiting', async () => {
  const t = await Fetches.open();
  await t.produce(0, 1);
  const patient = { maxWaitMs: 60_000 };
  const { afterMs } = await t.timed(
    t.begin([ask(0, 0)], { ...patient, minBytes: 1e9, maxBytes: BATCH }),
  );
  expect(afterMs).toBeLessThan(10);
  expect((await t.timed(t.begin([ask(1, 0)], { ...patient, minBytes: 0 }))).afterMs).toBeLessThan(
    9,
  );
  expect((await t.timed(t.begin([], patient))).afterMs).toBeLessThan(9);
});

test('what does not fit into a partition’s limit is not waited for', async () => {
  const t = await Fetches.open();
  await t.produce(0, 3);
  const fetch = t.begin([ask(0, 0, { maxBytes: 1 })], { minBytes: 2 * BATCH, maxWaitMs: 60_000 });
  const { answers, afterMs } = await t.timed(fetch);
  expect(told(answers)).toEqual(['NONE 0-0']);
  expect(afterMs).toBeLessThan(10);
});

test('an error is answered at once, and others with what they have', async () => {
  const t = await Fetches.open();
  await t.produce(1, 1);
  const questions = [
    ask(0, 1),
    ask(1, 0),
    ask(0, -1),
    ask(0, Number.NaN),
    ask(2, 0, { leaderEpoch: 7 }),
    ask(0, 0, { topic: 'u' }),
    ask(0, 0),
  ];
  const { answers, afterMs } = await t.timed(
    t.begin(questions, { minBytes: MIB, maxWaitMs: 60_000 }),
  );
  expect(told(answers)).toEqual([
    'OFFSET_OUT_OF_RANGE',
    'NONE 0-0',
    'OFFSET_OUT_OF_RANGE',
    'OFFSET_OUT_OF_RANGE',
    'UNKNOWN_LEADER_EPOCH',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'NONE',
  ]);
  expect(afterMs).toBeLessThan(10);
  expect(answers[0]).toMatchObject({ marks: null, leaderId: -1 });
  expect(answers[4]).toMatchObject({ leaderId: 1, leaderEpoch: 0 });
});

test('between the high watermark and the end of the log there is nothing yet, and no error', async () => {
  const t = await Fetches.open();
  t.world.stallDisk(10_000);
  const produced = t.world.broker.produce([item('t', 0, makeBatch({ count: 5 }))], {
    acks: 'all',
    timeoutMs: 30_000,
  });
  const waiting = t.begin([ask(0, 3)], { maxWaitMs: 60_000 });
  expect(told(await t.fetch([ask(0, 3)]))).toEqual(['NONE']);
  expect(told(await t.fetch([ask(0, 5)]))).toEqual(['NONE']);
  expect(told(await t.fetch([ask(0, 6)]))).toEqual(['OFFSET_OUT_OF_RANGE']);
  await t.world.run(produced);
  expect(told(await t.world.run(waiting.answered))).toEqual(['NONE 0-4']);
});

test('records before the log start are out of range', async () => {
  const t = await Fetches.open();
  await t.produce(0, 4);
  await t.world.run(t.world.broker.deleteRecords('t', 0, 2));
  expect(told(await t.fetch([ask(0, 1), ask(0, 2)]))).toEqual(['OFFSET_OUT_OF_RANGE', 'NONE 2-3']);
});

test('a topic can be asked for by its id alone', async () => {
  const t = await Fetches.open();
  await t.produce(0, 1);
  const idOf = (name: string) =>
    Buffer.from(topicByName(t.world.broker.image, name)!.topicId, 'base64url');
  const topicId = idOf('t');
  await t.world.createTopic('u');
  expect(
    told(
      await t.fetch([
        ask(0, 0, { topic: '', topicId }),
        ask(0, 0, { topicId }),
        ask(0, 0, { topic: '', topicId: new Uint8Array(16).fill(7) }),
        ask(0, 0, { topicId: idOf('u') }),
        ask(9, 0, { topic: '', topicId }),
        ask(0, 0, { topic: '' }),
      ]),
    ),
  ).toEqual([
    'NONE 0-0',
    'NONE 0-0',
    'UNKNOWN_TOPIC_ID',
    'INCONSISTENT_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ]);
  await t.world.run(t.world.broker.deleteTopics([{ name: 't' }]));
  await t.world.createTopic('t');
  expect(told(await t.fetch([ask(0, 0, { topicId })]))).toEqual(['UNKNOWN_TOPIC_ID']);
});

test('a broker that is not in service yet is not the leader: the other name would kill readers', async () => {
  const world = new BrokerWorld();
  await world.load();
  const topicId = new Uint8Array(16).fill(7);
  const fetch = world.broker.fetchOnce([ask(0, 0, { topicId })], AT_ONCE);
  expect(told(await world.run(fetch.answered))).toEqual(['NOT_LEADER_OR_FOLLOWER']);
});

test.for(['deleted', 'stopped'])('the wait ends when the topic is %s', async (how) => {
  const t = await Fetches.open();
  const { broker } = t.world;
  const waiting = t.begin([ask(0, 0), ask(1, 0)], { maxWaitMs: 60_000 });
  await t.world.pass(10);
  if (how === 'deleted') await t.world.run(broker.deleteTopics([{ name: 't' }]));
  else broker.stop();
  const { answers, afterMs } = await t.timed(waiting);
  const row = how === 'deleted' ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NOT_LEADER_OR_FOLLOWER';
  expect(told(answers)).toEqual([row, row]);
  expect(afterMs).toBeLessThan(10);
});

test('a topic that is deleted while it is read is gone', async () => {
  const t = await Fetches.open(NO_CACHE);
  await t.produce(0, 2);
  await t.produce(1, 2);
  t.world.machine.disk.plan({ operation: 'read', path: /t-1/, delayMs: 500, times: 9 });
  const waiting = t.begin([ask(0, 0), ask(1, 0)]);
  await t.world.run(t.world.broker.deleteTopics([{ name: 't' }]));
  expect(told(await t.world.run(waiting.answered))).toEqual([
    'NONE 0-1',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ]);
});

test.for([
  ['waiting', 10],
  ['in the middle of a read', 0.005],
] as const)('a reader that goes while it is %s leaves nothing behind', async ([how, afterMs]) => {
  const t = await Fetches.open(NO_CACHE);
  for (const partition of [0, 1]) await t.produce(partition, 1);
  if (how !== 'waiting') {
    t.world.machine.disk.plan({ operation: 'read', path: /t-1/, delayMs: 500, times: 9 });
  }
  const fetch = t.begin([ask(0, 0), ask(1, 0)], { minBytes: MIB, maxWaitMs: 60_000 });
  await t.world.pass(afterMs);
  fetch.cancel();
  expect(await t.world.run(fetch.answered)).toEqual([]);
  t.reads = 0;
  await t.produce(0, 1);
  await t.world.pass(1000);
  expect(t.givenBack).toBe(t.lent);
  expect(t.reads).toBe(0);
  fetch.cancel();
});

test('a late read of a count is given back, too', async () => {
  const t = await Fetches.open(NO_CACHE);
  await t.produce(0, 1);
  const fetch = t.begin([ask(0, 0)], { minBytes: MIB, maxWaitMs: 60_000 });
  await t.world.pass(10);
  t.world.machine.disk.plan({ operation: 'read', path: /t-0/, delayMs: 500, times: 9 });
  await t.produce(0, 1);
  fetch.cancel();
  await t.world.run(fetch.answered);
  await t.world.pass(2000);
  expect(t.givenBack).toBe(t.lent);
});

test('a read that fails as none should ends the fetch, and what others lent is given back', async () => {
  const t = await Fetches.open();
  await t.produce(0, 1);
  const log = t.world.logs.log({ topic: 't', partition: 1 })!;
  log.read = () => Promise.reject(new Error('a bug'));
  const fetch = t.begin([ask(0, 0), ask(1, 0)]);
  await expect(t.world.run(fetch.answered)).rejects.toThrow('a bug');
  expect(t.lent).toBe(1);
  expect(t.givenBack).toBe(1);
});

test('a disk that cannot be read is the error of that partition', async () => {
  const t = await Fetches.open(NO_CACHE);
  for (const partition of [0, 1]) await t.produce(partition, 1);
  t.world.machine.disk.plan({ operation: 'read', path: /t-0/, code: 'EIO', times: 9 });
  expect(told(await t.fetch([ask(0, 0), ask(1, 0)]))).toEqual(['KAFKA_STORAGE_ERROR', 'NONE 0-0']);
});
