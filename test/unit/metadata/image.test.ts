import { expect, test } from 'vitest';
import {
  collidingTopic,
  emptyImage,
  imageRecords,
  isActive,
  listedBrokers,
  type MetadataImage,
  metadataVersion,
  replay,
  topicByName,
} from '../../../src/metadata/image.ts';
import type { MetadataRecord, PartitionRecord } from '../../../src/metadata/metadata-records.ts';
import { brokerEpoch, leaderEpoch, nodeId, producerId, topicId } from '../../../src/model/ids.ts';
import { plainRegistration } from '../../support/broker-registration.ts';

const A = topicId('a'.repeat(22));
const B = topicId('b'.repeat(22));
const nodes = (...ids: number[]) => ids.map(nodeId);

const partition = (id = A, index = 0): PartitionRecord => ({
  type: 'partition',
  topicId: id,
  index,
  replicas: nodes(1, 2),
  isr: nodes(1, 2),
  leader: nodeId(1),
  leaderEpoch: leaderEpoch(0),
  partitionEpoch: 0,
});
const broker = (epoch: number): MetadataRecord => plainRegistration(1, epoch);

/** Replays one record a position. */
function built(...records: MetadataRecord[]): MetadataImage {
  return records.reduce((image, record) => replay(image, record, image.position), emptyImage);
}

const cluster: MetadataRecord = { type: 'cluster', format: 1, clusterId: 'c', directoryId: 'd' };
const topicA: MetadataRecord = { type: 'topic', topicId: A, name: 'orders' };

test('a topic is found by its id and by its name, until it is removed', () => {
  const image = built(cluster, topicA, partition(), partition(A, 1));
  expect(image.topics.get(A)?.partitions).toHaveLength(2);
  expect(topicByName(image, 'orders')?.topicId).toBe(A);

  const gone = replay(image, { type: 'remove-topic', topicId: A }, image.position);
  expect(gone.topics.get(A)).toBeUndefined();
  expect(topicByName(gone, 'orders')).toBeUndefined();
  expect(gone.removedTopics.has(A)).toBe(true);
  expect(gone.removedTopics.has(B)).toBe(false);
  expect(topicByName(image, 'orders')?.topicId).toBe(A);
});

test('names that differ in dots and underscores collide and are not the same', () => {
  const image = built({ type: 'topic', topicId: A, name: 'a.b' });
  expect(topicByName(image, 'a_b')).toBeUndefined();
  expect(collidingTopic(image, 'a_b')?.name).toBe('a.b');
  expect(collidingTopic(image, 'a-b')).toBeUndefined();
});

test('a change of a partition shares the rest with the image before', () => {
  const before = built(cluster, topicA, partition(), partition(A, 1));
  const after = replay(
    before,
    {
      type: 'partition-change',
      topicId: A,
      index: 1,
      isr: nodes(2),
      leader: nodeId(2),
      leaderEpoch: leaderEpoch(1),
      partitionEpoch: 1,
    },
    before.position,
  );
  expect(after.topics.get(A)?.partitions[1]).toEqual({
    replicas: nodes(1, 2),
    isr: nodes(2),
    leader: 2,
    leaderEpoch: 1,
    partitionEpoch: 1,
  });
  expect(after.topics.get(A)?.partitions[0]).toBe(before.topics.get(A)?.partitions[0]);
  expect(after.brokers).toBe(before.brokers);
  expect(before.topics.get(A)?.partitions[1]?.leader).toBe(1);
});

test('a setting is set, changed, and put back', () => {
  const config = (value: string | null): MetadataRecord => ({
    type: 'topic-config',
    topicId: A,
    key: 'retention.ms',
    value,
  });
  const image = built(topicA, config('1'), config('2'));
  expect([...image.topics.get(A)!.configs]).toEqual([['retention.ms', '2']]);
  const unset = replay(image, config(null), image.position);
  expect([...unset.topics.get(A)!.configs]).toEqual([]);
});

test('the newest registration of a broker counts', () => {
  const image = built(cluster, broker(1), broker(2));
  expect(image.brokers.size).toBe(1);
  expect(image.brokers.get(nodeId(1))).toMatchObject({ brokerEpoch: 2, incarnationId: 'i2' });
});

test('the records of an image build it again', () => {
  const image = built(
    cluster,
    broker(1),
    topicA,
    partition(),
    partition(A, 1),
    { type: 'topic-config', topicId: A, key: 'k', value: 'v' },
    { type: 'topic', topicId: B, name: 'gone' },
    { type: 'remove-topic', topicId: B },
    { type: 'producer-ids', nextProducerId: producerId(1000) },
  );
  let again = emptyImage;
  for (const record of imageRecords(image)) again = replay(again, record, image.position - 1);
  expect([...imageRecords(again)]).toEqual([...imageRecords(image)]);
  expect(again.position).toBe(image.position);
  expect([...again.removedTopics]).toEqual([B]);
});

