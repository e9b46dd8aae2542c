import { expect, test } from 'vitest';
import type {
  FetchedRecords,
  FetchSession,
  FetchStart,
} from '../../../src/broker/fetch-session.ts';
import { makeBatch } from '../log/log-world.ts';
import { anyTopicId, BrokerWorld, item } from './broker-world.ts';

const MIB = 1024 * 1024;
const NO_CACHE = { 'log.tail.cache.bytes': '0' };

/** A topic `t` with three partitions, and sessions with everything that they send. */
class Sessions {
  readonly world: BrokerWorld;
  readonly sent: (readonly FetchedRecords[])[] = [];
  readonly ended: string[] = [];
  /** Whether the sink asks to wait. */
  isFull = false;

  static async open(settings: { [key: string]: string } = {}): Promise<Sessions> {
    const world = await BrokerWorld.open({ 'log.retention.ms': '-1', ...settings });
    await world.createTopic('t', 3);
    return new Sessions(world);
  }

  constructor(world: BrokerWorld) {
    this.world = world;
  }

  session(limits = { creditBytes: 64 * MIB, messageBytes: MIB }): FetchSession {
    return this.world.broker.openFetch(limits, {
      send: (fetched) => {
        this.sent.push(fetched);
        return !this.isFull;
      },
      end: () => this.ended.push('end'),
      failed: (error) => this.ended.push(String(error)),
    });
  }

  async produce(partition: number, count: number, valueBytes = 20): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.world.produce([item('t', partition, makeBatch({ valueBytes }))]);
    }
  }

  get fetched(): FetchedRecords[] {
    return this.sent.flat();
  }

  get bytes(): number {
    return this.fetched.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What was sent of each partition, as `t-0#1 from 0 NONE`. */
  get story(): string[] {
    return this.fetched.map(
      ({ topic, partition, correlationId, fromOffset, row }) =>
        `${topic}-${partition}#${correlationId} from ${fromOffset} ${row.name}`,
    );
  }
}

const start = (partition: number, offset: number, more: Partial<FetchStart> = {}): FetchStart => ({
  topic: 't',
  partition,
  topicId: anyTopicId,
  leaderEpoch: -1,
  offset,
  correlationId: 1,
  maxBytes: MIB,
  ...more,
});

test('what is there is sent, then what arrives, without being asked again', async () => {
  const t = await Sessions.open();
  await t.produce(0, 2);
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(MIB);
  await t.world.pass(10);
  expect(t.fetched.at(-1)).toMatchObject({ fromOffset: 0, marks: { highWatermark: 2 } });
  const before = t.bytes;
  await t.produce(0, 1);
  await t.world.pass(10);
  expect(t.story.at(-1)).toBe('t-0#1 from 2 NONE');
  expect(t.bytes).toBeGreaterThan(before);
});

test('the first answer comes at once, also when there is nothing to read', async () => {
  const t = await Sessions.open();
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(MIB);
  await t.world.pass(1);
  expect(t.fetched).toMatchObject([{ bytes: 0, marks: { highWatermark: 0 }, batches: [] }]);
});

test('a record that is not durable yet is not sent', async () => {
  const t = await Sessions.open();
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(MIB);
  t.world.stallDisk(1000);
  const produced = t.world.broker.produce([item('t', 0, makeBatch())], {
    acks: 'all',
    timeoutMs: 30_000,
  });
  await t.world.pass(500);
  expect(t.bytes).toBe(0);
  await t.world.run(produced);
  await t.world.pass(1);
  expect(t.bytes).toBeGreaterThan(0);
});

test('nothing is sent without credit, and reading goes on when there is more', async () => {
  const t = await Sessions.open();
  await t.produce(0, 20, 1000);
  const session = t.session();
  session.begin(start(0, 0));
  await t.world.pass(100);
  expect(t.sent).toEqual([]);
  session.grant(2500);
  await t.world.pass(100);
  expect(t.bytes).toBeGreaterThan(2500);
  expect(t.bytes).toBeLessThan(2500 + 1100);
  session.grant(100 * 1100);
  await t.world.pass(100);
  expect(t.fetched.at(-1)!.marks!.highWatermark).toBe(20);
  expect(t.bytes).toBeGreaterThan(20_000);
});

test('reads from the disk that are under way together overdraw the credit by one batch at most', async () => {
  const t = await Sessions.open({ ...NO_CACHE, 'message.max.bytes': '2000' });
  for (const partition of [0, 1, 2]) await t.produce(partition, 10, 1500);
  const session = t.session();
  // However little one read asks for, it brings a batch.
  for (const partition of [0, 1, 2]) session.begin(start(partition, 0, { maxBytes: 1 }));
  session.grant(100);
  await t.world.pass(100);
  expect(t.bytes).toBeGreaterThan(0);
  expect(t.bytes).toBeLessThan(2000);
});

