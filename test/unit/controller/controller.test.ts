import { expect, test } from 'vitest';
import { setting } from '../../../src/config/setting.ts';
import { Controller } from '../../../src/controller/controller.ts';
import type { NewTopic } from '../../../src/controller/create-topics.ts';
import type { Refusal } from '../../../src/controller/refusal.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { Env } from '../../../src/env/ports.ts';
import { type MetadataImage, topicByName } from '../../../src/metadata/image.ts';
import { changedTopics } from '../../../src/metadata/image-delta.ts';
import { Errors } from '../../../src/model/errors.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { MetadataQuorum } from '../../../src/quorum/metadata-quorum.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const topicSettings = {
  retentionMs: setting.ms({ key: 'retention.ms', default: 1000, min: -1, doc: '' }),
  minInsyncReplicas: setting.int({ key: 'min.insync.replicas', default: 1, min: 1, doc: '' }),
};
const config = {
  defaultPartitions: 2,
  defaultReplicationFactor: 3,
  maxPartitionsPerTopic: 9000,
};

/** A controller over a quorum in memory. With the same env again: after a restart. */
async function started(brokers = 1, env: Env = memoryEnv()) {
  await env.files.makeDirectory('/data');
  const quorum = await MetadataQuorum.open(
    {
      dataDirectory: '/data',
      nodeId: nodeId(1),
      snapshotIntervalEntries: 7,
      onFatal: expect.unreachable,
    },
    env,
    silentLogger,
  );
  if (!quorum.isFormed) await quorum.form('the-cluster', 'the-directory');
  const controller = new Controller(config, env.random, quorum, topicSettings);
  controller.load(quorum.takeEntries());
  quorum.provideSnapshots(() => controller.snapshot());
  for (let id = 1; id <= brokers; id++) await register(controller, id, `first ${id}`);
  return { env, quorum, controller };
}

const register = (controller: Controller, id: number, incarnationId: string, directory = 'd') =>
  controller.registerBroker({
    nodeId: nodeId(id),
    incarnationId,
    directoryId: `${directory}${id}`,
    host: 'localhost',
    port: 9095,
    rack: '',
  });

const newTopic = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  partitionCount: -1,
  replicationFactor: -1,
  configs: {},
  ...more,
});

/** Outcomes in a line each: `orders ok` or `orders NAME_OF_ERROR: detail`. */
const told = (items: readonly { readonly name: string; readonly error?: Refusal }[]) =>
  items.map(({ name, error }) =>
    error === undefined ? `${name} ok` : `${name} ${error.row.name}: ${error.detail}`,
  );

/** Partitions of a topic: leader, leader epoch and replicas of each. */
const partitionsOf = (image: MetadataImage, name: string) =>
  topicByName(image, name)?.partitions.map(
    ({ leader, leaderEpoch, replicas }) => `${leader}@${leaderEpoch} of ${replicas}`,
  );

