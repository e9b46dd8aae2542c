import { assert, unreachable } from '../model/assert.ts';
import {
  type BrokerEpoch,
  type LeaderEpoch,
  type NodeId,
  type ProducerId,
  producerId,
  type TopicId,
} from '../model/ids.ts';
import { levelOf, METADATA_VERSION } from './features.ts';
import type {
  BrokerChangeRecord,
  ClusterRecord,
  FeatureLevelRecord,
  MetadataRecord,
  PartitionChangeRecord,
  PartitionRecord,
  ProducerIdsRecord,
  RegisterBrokerRecord,
  TopicConfigRecord,
  TopicRecord,
  UnregisterBrokerRecord,
} from './metadata-records.ts';
import { PersistentMap } from './persistent-map.ts';
import { RemovedTopics } from './removed-topics.ts';

/** A broker as it registered last, and what it may do since. */
export type BrokerImage = Omit<RegisterBrokerRecord, 'type'>;

export interface TopicImage {
  readonly topicId: TopicId;
  readonly name: string;
  /** By index of the partition; a change of one copies this array. */
  readonly partitions: readonly PartitionImage[];
  /** The settings that the topic has of its own. */
  readonly configs: ReadonlyMap<string, string>;
}

export interface PartitionImage {
  /** The preferred leader first. */
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  /** A member of the ISR; null while there is none to lead. */
  readonly leader: NodeId | null;
  readonly leaderEpoch: LeaderEpoch;
  /** Raised by every change of the partition. */
  readonly partitionEpoch: number;
}

/**
 * The metadata of the cluster at one position of its log. Immutable; a change shares with the image
 * before it all that it leaves alone.
 */
export interface MetadataImage {
  /** Every record below this position is in the image. */
  readonly position: number;
  /** Null until the cluster is formed. */
  readonly cluster: ClusterImage | null;
  /** Levels of features that count in this cluster, by name. */
  readonly features: PersistentMap<string, number>;
  readonly brokers: PersistentMap<NodeId, BrokerImage>;
  readonly topics: PersistentMap<TopicId, TopicImage>;
  /** By `collisionKey` of the name: no two topics share one. `topicByName` looks up by name. */
  readonly topicIds: PersistentMap<string, TopicId>;
  readonly removedTopics: RemovedTopics;
  /** All producer ids below this one have been handed out. */
  readonly nextProducerId: ProducerId;
}

export interface ClusterImage {
  readonly clusterId: string;
  /** Data directory of the controller that formed the cluster. */
  readonly directoryId: string;
  readonly format: number;
}

/** The metadata before the first record. */
export const emptyImage: MetadataImage = {
  position: 0,
  cluster: null,
  features: new PersistentMap(),
  brokers: new PersistentMap(),
  topics: new PersistentMap(),
  topicIds: new PersistentMap(),
  removedTopics: new RemovedTopics(),
  nextProducerId: producerId(0),
};

/** What records of the metadata can say: see `METADATA_VERSION`. */
export const metadataVersion = (image: MetadataImage): number =>
  image.features.get(METADATA_VERSION) ?? 1;

/** Whether a broker can lead partitions and be given new ones. */
export const isActive = (broker: BrokerImage | undefined): boolean => broker?.state === 'unfenced';

/** The brokers that clients are told of, by node id. */
export const listedBrokers = (image: MetadataImage): BrokerImage[] =>
  [...image.brokers.values()]
    .filter(({ state }) => state !== 'fenced')
    .sort((a, b) => a.nodeId - b.nodeId);

export function topicByName(image: MetadataImage, name: string): TopicImage | undefined {
  const topic = collidingTopic(image, name);
  return topic?.name === name ? topic : undefined;
}

