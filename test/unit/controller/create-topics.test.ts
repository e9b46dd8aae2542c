import { expect, test } from 'vitest';
import { topicByName } from '../../../src/metadata/image.ts';
import { newTopic, started, told } from './started-controller.ts';

test('a new topic has what was asked for', async () => {
  const { controller } = await started(3);
  const configs = { 'retention.ms': '2h' };
  const [created] = await controller.createTopics([
    newTopic('orders', { partitionCount: 4, replicationFactor: 1, configs }),
  ]);
  expect(created).toEqual({
    name: 'orders',
    topicId: expect.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/),
    partitionCount: 4,
    replicationFactor: 1,
  });
  const topic = topicByName(controller.image, 'orders')!;
  expect(topic.topicId).toBe(created!.topicId);
  expect(topic.partitions).toHaveLength(4);
  for (const { replicas, isr, leader, leaderEpoch, partitionEpoch } of topic.partitions) {
    expect(replicas).toHaveLength(1);
    expect({ isr, leader, leaderEpoch, partitionEpoch }).toEqual({
      isr: replicas,
      leader: replicas[0],
      leaderEpoch: 0,
      partitionEpoch: 0,
    });
  }
  // Kept without its unit.
  expect([...topic.configs]).toEqual([['retention.ms', '7200000']]);
});

test('defaults fill in what a request leaves open, and fit what there is', async () => {
  const { controller } = await started(2);
  const [created] = await controller.createTopics([newTopic('orders')]);
  expect(created).toMatchObject({ partitionCount: 2, replicationFactor: 1 });
});

test('one topic that fails does not stop the others', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('there'), newTopic('a.b')]);
  const results = await controller.createTopics([
    newTopic('there'),
    newTopic('a_b'),
    newTopic('no/slash'),
    newTopic('none', { partitionCount: 0 }),
    newTopic('negative', { partitionCount: -2 }),
    newTopic('broken', { partitionCount: 1.5 }),
    newTopic('many', { partitionCount: 9001 }),
    newTopic('zero', { replicationFactor: 0 }),
    newTopic('three', { replicationFactor: 3 }),
    newTopic('typo', { configs: { 'retention.mss': '1' } }),
    newTopic('alien', { configs: { 'compression.level': '1' } }),
    newTopic('value', { configs: { 'retention.ms': 'soon' } }),
    newTopic('fine'),
  ]);
  expect(told(results)).toEqual([
    'there TOPIC_ALREADY_EXISTS: topic "there" exists',
    'a_b INVALID_TOPIC_EXCEPTION: topic "a_b" collides with topic "a.b": "." and "_" count as the same',
    expect.stringContaining(
      'no/slash INVALID_TOPIC_EXCEPTION: topic name "no/slash" has characters',
    ),
    'none INVALID_PARTITIONS: topic "none" cannot have 0 partitions, give from 1 to 9000',
    'negative INVALID_PARTITIONS: topic "negative" cannot have -2 partitions, give from 1 to 9000',
    'broken INVALID_PARTITIONS: topic "broken" cannot have 1.5 partitions, give from 1 to 9000',
    'many INVALID_PARTITIONS: topic "many" cannot have 9001 partitions, give from 1 to 9000',
    'zero INVALID_REPLICATION_FACTOR: topic "zero" cannot have replication factor 0: give 1',
    'three INVALID_REPLICATION_FACTOR: topic "three" cannot have replication factor 3: this version does not replicate yet; give 1',
    'typo INVALID_CONFIG: "retention.mss": a topic has no such setting, did you mean retention.ms',
    'alien INVALID_CONFIG: "compression.level": a topic has no such setting',
    expect.stringContaining('value INVALID_CONFIG: retention.ms: "soon" is not valid'),
    'fine ok',
  ]);
  expect([...controller.image.topics.values()].map(({ name }) => name).toSorted()).toEqual([
    'a.b',
    'fine',
    'there',
  ]);
});

test('topics of one request are checked against each other', async () => {
  const { controller } = await started();
  const results = await controller.createTopics([
    newTopic('twice'),
    newTopic('x.y'),
    newTopic('x_y'),
    newTopic('twice'),
  ]);
  expect(told(results)).toEqual([
    'twice INVALID_REQUEST: topic "twice" stands twice in the request',
    'x.y ok',
    'x_y INVALID_TOPIC_EXCEPTION: topic "x_y" collides with topic "x.y": "." and "_" count as the same',
    'twice INVALID_REQUEST: topic "twice" stands twice in the request',
  ]);
});
