import { expect, test } from 'vitest';
import type { FetchedRecords } from '../../../src/broker/fetch-session.ts';
import type { CommitListener } from '../../../src/coordinator/coordinator-runtime.ts';
import { orAbort } from '../../../src/env/abortable.ts';
import { type MetadataImage, topicByName } from '../../../src/metadata/image.ts';
import { Errors } from '../../../src/model/errors.ts';
import { producerId } from '../../../src/model/ids.ts';
import { registrationOf } from '../../support/broker-registration.ts';
import { makeBatch } from '../log/log-world.ts';
import { anyTopicId, BrokerWorld, item, NODE, told } from './broker-world.ts';

const MIB = 1024 * 1024;

async function withTopic(settings: { [key: string]: string } = {}) {
  const world = await BrokerWorld.open({ 'log.retention.ms': '-1', ...settings });
  await world.createTopic('t', 2);
  return world;
}

/** What the first answer of a fetch says. */
async function fetchOne(
  world: BrokerWorld,
  claim: { topic?: string; partition?: number; topicId?: Uint8Array; leaderEpoch?: number },
): Promise<FetchedRecords> {
  const answers: FetchedRecords[] = [];
  const session = world.broker.openFetch(
    { creditBytes: MIB, messageBytes: MIB },
    {
      send: (fetched) => answers.push(...fetched) > 0,
      end: () => {},
      failed: () => {},
    },
  );
  session.grant(MIB);
  session.begin({
    topic: 't',
    partition: 0,
    topicId: anyTopicId,
    leaderEpoch: -1,
    offset: 0,
    correlationId: 1,
    maxBytes: MIB,
    ...claim,
  });
  await world.until(() => answers.length > 0);
  session.close();
  return answers[0]!;
}

const topicIdOf = (world: BrokerWorld, name: string): Uint8Array =>
  Buffer.from(topicByName(world.broker.image, name)!.topicId, 'base64url');

test('a topic can be used when the answer to its creation is there', async () => {
  const world = await withTopic();
  expect(told(await world.produce([item('t', 0, makeBatch()), item('t', 1, makeBatch())]))).toEqual(
    ['0 NONE', '0 NONE'],
  );
  expect(world.broker.leaderCount).toBe(2);
});

test('partitions that are added can be used when the answer is there', async () => {
  const world = await withTopic();
  const more = [{ name: 't', totalCount: 4 }];
  await world.run(world.broker.createPartitions(more, false));
  expect(told(await world.produce([item('t', 3, makeBatch())]))).toEqual(['0 NONE']);
  expect(world.broker.leaderCount).toBe(4);
});

test('an unknown topic, and an unknown partition of a known one, are told apart', async () => {
  const world = await withTopic();
  const [noTopic, noPartition] = await world.produce([
    item('u', 0, makeBatch()),
    item('t', 2, makeBatch()),
  ]);
  expect(noTopic).toMatchObject({
    row: Errors.UNKNOWN_TOPIC_OR_PARTITION,
    detail: "there is no topic 'u'",
    leaderId: -1,
  });
  expect(noPartition).toMatchObject({
    row: Errors.UNKNOWN_TOPIC_OR_PARTITION,
    detail: "topic 't' has 2 partitions; there is no partition 2",
  });
});

test.for(['__proto__', 'constructor', '', 'x'.repeat(100_000)])(
  'a topic named %.20s is only not there',
  async (name) => {
    const world = await withTopic();
    for (const partition of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const [result] = await world.produce([item(name, partition, makeBatch())]);
      expect(result!.row).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }
  },
);

test('a leader epoch that is older or newer is refused with the current one', async () => {
  const world = await withTopic();
  await world.crashAndStart();
  expect(await fetchOne(world, { leaderEpoch: 0 })).toMatchObject({
    row: Errors.FENCED_LEADER_EPOCH,
    detail: 'leader epoch 0 of t-0 was asked for; it is 1',
  });
  expect(await fetchOne(world, { leaderEpoch: 2 })).toMatchObject({
    row: Errors.UNKNOWN_LEADER_EPOCH,
  });
  for (const leaderEpoch of [1, -1]) {
    expect(await fetchOne(world, { leaderEpoch })).toMatchObject({ row: Errors.NONE });
  }
});