/** All topics, by name. */
export const topicsByName = (image: MetadataImage): TopicImage[] =>
  [...image.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Topics that the cluster keeps for itself begin with two underscores, as Kafka's do. */
export const isInternalTopic = (name: string): boolean => name.startsWith('__');

/** The topic that stands in the way of the name, because it has it or one that collides with it. */
export function collidingTopic(image: MetadataImage, name: string): TopicImage | undefined {
  const id = image.topicIds.get(collisionKey(name));
  return id === undefined ? undefined : image.topics.get(id);
}

/**
 * Names that differ only in `.` and `_` collide: names of metrics cannot hold the dot, so the two
 * topics would be one there (Kafka's `Topic.unifyCollisionChars`).
 */
const collisionKey = (name: string): string => name.replaceAll('.', '_');

/**
 * The image after `record`. Several records may have one position: what is written together is one
 * entry of the log. A record that does not fit the image is a bug of who wrote it: asserted.
 */
export function replay(
  image: MetadataImage,
  record: MetadataRecord,
  position: number,
): MetadataImage {
  assert(position >= image.position - 1, 'records are replayed in order of their positions');
  assert(levelOf(record) <= metadataVersion(image), 'a record is of the level of the metadata');
  return { ...image, ...changes(image, record, position), position: position + 1 };
}

/**
 * Records that build this image when they are replayed at its last position, `position - 1`. They
 * are what a snapshot consists of.
 */
export function* imageRecords(image: MetadataImage): Generator<MetadataRecord> {
  if (image.cluster !== null) yield { type: 'cluster', ...image.cluster };
  for (const [name, level] of image.features) yield { type: 'feature-level', name, level };
  for (const broker of image.brokers.values()) yield { type: 'register-broker', ...broker };
  if (image.nextProducerId > 0) {
    yield { type: 'producer-ids', nextProducerId: image.nextProducerId };
  }
  for (const topicId of image.removedTopics) yield { type: 'remove-topic', topicId };
  for (const { topicId, name, partitions, configs } of image.topics.values()) {
    yield { type: 'topic', topicId, name };
    for (const [index, partition] of partitions.entries()) {
      yield { type: 'partition', topicId, index, ...partition };
    }
    for (const [key, value] of configs) yield { type: 'topic-config', topicId, key, value };
  }
}

function changes(
  image: MetadataImage,
  record: MetadataRecord,
  position: number,
): Partial<MetadataImage> {
  switch (record.type) {
    case 'cluster':
      return withCluster(image, record);
    case 'register-broker':
      return withBroker(image, record, position);
    case 'broker-change':
      return withBrokerChange(image, record, position);
    case 'unregister-broker':
      return withoutBroker(image, record);
    case 'feature-level':
      return withFeatureLevel(image, record);
    case 'topic':
      return withTopic(image, record);
    case 'partition':
      return withPartition(image, record);
    case 'partition-change':
      return withPartitionChange(image, record);
    case 'topic-config':
      return withTopicConfig(image, record);
    case 'remove-topic':
      return withoutTopic(image, record.topicId);
    case 'producer-ids':
      return withProducerIds(image, record);
    default:
      return unreachable(record);
  }
}

function withCluster(image: MetadataImage, record: ClusterRecord): Partial<MetadataImage> {
  assert(image.cluster === null, 'a cluster is formed once');
  const { clusterId, directoryId, format } = record;
  return { cluster: { clusterId, directoryId, format } };
}

function withBroker(
  image: MetadataImage,
  record: RegisterBrokerRecord,
  position: number,
): Partial<MetadataImage> {
  const known = image.brokers.get(record.nodeId);
  assert(record.brokerEpoch <= position, 'a broker epoch is the position of a registration');
  assert(known === undefined || record.brokerEpoch > known.brokerEpoch, 'broker epochs rise');
  const { type: _, ...broker } = record;
  return { brokers: image.brokers.set(record.nodeId, broker) };
}

function withBrokerChange(
  image: MetadataImage,
  { nodeId, brokerEpoch, state }: BrokerChangeRecord,
  position: number,
): Partial<MetadataImage> {
  const broker = knownBroker(image, nodeId, brokerEpoch);
  const servedEpoch = state === 'unfenced' ? brokerEpoch : broker.servedEpoch;
  const changed = { ...broker, state, statePosition: position, servedEpoch };
  return { brokers: image.brokers.set(nodeId, changed) };
}

function withoutBroker(
  image: MetadataImage,
  { nodeId, brokerEpoch }: UnregisterBrokerRecord,
): Partial<MetadataImage> {
  knownBroker(image, nodeId, brokerEpoch);
  return { brokers: image.brokers.delete(nodeId) };
}

function withFeatureLevel(
  image: MetadataImage,
  { name, level }: FeatureLevelRecord,
): Partial<MetadataImage> {
  assert(level > (image.features.get(name) ?? 0), 'levels of features rise');
  return { features: image.features.set(name, level) };
}

function knownBroker(image: MetadataImage, id: NodeId, epoch: BrokerEpoch): BrokerImage {
  const broker = image.brokers.get(id);
  assert(broker?.brokerEpoch === epoch, 'a change is of the newest incarnation of a broker');
  return broker;
}

function withTopic(image: MetadataImage, record: TopicRecord): Partial<MetadataImage> {
  const { topicId, name } = record;
  assert(!image.topics.has(topicId), 'a topic id is used once');
  assert(!image.removedTopics.has(topicId), 'the id of a removed topic is not used again');
  assert(collidingTopic(image, name) === undefined, 'no names of two topics collide');
  const topic: TopicImage = { topicId, name, partitions: [], configs: new Map() };
  return {
    topics: image.topics.set(topicId, topic),
    topicIds: image.topicIds.set(collisionKey(name), topicId),
  };
}

function withPartition(image: MetadataImage, record: PartitionRecord): Partial<MetadataImage> {
  const topic = knownTopic(image, record.topicId);
  assert(record.index === topic.partitions.length, 'partitions are added in order of their index');
  assert(record.replicas.length > 0, 'a partition has a replica');
  const { replicas, isr, leader, leaderEpoch, partitionEpoch } = record;
  const partition = checked({ replicas, isr, leader, leaderEpoch, partitionEpoch });
  const partitions = topic.partitions.toSpliced(record.index, 0, partition);
  return changedTopic(image, { ...topic, partitions });
}

function withPartitionChange(
  image: MetadataImage,
  record: PartitionChangeRecord,
): Partial<MetadataImage> {
  const topic = knownTopic(image, record.topicId);
  const before = topic.partitions[record.index];
  assert(before !== undefined, 'a change is of a partition that exists');
  assert(record.partitionEpoch > before.partitionEpoch, 'a change raises the partition epoch');
  assert(
    record.leaderEpoch > before.leaderEpoch ||
      (record.leaderEpoch === before.leaderEpoch && record.leader === before.leader),
    'a change of the leader raises the leader epoch, and it never falls',
  );
  const { isr, leader, leaderEpoch, partitionEpoch } = record;
  const { replicas } = before;
  const partition = checked({ replicas, isr, leader, leaderEpoch, partitionEpoch });
  return changedTopic(image, {
    ...topic,
    partitions: topic.partitions.with(record.index, partition),
  });
}

function withTopicConfig(image: MetadataImage, record: TopicConfigRecord): Partial<MetadataImage> {
  const topic = knownTopic(image, record.topicId);
  const configs = new Map(topic.configs);
  if (record.value === null) configs.delete(record.key);
  else configs.set(record.key, record.value);
  return changedTopic(image, { ...topic, configs });
}

/** Also for a topic that is not there: a snapshot says so of those removed before it. */
function withoutTopic(image: MetadataImage, id: TopicId): Partial<MetadataImage> {
  const removedTopics = image.removedTopics.add(id);
  const topic = image.topics.get(id);
  if (topic === undefined) return { removedTopics };
  return {
    removedTopics,
    topics: image.topics.delete(id),
    topicIds: image.topicIds.delete(collisionKey(topic.name)),
  };
}

function withProducerIds(image: MetadataImage, record: ProducerIdsRecord): Partial<MetadataImage> {
  assert(record.nextProducerId > image.nextProducerId, 'no producer id is handed out twice');
  return { nextProducerId: record.nextProducerId };
}

function knownTopic(image: MetadataImage, id: TopicId): TopicImage {
  const topic = image.topics.get(id);
  assert(topic !== undefined, 'a change is of a topic that exists');
  return topic;
}

function changedTopic(image: MetadataImage, topic: TopicImage): Partial<MetadataImage> {
  return { topics: image.topics.set(topic.topicId, topic) };
}

function checked(partition: PartitionImage): PartitionImage {
  const { replicas, isr, leader } = partition;
  assert(
    isr.every((node) => replicas.includes(node)),
    'in-sync replicas are replicas',
  );
  assert(leader === null || isr.includes(leader), 'a leader is in sync');
  return partition;
}