test('records that are written together have one position', () => {
  const image = replay(replay(emptyImage, cluster, 7), topicA, 7);
  expect(image.position).toBe(8);
  expect(() => replay(image, partition(), 6)).toThrow('in order of their positions');
});

test('a record that does not fit the image is a bug, and stops', () => {
  const image = built(cluster, broker(1), topicA, partition(), {
    type: 'producer-ids',
    nextProducerId: producerId(10),
  });
  const change = {
    type: 'partition-change',
    topicId: A,
    index: 0,
    isr: nodes(1),
    leader: nodeId(1),
    leaderEpoch: leaderEpoch(0),
    partitionEpoch: 1,
  } as const;
  const misfits: [string, MetadataRecord][] = [
    ['formed once', cluster],
    ['broker epochs rise', broker(1)],
    ['position of a registration', broker(99)],
    ['used once', { ...topicA, name: 'other' }],
    ['collide', { ...topicA, topicId: B }],
    ['order of their index', partition(A, 2)],
    ['topic that exists', partition(B)],
    ['topic that exists', { type: 'topic-config', topicId: B, key: 'k', value: null }],
    ['partition that exists', { ...change, index: 1 }],
    ['raises the partition epoch', { ...change, partitionEpoch: 0 }],
    ['raises the leader epoch', { ...change, isr: nodes(2), leader: nodeId(2) }],
    ['a leader is in sync', { ...change, leaderEpoch: leaderEpoch(1), leader: nodeId(2) }],
    ['in-sync replicas are replicas', { ...change, isr: nodes(1, 3) }],
    ['handed out twice', { type: 'producer-ids', nextProducerId: producerId(10) }],
  ];
  for (const [message, record] of misfits) {
    expect(() => replay(image, record, image.position), message).toThrow(message);
  }
  const removed = replay(image, { type: 'remove-topic', topicId: B }, image.position);
  const reused: MetadataRecord = { type: 'topic', topicId: B, name: 'b' };
  expect(() => replay(removed, reused, removed.position)).toThrow('is not used again');
});

const raise: MetadataRecord = { type: 'feature-level', name: 'metadata.version', level: 2 };
const of1 = { nodeId: nodeId(1), brokerEpoch: brokerEpoch(2) };

test('a broker is fenced and unfenced, and was last in service in the epoch of that', () => {
  const fenced = plainRegistration(1, 2, { state: 'fenced', servedEpoch: brokerEpoch(-1) });
  const image = built(cluster, raise, fenced);
  expect([isActive(image.brokers.get(nodeId(1))), listedBrokers(image)]).toEqual([false, []]);
  const change = (state: 'fenced' | 'unfenced' | 'shutting-down') =>
    ({ type: 'broker-change', ...of1, state }) as const;
  const there = built(cluster, raise, fenced, change('unfenced'));
  expect(there.brokers.get(nodeId(1))).toEqual({
    ...image.brokers.get(nodeId(1)),
    state: 'unfenced',
    statePosition: 3,
    servedEpoch: 2,
  });
  expect(isActive(there.brokers.get(nodeId(1)))).toBe(true);
  const leaving = built(cluster, raise, fenced, change('unfenced'), change('shutting-down'));
  const broker = leaving.brokers.get(nodeId(1));
  expect(broker?.servedEpoch).toBe(2);
  expect([isActive(broker), listedBrokers(leaving).length]).toEqual([false, 1]);
  const gone = built(cluster, raise, fenced, { type: 'unregister-broker', ...of1 });
  expect([...gone.brokers]).toEqual([]);
});

test('nothing is written that the level of the metadata cannot say', () => {
  const old = built(cluster, broker(1));
  const [listener] = [{ name: 'A', host: 'h', port: 1, securityProtocol: 'SSL' }];
  const newer: MetadataRecord[] = [
    { type: 'broker-change', nodeId: nodeId(1), brokerEpoch: brokerEpoch(1), state: 'fenced' },
    { type: 'unregister-broker', nodeId: nodeId(1), brokerEpoch: brokerEpoch(1) },
    plainRegistration(1, 2, { listeners: [listener!] }),
    plainRegistration(1, 2, { state: 'fenced' }),
  ];
  for (const record of newer) {
    expect(() => replay(old, record, old.position)).toThrow('of the level of the metadata');
  }
  const raised = replay(old, raise, old.position);
  expect([metadataVersion(old), metadataVersion(raised)]).toEqual([1, 2]);
  expect(() => replay(raised, raise, raised.position)).toThrow('levels of features rise');
  const other = { ...of1, brokerEpoch: brokerEpoch(0), state: 'fenced' } as const;
  expect(() => replay(raised, { type: 'broker-change', ...other }, raised.position)).toThrow(
    'newest incarnation',
  );
});