test('a new topic has what was asked for', async () => {
  const { controller } = await started(3);
  const configs = { 'retention.ms': '2h' };
  const [created] = await controller.createTopics([
    newTopic('orders', { partitionCount: 4, replicationFactor: 2, configs }),
  ]);
  expect(created).toEqual({
    name: 'orders',
    topicId: expect.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/),
    partitionCount: 4,
    replicationFactor: 2,
  });
  const topic = topicByName(controller.image, 'orders')!;
  expect(topic.topicId).toBe(created!.topicId);
  expect(topic.partitions).toHaveLength(4);
  for (const { replicas, isr, leader, leaderEpoch, partitionEpoch } of topic.partitions) {
    expect(replicas).toHaveLength(2);
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

test('defaults fill in what a request leaves open, and fit the number of brokers', async () => {
  const { controller } = await started(2);
  const [created] = await controller.createTopics([newTopic('orders')]);
  expect(created).toMatchObject({ partitionCount: 2, replicationFactor: 2 });
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
    'zero INVALID_REPLICATION_FACTOR: topic "zero" cannot have replication factor 0 in a cluster of 1 broker',
    'three INVALID_REPLICATION_FACTOR: topic "three" cannot have replication factor 3 in a cluster of 1 broker',
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

test('a request that changes too much does what fits', async () => {
  const { controller } = await started();
  const results = await controller.createTopics([
    newTopic('large', { partitionCount: 9000 }),
    newTopic('too-much', { partitionCount: 1000 }),
    newTopic('small'),
  ]);
  expect(told(results)).toEqual([
    'large ok',
    expect.stringContaining('too-much POLICY_VIOLATION: the request changes too much at once'),
    'small ok',
  ]);
});

test('a request that is only checked answers alike and changes nothing', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('there')]);
  const before = controller.image;
  const results = await controller.createTopics([newTopic('there'), newTopic('new')], true);
  expect(told(results)).toEqual(['there TOPIC_ALREADY_EXISTS: topic "there" exists', 'new ok']);
  expect(results[1]).toEqual({ name: 'new', partitionCount: 2, replicationFactor: 1 });
  await controller.createPartitions([{ name: 'there', totalCount: 5 }], true);
  await controller.alterTopicConfigs(
    [{ name: 'there', set: { 'retention.ms': '5' }, unset: [] }],
    true,
  );
  expect(controller.image).toBe(before);
});

test('of two requests for one name that meet, one makes the topic', async () => {
  const { controller } = await started();
  const both = await Promise.all([
    controller.createTopics([newTopic('race')]),
    controller.createTopics([newTopic('race')]),
  ]);
  expect(told(both.flat())).toEqual(['race ok', 'race TOPIC_ALREADY_EXISTS: topic "race" exists']);
});

test('a deleted topic is gone, its id is remembered, and its name is free', async () => {
  const { controller } = await started();
  const [old] = await controller.createTopics([newTopic('orders')]);
  expect(await controller.deleteTopics(['orders', 'nothing', 'twice', 'twice'])).toEqual([
    { name: 'orders', topicId: old!.topicId },
    {
      name: 'nothing',
      error: { row: Errors.UNKNOWN_TOPIC_OR_PARTITION, detail: 'there is no topic "nothing"' },
    },
    { name: 'twice', error: expect.objectContaining({ row: Errors.INVALID_REQUEST }) },
    { name: 'twice', error: expect.objectContaining({ row: Errors.INVALID_REQUEST }) },
  ]);
  expect(topicByName(controller.image, 'orders')).toBeUndefined();
  expect(controller.image.removedTopics.has(old!.topicId!)).toBe(true);
  const [anew] = await controller.createTopics([newTopic('orders')]);
  expect(anew!.topicId).not.toBe(old!.topicId);
});

test('more partitions go on where the topic ends, and leave the others alone', async () => {
  const { controller } = await started(3);
  await controller.createTopics([newTopic('orders', { partitionCount: 2, replicationFactor: 1 })]);
  const before = partitionsOf(controller.image, 'orders')!;
  const results = await controller.createPartitions([
    { name: 'orders', totalCount: 6 },
    { name: 'nothing', totalCount: 6 },
  ]);
  expect(told(results)).toEqual([
    'orders ok',
    'nothing UNKNOWN_TOPIC_OR_PARTITION: there is no topic "nothing"',
  ]);
  const after = partitionsOf(controller.image, 'orders')!;
  expect(after.slice(0, 2)).toEqual(before);
  expect(after.slice(3)).toEqual(after.slice(0, 3));
  expect(new Set(after.slice(0, 3)).size).toBe(3);
});

test('the number of partitions can only grow, up to the limit', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('orders', { partitionCount: 3 })]);
  const ask = async (totalCount: number) =>
    told(await controller.createPartitions([{ name: 'orders', totalCount }]))[0];
  expect(await ask(3)).toBe(
    'orders INVALID_PARTITIONS: topic "orders" has 3 partitions, give more than that (3 were asked for)',
  );
  expect(await ask(2)).toContain('give more than that (2 were asked for)');
  expect(await ask(0)).toContain('cannot have 0 partitions');
  expect(await ask(9001)).toContain('cannot have 9001 partitions');
});

