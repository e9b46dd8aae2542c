import { expect, test } from 'vitest';
import { checkActiveBrokers } from '../../../src/controller/replication-factor.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { newTopic, register, started, told } from './started-controller.ts';

test('until there is replication one replica is the default, and all that can be had', async () => {
  const { controller } = await started(3);
  const ask = async (replicationFactor: number) =>
    told(await controller.createTopics([newTopic('t', { replicationFactor })], true))[0];
  expect(await ask(-1)).toBe('t ok');
  expect(await ask(1)).toBe('t ok');
  for (const factor of [2, 3, 32_767]) {
    expect(await ask(factor)).toBe(
      `t INVALID_REPLICATION_FACTOR: topic "t" cannot have replication factor ${factor}: this version does not replicate yet; give 1`,
    );
  }
});

test('new partitions go to brokers in service only, by rule and by hand', async () => {
  const { controller } = await started(3);
  await controller.createTopics([
    newTopic('t', { replicaAssignments: [{ partition: 0, replicas: [2] }] }),
  ]);
  await controller.fenceBrokers([nodeId(2)]);
  await controller.createTopics([newTopic('other', { partitionCount: 8 })]);
  await controller.createPartitions([{ name: 't', totalCount: 9 }]);
  const placed = [...controller.image.topics.values()].flatMap(({ partitions }) =>
    partitions.map(({ replicas }) => replicas[0]),
  );
  expect(placed.filter((id) => id === 2)).toHaveLength(1);
  expect(new Set(placed)).toEqual(new Set([1, 2, 3]));
  const byHand = [{ partition: 0, replicas: [2] }];
  const refused = 'INVALID_REPLICA_ASSIGNMENT: replicas [2]: none of these brokers is in service';
  expect(
    told(await controller.createTopics([newTopic('u', { replicaAssignments: byHand })])),
  ).toEqual([`u ${refused}`]);
  expect(
    told(
      await controller.createPartitions([{ name: 't', totalCount: 10, replicaAssignments: [[2]] }]),
    ),
  ).toEqual([`t ${refused}`]);
});

test('without a broker in service nothing can be placed', async () => {
  const { controller } = await started(1);
  await controller.createTopics([newTopic('t')]);
  await controller.fenceBrokers([nodeId(1)]);
  const nowhere = (name: string) =>
    `${name} INVALID_REPLICATION_FACTOR: topic "${name}" needs a replica of each partition, and no brokers are in service`;
  expect(told(await controller.createTopics([newTopic('u')]))).toEqual([nowhere('u')]);
  expect(told(await controller.createPartitions([{ name: 't', totalCount: 9 }]))).toEqual([
    nowhere('t'),
  ]);
  await register(controller, 1, 'again');
  expect(told(await controller.createTopics([newTopic('u')]))).toEqual(['u ok']);
});

test('a broker for every replica is needed', () => {
  expect(checkActiveBrokers('t', 2, 2)).toBeNull();
  expect(checkActiveBrokers('t', 2, 1)?.detail).toBe(
    'topic "t" needs 2 replicas of each partition, and 1 broker is in service',
  );
});