test('credit beyond the limit of the session is not kept, also while reads are under way', async () => {
  const t = await Sessions.open(NO_CACHE);
  await t.produce(0, 30, 1000);
  const session = t.session({ creditBytes: 5000, messageBytes: MIB });
  session.begin(start(0, 0));
  session.grant(1e15);
  // Now all of it is reserved for the read that is under way.
  await t.world.pass(0.005);
  session.grant(1e15);
  await t.world.pass(100);
  expect(t.bytes).toBeGreaterThan(4000);
  expect(t.bytes).toBeLessThan(5000 + 1100);
});

test('a seek drops what is under way for the old position', async () => {
  const t = await Sessions.open(NO_CACHE);
  await t.produce(0, 5);
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(MIB);
  t.world.machine.disk.plan({ operation: 'read', path: /\.log$/, delayMs: 50, times: 9 });
  await t.world.pass(5);
  session.begin(start(0, 3, { correlationId: 2 }));
  await t.world.pass(500);
  expect(t.story).toEqual(['t-0#2 from 3 NONE']);
  expect(session.size).toBe(1);
});

test('a refusal of an old position does not end the reader of a new one', async () => {
  const t = await Sessions.open();
  await t.produce(0, 1);
  const session = t.session();
  session.grant(MIB);
  session.begin(start(0, -5));
  session.begin(start(0, 0, { correlationId: 2 }));
  session.end('t', 0, 1);
  await t.world.pass(10);
  expect(t.story).toEqual(['t-0#1 from -5 OFFSET_OUT_OF_RANGE', 't-0#2 from 0 NONE']);
});

test('a partition that is ended is not read on, and its credit is there for the others', async () => {
  const t = await Sessions.open(NO_CACHE);
  for (const partition of [0, 1]) await t.produce(partition, 3, 1000);
  const session = t.session({ creditBytes: 1000, messageBytes: MIB });
  session.begin(start(0, 0));
  session.grant(1000);
  t.world.machine.disk.plan({ operation: 'read', path: /t-0\/.*\.log$/, delayMs: 50 });
  await t.world.pass(5);
  session.end('t', 0);
  session.begin(start(1, 0));
  await t.world.pass(500);
  expect(t.story).toEqual(['t-1#1 from 0 NONE']);
});

test('a partition that is ended while its reader waits for records is not read on', async () => {
  const t = await Sessions.open();
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(MIB);
  await t.world.pass(10);
  session.end('t', 0);
  await t.produce(0, 1);
  await t.world.pass(10);
  expect(t.bytes).toBe(0);
});

test('positions that cannot be read are refused with the reason, and not kept', async () => {
  const t = await Sessions.open();
  const session = t.session();
  session.grant(MIB);
  session.begin(start(0, 17));
  session.begin(start(1, Number.NaN));
  session.begin(start(9, 0));
  session.begin(start(-1, 0));
  session.begin(start(2, 0, { topicId: new Uint8Array(16) }));
  session.begin(start(0, 0, { topic: '' }));
  await t.world.pass(10);
  expect(t.story.sort()).toEqual([
    '-0#1 from 0 UNKNOWN_TOPIC_OR_PARTITION',
    't--1#1 from 0 UNKNOWN_TOPIC_OR_PARTITION',
    't-0#1 from 17 OFFSET_OUT_OF_RANGE',
    't-1#1 from NaN OFFSET_OUT_OF_RANGE',
    't-2#1 from 0 INCONSISTENT_TOPIC_ID',
    't-9#1 from 0 UNKNOWN_TOPIC_OR_PARTITION',
  ]);
  expect(session.size).toBe(0);
});

test('what becomes readable in one turn shares a message', async () => {
  const t = await Sessions.open();
  for (const partition of [0, 1, 2]) await t.produce(partition, 1);
  const session = t.session();
  for (const partition of [0, 1, 2]) session.begin(start(partition, 0));
  session.grant(MIB);
  await t.world.pass(10);
  expect(t.sent[0]!.map(({ partition }) => partition)).toEqual([0, 1, 2]);
  expect(t.sent).toHaveLength(1);
});