test('a topic that was made anew under its name is another one', async () => {
  const world = await withTopic();
  const old = topicIdOf(world, 't');
  await world.produce([item('t', 0, makeBatch({ count: 5 }))]);
  await world.run(world.broker.deleteTopics([{ name: 't' }]));
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual([
    '-1 UNKNOWN_TOPIC_OR_PARTITION',
  ]);
  await world.createTopic('t');
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual(['0 NONE']);
  expect(await fetchOne(world, { topicId: old })).toMatchObject({
    row: Errors.INCONSISTENT_TOPIC_ID,
  });
  expect(await fetchOne(world, { topicId: old.subarray(0, 5) })).toMatchObject({
    row: Errors.INCONSISTENT_TOPIC_ID,
  });
  const topicId = topicIdOf(world, 't');
  expect(await fetchOne(world, { topicId })).toMatchObject({ row: Errors.NONE });
  await world.crashAndStart();
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual(['1 NONE']);
});

test.for(['all', 'leader'] as const)(
  'what was appended, acks=%s, to a topic that is then deleted is never answered as if it was not',
  async (acks) => {
    const world = await withTopic();
    world.stallDisk();
    const batch = () =>
      item('t', 0, makeBatch({ producer: { id: producerId(5), epoch: 0, baseSequence: 0 } }));
    const send = () => world.broker.produce([batch()], { acks, timeoutMs: 60_000 });
    const answers = Promise.all([send(), send()]);
    await world.run(world.broker.deleteTopics([{ name: 't' }]));
    const [first, repeated] = await world.run(answers);
    expect(told([...first!, ...repeated!])).toEqual([
      '-1 NOT_LEADER_OR_FOLLOWER',
      '-1 NOT_LEADER_OR_FOLLOWER',
    ]);
    expect(first![0]!.detail).toBe(
      'appended to t-0, but not known to be safe: this cluster has no such topic or partition',
    );
    expect(told(await world.run(send()))).toEqual(['-1 UNKNOWN_TOPIC_OR_PARTITION']);
  },
);

test('a changed setting counts from its answer on', async () => {
  const world = await withTopic();
  const large = () => [item('t', 0, makeBatch({ valueBytes: 5000 }))];
  const change = (set: { [key: string]: string }, unset: string[] = []) =>
    world.run(world.broker.alterTopicConfigs([{ name: 't', set, unset }], false));
  await change({ 'max.message.bytes': '1000' });
  expect(told(await world.produce(large()))).toEqual(['-1 MESSAGE_TOO_LARGE']);
  await change({}, ['max.message.bytes']);
  expect(told(await world.produce(large()))).toEqual(['0 NONE']);
});

test('a new incarnation leads in a new epoch, and goes on where the one before was', async () => {
  const world = await withTopic();
  const batch = (baseSequence: number) =>
    item('t', 0, makeBatch({ producer: { id: producerId(5), epoch: 0, baseSequence } }));
  await world.produce([batch(0)]);
  await world.produce([batch(1)]);
  await world.crashAndStart();
  const [partition] = topicByName(world.broker.image, 't')!.partitions;
  expect(partition).toMatchObject({ leader: NODE, leaderEpoch: 1 });
  expect(told(await world.produce([batch(1)]))).toEqual(['1 NONE']);
  expect(told(await world.produce([batch(2)]))).toEqual(['2 NONE']);
});

test('nothing is led before this incarnation is registered', async () => {
  const world = await withTopic();
  world.machine.crash('process');
  world.machine.restart();
  await world.load();
  expect(world.broker.leaderCount).toBe(0);
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual([
    '-1 LEADER_NOT_AVAILABLE',
  ]);
  await world.run(world.register());
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual(['0 NONE']);
});

