import { expect, test } from 'vitest';
import type { ErrorMessage } from '../../../src/rpc/admin-messages.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { RpcError } from '../../../src/rpc/transport.ts';
import { item } from '../broker/broker-world.ts';
import { makeBatch } from '../log/log-world.ts';
import { DoorWorld, MIB } from './door-world.ts';

type Outcome = { readonly name: string; readonly error?: ErrorMessage | undefined };

const told = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map(({ name, error }) => `${name} ${error?.name ?? 'ok'}`);

const newTopic = (name: string, partitionCount = 0, configs = {}) => ({
  name,
  partitionCount,
  replicationFactor: 0,
  configs,
});

test('the capabilities say who this is and what it takes', async () => {
  const door = await DoorWorld.open();
  const capabilities = await door.call(adminMethods.getCapabilities, {});
  expect(capabilities).toEqual({
    serverVersion: '1.2.3',
    clusterId: door.world.broker.clusterId,
    nodeId: 1,
    maxMessageBytes: 16 * MIB,
    features: ['plain_records'],
  });
  expect(capabilities.clusterId).not.toBe('');
});

test('the cluster is described with its brokers and controller', async () => {
  const door = await DoorWorld.open();
  expect(await door.call(adminMethods.describeCluster, {})).toEqual({
    clusterId: door.world.broker.clusterId,
    controllerId: 1,
    brokers: [{ nodeId: 1, host: 'localhost', port: 9095, rack: '' }],
  });
});

test('topics are created with the defaults for what is not said, and those that cannot be say why', async () => {
  const door = await DoorWorld.open({ 'num.partitions': '3' });
  const { topics } = await door.call(adminMethods.createTopics, {
    topics: [
      newTopic('new'),
      newTopic('t'),
      newTopic('bad name'),
      newTopic('odd', 1, { 'no.such.setting': '1' }),
      newTopic('negative', -5),
      newTopic('huge', 2 ** 31 - 1),
    ],
    validateOnly: false,
  });
  expect(told(topics)).toEqual([
    'new ok',
    't TOPIC_ALREADY_EXISTS',
    'bad name INVALID_TOPIC_EXCEPTION',
    'odd INVALID_CONFIG',
    'negative INVALID_PARTITIONS',
    'huge INVALID_PARTITIONS',
  ]);
  expect(topics[0]).toMatchObject({ partitionCount: 3, replicationFactor: 1 });
  expect(topics[0]!.topicId).toMatch(/^[\w-]{22}$/);
  expect(topics[1]!.topicId).toBe('');
});

test('a creation that is only checked makes nothing', async () => {
  const door = await DoorWorld.open();
  const request = { topics: [newTopic('new'), newTopic('t')], validateOnly: true };
  const { topics } = await door.call(adminMethods.createTopics, request);
  expect(told(topics)).toEqual(['new ok', 't TOPIC_ALREADY_EXISTS']);
  const listed = await door.call(adminMethods.listTopics, {});
  expect(listed.topics.map(({ name }) => name)).toEqual(['t']);
});

test('topics are listed by name', async () => {
  const door = await DoorWorld.open();
  await door.world.createTopic('z');
  await door.world.createTopic('a', 4);
  const { topics } = await door.call(adminMethods.listTopics, {});
  expect(topics.map(({ name, partitionCount }) => `${name} ${partitionCount}`)).toEqual([
    'a 4',
    't 2',
    'z 1',
  ]);
});

test('topics are described by name, or all of them, with their partitions and the brokers', async () => {
  const door = await DoorWorld.open();
  await door.world.createTopic('__own');
  const all = await door.call(adminMethods.describeTopics, { names: [] });
  expect(all.topics.map(({ name, internal }) => `${name} ${internal}`)).toEqual([
    '__own true',
    't false',
  ]);
  expect(all.brokers).toHaveLength(1);
  const some = await door.call(adminMethods.describeTopics, { names: ['u', 't'] });
  expect(told(some.topics)).toEqual(['u UNKNOWN_TOPIC_OR_PARTITION', 't ok']);
  expect(some.topics[1]!.partitions).toEqual(
    [0, 1].map((partition) => ({
      partition,
      leaderId: 1,
      leaderEpoch: 0,
      replicaIds: [1],
      isrIds: [1],
    })),
  );
});