test('a message is not larger than was asked for, unless one read is', async () => {
  const t = await Sessions.open();
  for (const partition of [0, 1, 2]) await t.produce(partition, 8, 1000);
  const session = t.session({ creditBytes: MIB, messageBytes: 4000 });
  // The sink is full at first, so that much is gathered.
  t.isFull = true;
  for (const partition of [0, 1, 2]) session.begin(start(partition, 0, { maxBytes: 1500 }));
  session.grant(MIB);
  await t.world.pass(10);
  t.isFull = false;
  session.drained();
  await t.world.pass(10);
  expect(t.fetched.length).toBeGreaterThan(20);
  for (const message of t.sent) {
    expect(message.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(4000);
  }
});

test('while the sink is full nothing is sent nor lost', async () => {
  const t = await Sessions.open();
  await t.produce(0, 10, 1000);
  t.isFull = true;
  const session = t.session();
  session.begin(start(0, 0, { maxBytes: 1500 }));
  session.grant(MIB);
  await t.world.pass(10);
  expect(t.sent).toHaveLength(1);
  session.begin(start(9, 0));
  await t.world.pass(10);
  expect(t.sent).toHaveLength(1);
  t.isFull = false;
  session.drained();
  await t.world.pass(10);
  const offsets = t.fetched.filter(({ bytes }) => bytes > 0).map(({ fromOffset }) => fromOffset);
  expect(offsets).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(t.story).toContain('t-9#1 from 0 UNKNOWN_TOPIC_OR_PARTITION');
});

test('while the sink is full nothing is read ahead', async () => {
  const t = await Sessions.open();
  await t.produce(0, 10, 1000);
  t.isFull = true;
  const session = t.session({ creditBytes: MIB, messageBytes: 2000 });
  session.begin(start(0, 0, { maxBytes: 1500 }));
  session.grant(MIB);
  await t.world.pass(10);
  await t.world.run(t.world.broker.deleteRecords('t', 0, 10));
  t.isFull = false;
  session.drained();
  await t.world.pass(10);
  expect(t.story.at(-1)).toContain('OFFSET_OUT_OF_RANGE');
  expect(t.bytes).toBeLessThan(4000);
});

test('partitions are read in turn, whatever one of them holds', async () => {
  const t = await Sessions.open();
  for (const partition of [0, 1]) await t.produce(partition, 5, 1000);
  const session = t.session();
  for (const partition of [0, 1]) session.begin(start(partition, 0, { maxBytes: 1100 }));
  session.grant(4500);
  await t.world.pass(10);
  const turns = t.fetched.map(({ partition }) => partition);
  expect(turns.slice(0, 4)).toEqual([0, 1, 0, 1]);
});

test.for(['parked', 'waiting for credit'])(
  'a reader %s of a removed topic is told so',
  async (how) => {
    const t = await Sessions.open();
    await t.produce(0, 1);
    const session = t.session();
    session.begin(start(0, 0));
    if (how === 'parked') session.grant(MIB);
    await t.world.pass(10);
    await t.world.run(t.world.broker.deleteTopics([{ name: 't' }]));
    session.grant(MIB);
    await t.world.pass(10);
    expect(t.story.at(-1)).toMatch(/t-0#1 from . UNKNOWN_TOPIC_OR_PARTITION/);
    expect(session.size).toBe(0);
  },
);

test('a reader whose next offset was deleted is told so', async () => {
  const t = await Sessions.open();
  await t.produce(0, 3);
  const session = t.session();
  session.begin(start(0, 1));
  await t.world.run(t.world.broker.deleteRecords('t', 0, 3));
  session.grant(MIB);
  await t.world.pass(10);
  expect(t.story).toEqual(['t-0#1 from 1 OFFSET_OUT_OF_RANGE']);
});

test('a finished session sends what there is credit for and ends then', async () => {
  const t = await Sessions.open(NO_CACHE);
  await t.produce(0, 10, 1000);
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(3000);
  session.finish();
  await t.world.pass(500);
  expect(t.bytes).toBeGreaterThanOrEqual(3000);
  expect(t.ended).toEqual(['end']);
  expect(session.size).toBe(0);
});

test('a finished session goes on while there is credit left, and ends with the last partition', async () => {
  const t = await Sessions.open();
  const session = t.session();
  session.begin(start(0, 0));
  session.grant(MIB);
  session.finish();
  await t.world.pass(100);
  expect(t.ended).toEqual([]);
  await t.produce(0, 1);
  await t.world.pass(10);
  expect(t.bytes).toBeGreaterThan(0);
  await t.world.run(t.world.broker.deleteTopics([{ name: 't' }]));
  await t.world.pass(10);
  expect(t.story.at(-1)).toBe('t-0#1 from 0 UNKNOWN_TOPIC_OR_PARTITION');
  expect(t.ended).toEqual(['end']);
});

test('a finished session with nothing to read ends at once', async () => {
  const t = await Sessions.open();
  const session = t.session();
  session.grant(MIB);
  session.finish();
  await t.world.pass(10);
  expect(t.ended).toEqual(['end']);
});

test('a closed session sends nothing more, whatever was under way', async () => {
  const t = await Sessions.open(NO_CACHE);
  await t.produce(0, 3);
  const session = t.session();
  session.begin(start(0, 0));
  session.begin(start(9, 0));
  session.begin(start(1, 0));
  session.grant(MIB);
  session.close();
  await t.produce(1, 1);
  await t.world.pass(100);
  expect(t.sent).toEqual([]);
  expect(t.ended).toEqual([]);
});

test('thousands of positions are moved again and again without being kept', async () => {
  const t = await Sessions.open();
  const session = t.session();
  for (let round = 0; round < 10_000; round++) session.begin(start(round % 3, 0));
  expect(session.size).toBe(3);
  session.grant(MIB);
  await t.world.pass(10);
  expect(t.fetched).toHaveLength(3);
});