/** A broker of this node's second life, whose metadata come when the test says so. */
async function withLateMetadata() {
  const world = await withTopic();
  world.machine.crash('process');
  world.machine.restart();
  const listeners = new Set<CommitListener<MetadataImage>>();
  const caughtUp = Promise.withResolvers<void>();
  let catchUp = (): void => {};
  world.metadataOf = (replica) => {
    let { image } = replica;
    catchUp = () => {
      const before = image;
      image = replica.image;
      for (const listener of listeners) listener(before, image);
      caughtUp.resolve();
    };
    return {
      get image() {
        return image;
      },
      onImage: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      reached: (_, signal) => orAbort(caughtUp.promise, signal),
      leaderId: null,
    };
  };
  await world.load();
  return { world, listeners, catchUp: () => catchUp() };
}

test('a broker leads when its own metadata have its registration, and not before', async () => {
  const { world, catchUp } = await withLateMetadata();
  const registered = world.register();
  await world.pass(10_000);
  // What its image says is of the life before.
  expect(world.broker.leaderCount).toBe(0);
  expect(world.broker.controllerId).toBe(-1);
  catchUp();
  await world.run(registered);
  expect(world.broker.leaderCount).toBe(2);
  const [partition] = topicByName(world.broker.image, 't')!.partitions;
  expect(partition).toMatchObject({ leader: NODE, leaderEpoch: 1 });
});

test('a broker that is stopped waits for nothing more', async () => {
  const { world, listeners, catchUp } = await withLateMetadata();
  const registered = world.register();
  await world.pass(10_000);
  world.broker.stop();
  await world.run(registered);
  expect(listeners.size).toBe(0);
  catchUp();
  expect(world.broker.leaderCount).toBe(0);
});

test('a broker that is stopped answers who waits, and leads nothing more', async () => {
  const world = await withTopic();
  world.stallDisk();
  const produced = world.broker.produce([item('t', 0, makeBatch())], {
    acks: 'all',
    timeoutMs: 60_000,
  });
  world.broker.stop();
  expect(told(await produced)).toEqual(['-1 NOT_LEADER_OR_FOLLOWER']);
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual([
    '-1 NOT_LEADER_OR_FOLLOWER',
  ]);
  expect(world.broker.leaderCount).toBe(0);
});

test('a disk that fails takes the broker out of service for good', async () => {
  const world = await withTopic();
  world.machine.disk.plan({ operation: 'sync', path: /t-0\/.*\.log$/, code: 'EIO' });
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual([
    '-1 KAFKA_STORAGE_ERROR',
  ]);
  expect(world.failures).toHaveLength(1);
  const more = [{ name: 't', totalCount: 4 }];
  await world.run(world.broker.createPartitions(more, false));
  expect(told(await world.produce([item('t', 3, makeBatch())]))).toEqual([
    '-1 KAFKA_STORAGE_ERROR',
  ]);
  expect(await fetchOne(world, { partition: 1 })).toMatchObject({
    row: Errors.KAFKA_STORAGE_ERROR,
  });
  expect(world.broker.leaderCount).toBe(0);
});

test('a disk that fails while the broker registers keeps it out of service', async () => {
  const world = await withTopic();
  world.machine.crash('process');
  world.machine.restart();
  await world.load();
  const registered = world.register();
  world.broker.storageFailed();
  await world.run(registered);
  expect(world.broker.leaderCount).toBe(0);
  expect(told(await world.produce([item('t', 0, makeBatch())]))).toEqual([
    '-1 KAFKA_STORAGE_ERROR',
  ]);
});