test('a broker that is fenced is not told of, and what it led has no leader', async () => {
  const door = await DoorWorld.open();
  const { controller, broker } = door.world;
  await door.world.run(controller.fenceBrokers([broker.nodeId]));
  const { topics, brokers } = await door.call(adminMethods.describeTopics, { names: ['t'] });
  expect(brokers).toEqual([]);
  expect(topics[0]!.partitions[0]).toMatchObject({ leaderId: -1, leaderEpoch: 1, isrIds: [1] });
  expect((await door.call(adminMethods.describeCluster, {})).brokers).toEqual([]);
});

test('a name that is asked for again and again is described once', async () => {
  const door = await DoorWorld.open();
  const names = Array.from({ length: 9000 }, () => 't');
  const { topics } = await door.call(adminMethods.describeTopics, { names });
  expect(topics).toHaveLength(1);
  const described = await door.call(adminMethods.describeConfigs, { topics: names });
  expect(described.topics).toHaveLength(1);
});

test('topics are deleted, and those that are not there say so', async () => {
  const door = await DoorWorld.open();
  const { topics } = await door.call(adminMethods.deleteTopics, { names: ['t', 'u'] });
  expect(told(topics)).toEqual(['t ok', 'u UNKNOWN_TOPIC_OR_PARTITION']);
});

test('partitions are added, never taken away', async () => {
  const door = await DoorWorld.open();
  const add = async (name: string, totalCount: number) => {
    const request = { topics: [{ name, totalCount }], validateOnly: false };
    return told((await door.call(adminMethods.createPartitions, request)).topics)[0];
  };
  expect(await add('t', 5)).toBe('t ok');
  expect(await add('t', 4)).toBe('t INVALID_PARTITIONS');
  expect(await add('u', 4)).toBe('u UNKNOWN_TOPIC_OR_PARTITION');
});

test('settings of topics are described and changed', async () => {
  const door = await DoorWorld.open();
  const changed = await door.call(adminMethods.alterConfigs, {
    topics: [
      { name: 't', set: { 'max.message.bytes': '5000' }, unset: [] },
      { name: 'u', set: {}, unset: [] },
    ],
    validateOnly: false,
  });
  expect(told(changed.topics)).toEqual(['t ok', 'u UNKNOWN_TOPIC_OR_PARTITION']);
  const { topics } = await door.call(adminMethods.describeConfigs, { topics: ['t', 'u'] });
  expect(told(topics)).toEqual(['t ok', 'u UNKNOWN_TOPIC_OR_PARTITION']);
  const entries = new Map(topics[0]!.entries.map((entry) => [entry.name, entry]));
  expect(entries.get('max.message.bytes')).toMatchObject({ source: 'CONFIG_SOURCE_TOPIC' });
  expect(entries.get('durability')).toMatchObject({
    value: 'durable',
    source: 'CONFIG_SOURCE_DEFAULT',
  });
});

test('a change of settings that is not valid is refused and changes nothing', async () => {
  const door = await DoorWorld.open();
  const topics = [{ name: 't', set: { 'max.message.bytes': 'many' }, unset: [] }];
  const changed = await door.call(adminMethods.alterConfigs, { topics, validateOnly: false });
  expect(told(changed.topics)).toEqual(['t INVALID_CONFIG']);
});

test('offsets are listed for each partition that is asked for, in order', async () => {
  const door = await DoorWorld.open();
  await door.world.produce([item('t', 0, makeBatch({ count: 3, timestampMs: 1000 }))]);
  const { partitions } = await door.call(adminMethods.listOffsets, {
    partitions: [
      { topic: 't', partition: 0, latest: true },
      { topic: 't', partition: 0, earliest: true },
      { topic: 't', partition: 9, latest: true },
      { topic: 't', partition: 0, timestampMs: 1001 },
      { topic: 't', partition: 0, timestampMs: 5000 },
      { topic: 't', partition: 0 },
    ],
    readCommitted: false,
  });
  expect(partitions.map(({ offset, error }) => `${offset} ${error?.name ?? 'ok'}`)).toEqual([
    '3 ok',
    '0 ok',
    '-1 UNKNOWN_TOPIC_OR_PARTITION',
    '1 ok',
    '-1 ok',
    '3 ok',
  ]);
});