test('settings are set and unset one by one, and a topic with a fault is not changed at all', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('a'), newTopic('b')]);
  const alter = async (name: string, set: Record<string, string>, unset: string[] = []) =>
    told(await controller.alterTopicConfigs([{ name, set, unset }]))[0];
  const configs = (name: string) =>
    Object.fromEntries(topicByName(controller.image, name)!.configs);

  expect(await alter('a', { 'retention.ms': '1s', 'min.insync.replicas': '2' })).toBe('a ok');
  expect(configs('a')).toEqual({ 'retention.ms': '1000', 'min.insync.replicas': '2' });
  expect(await alter('a', { 'retention.ms': '-1' }, ['min.insync.replicas'])).toBe('a ok');
  expect(configs('a')).toEqual({ 'retention.ms': '-1' });
  expect(await alter('a', { 'retention.ms': '5' }, ['min.insync.replica'])).toBe(
    'a INVALID_CONFIG: "min.insync.replica": a topic has no such setting, did you mean min.insync.replicas',
  );
  expect(await alter('a', { 'retention.ms': '5' }, ['retention.ms'])).toBe(
    'a INVALID_REQUEST: retention.ms: the request both sets and unsets it',
  );
  expect(await alter('c', {})).toBe('c UNKNOWN_TOPIC_OR_PARTITION: there is no topic "c"');
  expect(configs('a')).toEqual({ 'retention.ms': '-1' });
  expect(configs('b')).toEqual({});
});

test('settings that stay as they are make no change of the metadata', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('a', { configs: { 'retention.ms': '1000' } })]);
  const before = controller.image;
  await controller.alterTopicConfigs([
    { name: 'a', set: { 'retention.ms': '1s' }, unset: ['min.insync.replicas'] },
  ]);
  expect(controller.image).toBe(before);
});

test('a broker that starts anew gets a higher epoch, and leads nothing under an old one', async () => {
  const { controller } = await started(2);
  await controller.createTopics([newTopic('t', { partitionCount: 4, replicationFactor: 1 })]);
  const ledBy = (id: number) =>
    partitionsOf(controller.image, 't')!.filter((line) => line.startsWith(`${id}@`));
  expect([ledBy(1), ledBy(2)]).toEqual([
    ['1@0 of 1', '1@0 of 1'],
    ['2@0 of 2', '2@0 of 2'],
  ]);
  const before = controller.image;
  const epoch = await register(controller, 1, 'second 1');
  expect(epoch).toBe(before.position);
  expect(epoch).toBeGreaterThan(before.brokers.get(nodeId(1))!.brokerEpoch);
  expect([ledBy(1), ledBy(2)]).toEqual([
    ['1@1 of 1', '1@1 of 1'],
    ['2@0 of 2', '2@0 of 2'],
  ]);
  // In one step: nobody sees the one without the other.
  expect(controller.image.position).toBe(before.position + 1);
});

test('a registration that is asked for again is answered the same', async () => {
  const { controller } = await started();
  const before = controller.image;
  const known = before.brokers.get(nodeId(1))!.brokerEpoch;
  expect(await register(controller, 1, 'first 1')).toBe(known);
  expect(controller.image).toBe(before);
});

test('a broker that has lost its data directory cannot take its own place', async () => {
  const { controller } = await started(2);
  // Broker 2 holds nothing yet.
  await controller.createTopics([newTopic('t', { partitionCount: 1, replicationFactor: 1 })]);
  const holder = topicByName(controller.image, 't')!.partitions[0]!.leader!;
  const other = 3 - holder;
  await register(controller, other, 'second', 'new directory');
  await expect(register(controller, holder, 'second', 'new directory')).rejects.toMatchObject({
    row: Errors.INVALID_REQUEST,
    message: `broker ${holder} has partitions in data directory d${holder} and comes with new directory${holder}: start it with the directory it had, or give the new one a node id of its own`,
  });
});