test('a damaged log is out of service, and the others are not', async () => {
  const world = await withTopic();
  await world.produce([item('t', 0, makeBatch()), item('t', 1, makeBatch())]);
  await world.pass(2000);
  world.machine.crash('power');
  const env = world.machine.restart();
  const path = '/data/t-0/00000000000000000000.log';
  const file = await world.run(env.files.open(path, 'write'));
  await world.run(file.write(40, [new Uint8Array([1, 2, 3])]));
  await world.run(file.sync());
  await world.run(file.close());
  await world.start();
  expect(told(await world.produce([item('t', 0, makeBatch()), item('t', 1, makeBatch())]))).toEqual(
    ['-1 KAFKA_STORAGE_ERROR', '1 NONE'],
  );
  const refused = await fetchOne(world, {});
  expect(refused).toMatchObject({ row: Errors.KAFKA_STORAGE_ERROR });
  expect(refused.detail).toBe('t-0 is damaged; the log of the broker says where');
  const latest = await world.run(world.broker.listOffset('t', 0, 'latest'));
  expect(latest).toMatchObject({ row: Errors.KAFKA_STORAGE_ERROR, offset: -1 });
});

test('topics are not deleted where that is switched off', async () => {
  const world = await withTopic({ 'delete.topic.enable': 'false' });
  expect(await world.run(world.broker.deleteTopics([{ name: 't' }, { name: 'u' }]))).toEqual([
    { name: 't', error: expect.objectContaining({ row: Errors.TOPIC_DELETION_DISABLED }) },
    { name: 'u', error: expect.objectContaining({ row: Errors.TOPIC_DELETION_DISABLED }) },
  ]);
  expect(world.broker.leaderCount).toBe(2);
});

test('retention asks for the high watermark of the log that is in service', async () => {
  const world = await withTopic();
  await world.produce([item('t', 0, makeBatch({ count: 3 }))]);
  const log = world.logs.log({ topic: 't', partition: 0 })!;
  expect(world.broker.highWatermark(log)).toBe(3);
  await world.run(world.broker.deleteTopics([{ name: 't' }]));
  expect(world.broker.highWatermark(log)).toBe(0);
});

test('a broker that is fenced leads nothing, and in another epoch when it is back', async () => {
  const world = await BrokerWorld.open();
  await world.createTopic('t');
  const produce = async () => told(await world.produce([item('t', 0, makeBatch())]));
  expect(await produce()).toEqual(['0 NONE']);
  const { controller, broker } = world;
  await world.run(controller.fenceBrokers([broker.nodeId]));
  expect(broker.leaderCount).toBe(0);
  expect(await produce()).toEqual(['-1 LEADER_NOT_AVAILABLE']);
  const { brokerEpoch, nodeId } = broker.image.brokers.get(broker.nodeId)!;
  const wants = { wantsFence: false, wantsShutdown: false };
  const beat = { nodeId, brokerEpoch, currentPosition: broker.image.position, ...wants };
  expect(await world.run(controller.heartbeat(beat))).toMatchObject({ isFenced: false });
  expect(await produce()).toEqual(['1 NONE']);
  expect(topicByName(broker.image, 't')!.partitions[0]!.leaderEpoch).toBe(2);
});

test('what is granted to another incarnation of a broker is not led by this one', async () => {
  const world = await withTopic();
  const { controller, broker } = world;
  const { directoryId } = world.data.identity;
  await world.run(
    controller.registerBroker(registrationOf(NODE, 'a copy of its disk', { directoryId })),
  );
  const [partition] = topicByName(controller.image, 't')!.partitions;
  expect(partition).toMatchObject({ leader: NODE, leaderEpoch: 1 });
  expect(broker.leaderCount).toBe(0);
  expect(`${world.failures}`).toMatch(
    /^Error: broker 1 has broker epoch \d+, and the metadata know it by \d+$/,
  );
});

test('a node alone forms its cluster in one entry, and is in service with the next', async () => {
  const world = await BrokerWorld.open();
  const { image } = world.broker;
  // The first entry begins the epoch of the leader.
  expect([image.position, image.brokers.get(NODE)?.brokerEpoch]).toEqual([4, 3]);
  expect([...image.features]).toEqual([['metadata.version', 2]]);
  await world.crashAndStart();
  expect(world.broker.image.position).toBe(6);
});