test('one request looks into a few logs at a time, however many it asks for', async () => {
  const door = await DoorWorld.open({ 'log.tail.cache.bytes': '0' });
  await door.world.produce([item('t', 0, makeBatch({ timestampMs: 1000 }))]);
  let reads = 0;
  const { disk } = door.world.machine;
  disk.plan({ operation: 'read', path: /t-0/, delayMs: 1000, times: 1_000_000 });
  const query = { topic: 't', partition: 0, timestampMs: 1 };
  const partitions = Array.from({ length: 80 }, () => query);
  const before = door.world.machine.scheduler.nowMs;
  const listed = await door.call(adminMethods.listOffsets, { partitions, readCommitted: false });
  for (const { offset } of listed.partitions) reads += offset === 0 ? 1 : 0;
  expect(reads).toBe(80);
  // Ten rounds of eight: virtual time, no measurement.
  expect(door.world.machine.scheduler.nowMs - before).toBeGreaterThan(9000);
});

test('records are deleted up to an offset, and what cannot be says why', async () => {
  const door = await DoorWorld.open();
  await door.world.produce([item('t', 0, makeBatch({ count: 3 }))]);
  const { partitions } = await door.call(adminMethods.deleteRecords, {
    partitions: [
      { topic: 't', partition: 0, beforeOffset: 2 },
      { topic: 't', partition: 1, beforeOffset: 1 },
      { topic: 'u', partition: 0, beforeOffset: 0 },
    ],
  });
  expect(
    partitions.map(({ logStartOffset, error }) => `${logStartOffset} ${error?.name ?? 'ok'}`),
  ).toEqual(['2 ok', '-1 OFFSET_OUT_OF_RANGE', '-1 UNKNOWN_TOPIC_OR_PARTITION']);
});

test('each producer gets an id of its own', async () => {
  const door = await DoorWorld.open();
  const first = await door.call(adminMethods.allocateProducerId, {});
  const second = await door.call(adminMethods.allocateProducerId, {});
  expect(first.producerEpoch).toBe(0);
  expect(second.producerId).not.toBe(first.producerId);
});

test('numbers beyond what can be counted are refused, and the broker stays up', async () => {
  const door = await DoorWorld.open();
  const partitions = [{ topic: 't', partition: 0, beforeOffset: 2 ** 60 }];
  const refused = door.call(adminMethods.deleteRecords, { partitions });
  await expect(refused).rejects.toBeInstanceOf(RpcError);
  await expect(refused).rejects.toThrow(/malformed request: beforeOffset 1152921504606846976/);
  expect(door.unexpected).toEqual([]);
});

test('the quorum of one node is told, and stays what it is', async () => {
  const door = await DoorWorld.open();
  const { members, ...quorum } = await door.call(adminMethods.describeQuorum, {});
  expect(quorum).toMatchObject({ leaderId: 1, leaderEpoch: 1 });
  expect(quorum.appliedIndex).toBe(quorum.commitIndex);
  const { directoryId } = door.world.data.identity;
  const matchIndex = quorum.commitIndex;
  expect(members).toEqual([
    { nodeId: 1, directoryId, voter: true, matchIndex, lag: 0, heardOf: true },
  ]);
  expect(await door.call(adminMethods.addVoter, { nodeId: 1 })).toEqual({});
  expect(await door.call(adminMethods.transferLeadership, { nodeId: 1 })).toEqual({});
  const refused = async (asked: Promise<unknown>) =>
    asked.then(
      () => 'done',
      (error: RpcError) => `${error.status.errorCode} ${error.message}`,
    );
  expect(await refused(door.call(adminMethods.removeVoter, { nodeId: 1, force: true }))).toBe(
    '42 node 1 is the last voter of the metadata quorum; add another one first; nothing was changed',
  );
  expect(await refused(door.call(adminMethods.addVoter, { nodeId: -1 }))).toBe(
    '42 node id -1 cannot be, give one from 0',
  );
});
