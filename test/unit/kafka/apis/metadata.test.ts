import { expect, test } from 'vitest';
import { topicByName } from '../../../../src/metadata/image.ts';
import type { Message } from '../../../support/kafka-messages.ts';
import { ConnectionWorld } from '../connection-world.ts';

const NO_ID = new Uint8Array(16);

const open = (settings: { [key: string]: string } = {}) =>
  ConnectionWorld.open(settings, async (world) => {
    await world.createTopic('b', 2);
    await world.createTopic('a');
  });

const requestOf = (topics: readonly object[] | null, more: object = {}) => ({
  topics,
  allowAutoTopicCreation: true,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
  ...more,
});

const named = (name: string | null, topicId = NO_ID) => ({ name, topicId });

interface Topic {
  readonly name: string | null;
  readonly errorCode: number;
  readonly topicId: Uint8Array;
  readonly partitions: readonly object[];
}

const topicsOf = (answer: Message) => answer['topics'] as readonly Topic[];
const told = (answer: Message) =>
  topicsOf(answer).map(({ name, errorCode }) => `${name} ${errorCode}`);

test('every version tells of the brokers, and of the topics that are asked for', async () => {
  const world = await open();
  for (let version = 0; version <= 12; version++) {
    const answer = await world.ask('Metadata', version, requestOf([named('b')]));
    expect(answer['brokers']).toMatchObject([{ nodeId: 1, host: 'broker.example', port: 9092 }]);
    expect(topicsOf(answer)).toMatchObject([
      {
        name: 'b',
        errorCode: 0,
        partitions: [0, 1].map((partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          leaderId: 1,
          replicaNodes: [1],
          isrNodes: [1],
        })),
      },
    ]);
  }
});

test('all topics are an empty list in version 0 and null from then on', async () => {
  const world = await open();
  expect(told(await world.ask('Metadata', 0, requestOf([])))).toEqual(['a 0', 'b 0']);
  expect(told(await world.ask('Metadata', 1, requestOf([])))).toEqual([]);
  for (const version of [1, 8, 9, 12]) {
    expect(told(await world.ask('Metadata', version, requestOf(null)))).toEqual(['a 0', 'b 0']);
  }
});

test('topics are found by their ids', async () => {
  const world = await open();
  const { topicId } = topicByName(world.world.broker.image, 'a')!;
  const id = new Uint8Array(Buffer.from(topicId as string, 'base64url'));
  const unknown = new Uint8Array(16).fill(3);
  const answer = await world.ask(
    'Metadata',
    12,
    requestOf([named(null, id), named(null, unknown)]),
  );
  expect(told(answer)).toEqual(['a 0', 'null 100']);
  expect(topicsOf(answer).map((topic) => topic.topicId)).toEqual([id, unknown]);
  // Before version 12 a name is never null.
  const older = await world.ask('Metadata', 11, requestOf([named('', unknown)]));
  expect(told(older)).toEqual([' 100']);
});

test('a topic that is not there is not made, unless the broker is set to', async () => {
  const world = await open();
  const asked = requestOf([named('new'), named('a b')]);
  expect(told(await world.ask('Metadata', 12, asked))).toEqual(['new 3', 'a b 17']);
  const maker = await open({ 'auto.create.topics.enable': 'true' });
  const without = requestOf([named('new')], { allowAutoTopicCreation: false });
  expect(told(await maker.ask('Metadata', 12, without))).toEqual(['new 3']);
  const [topic, refused] = topicsOf(await maker.ask('Metadata', 12, asked));
  expect([topic!.errorCode, topic!.partitions.length, refused!.errorCode]).toEqual([0, 1, 17]);
});

test('a partition without a leader, or whose leader the client cannot reach, has none', async () => {
  const world = await open();
  const partition = async (version: number) => {
    const answer = await world.ask('Metadata', version, requestOf([named('a')]));
    return { brokers: answer['brokers'], partition: topicsOf(answer)[0]!.partitions[0] };
  };
  const none = { leaderId: -1, replicaNodes: [1], isrNodes: [1] };
  world.reachable = [];
  expect(await partition(12)).toMatchObject({
    brokers: [],
    partition: { ...none, errorCode: 72, leaderEpoch: 0, offlineReplicas: [1] },
  });
  // Older clients do not know that error.
  expect(await partition(5)).toMatchObject({ partition: { ...none, errorCode: 5 } });
  world.reachable = [1];
  const { controller, broker } = world.world;
  await world.world.run(controller.fenceBrokers([broker.nodeId]));
  for (const version of [5, 12]) {
    expect(await partition(version)).toMatchObject({ partition: { ...none, errorCode: 5 } });
  }
  expect(await partition(12)).toMatchObject({ partition: { leaderEpoch: 1 } });
  const described = await world.ask('DescribeTopicPartitions', 0, {
    topics: [{ name: 'a' }],
    responsePartitionLimit: 10,
    cursor: null,
  });
  expect(described['topics']).toMatchObject([
    { partitions: [{ errorCode: 5, leaderId: -1, leaderEpoch: 1 }] },
  ]);
});