test('a registration that cannot be right is refused', async () => {
  const { controller } = await started();
  const right = {
    nodeId: nodeId(2),
    incarnationId: 'i',
    directoryId: 'd',
    host: 'h',
    port: 1,
    rack: '',
  };
  const cases: [object, string][] = [
    [{ host: '' }, 'broker 2 cannot register: its host is empty'],
    [{ port: 0 }, 'broker 2 cannot register: its port is 0, give from 1 to 65535'],
    [{ port: 65_536 }, 'its port is 65536'],
    [{ rack: '\ud800' }, 'a text of it is not Unicode'],
  ];
  for (const [wrong, message] of cases) {
    await expect(controller.registerBroker({ ...right, ...wrong })).rejects.toThrow(message);
  }
});

test('no producer id is handed out twice, also after a restart', async () => {
  const { env, quorum, controller } = await started();
  const blocks = await Promise.all(
    [10, 1, 5].map((count) => controller.allocateProducerIds(count)),
  );
  expect(blocks).toEqual([0, 10, 11]);
  await quorum.close();
  const again = await started(0, env);
  expect(await again.controller.allocateProducerIds(1000)).toBe(16);
});

test('after a restart the metadata is what it was, by way of snapshots', async () => {
  const first = await started(3);
  const { controller } = first;
  for (let i = 0; i < 20; i++) {
    await controller.createTopics([newTopic(`t${i}`, { configs: { 'retention.ms': `${i}` } })]);
    if (i % 3 === 0) await controller.deleteTopics([`t${i}`]);
    if (i % 3 === 1) await controller.createPartitions([{ name: `t${i}`, totalCount: 3 + i }]);
  }
  await controller.allocateProducerIds(7);
  await first.quorum.close();
  const again = await started(0, first.env);
  const image = again.controller.image;
  expect(new Map(image.topics)).toEqual(new Map(controller.image.topics));
  expect(new Map(image.brokers)).toEqual(new Map(controller.image.brokers));
  expect([...image.removedTopics]).toEqual([...controller.image.removedTopics]);
  expect(image.nextProducerId).toBe(7);
  expect(image.position).toBe(controller.image.position);
  expect(image.cluster).toMatchObject({ clusterId: 'the-cluster', directoryId: 'the-directory' });
});

test('listeners see every committed image, and its difference', async () => {
  const { controller } = await started();
  const seen: string[] = [];
  const end = controller.onImage((before, after) => {
    const names = changedTopics(before, after).map(({ after: topic }) => topic?.name ?? '-');
    seen.push(`${names}`);
  });
  await controller.createTopics([newTopic('a')]);
  await controller.createPartitions([{ name: 'a', totalCount: 5 }]);
  await controller.deleteTopics(['a']);
  end();
  await controller.createTopics([newTopic('b')]);
  expect(seen).toEqual(['a', 'a', '-']);
});

test('a controller that resigned refuses everything', async () => {
  const { controller } = await started();
  const before = controller.image;
  const uncommitted = controller.createTopics([newTopic('a')]);
  controller.resign(new Error('no longer the leader'));
  await expect(uncommitted).rejects.toMatchObject({ row: Errors.NOT_CONTROLLER });
  await expect(controller.deleteTopics(['a'])).rejects.toMatchObject({
    row: Errors.NOT_CONTROLLER,
  });
  expect(controller.image).toBe(before);
});

test('a controller whose quorum was closed says that it has stopped', async () => {
  const { controller, quorum } = await started();
  await quorum.close();
  await expect(controller.createTopics([newTopic('a')])).rejects.toMatchObject({
    row: Errors.NOT_CONTROLLER,
  });
});
