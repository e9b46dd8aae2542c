import type { Random } from '../env/ports.ts';
import { collidingTopic, isActive, type MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import type { NodeId, TopicId } from '../model/ids.ts';
import { type ChangePlan, newPartitions } from './change-plan.ts';
import { type ConfigText, initialConfigs } from './config-changes.ts';
import type { ControllerConfig } from './controller-config.ts';
import { assignReplicas, type ReplicaAssignment } from './manual-assignment.ts';
import { placeReplicas } from './placement.ts';
import { type Refusal, refuse, repeatedNames } from './refusal.ts';
import {
  checkActiveBrokers,
  checkReplicationFactor,
  defaultReplicationFactor,
} from './replication-factor.ts';
import type { ConfigTexts, TopicConfigRules } from './topic-configs.ts';
import { drawTopicId } from './topic-ids.ts';
import { checkTopicName } from './topic-name.ts';

/** Stands in a request for "as the settings say", as in Kafka. */
const DEFAULT = -1;

export interface NewTopic {
  readonly name: string;
  /** -1 for the default. */
  readonly partitionCount: number;
  /** -1 for the default. */
  readonly replicationFactor: number;
  readonly configs: ConfigTexts | readonly ConfigText[];
  /** Places all partitions by hand, if there are any; then both counts are -1. */
  readonly replicaAssignments?: readonly ReplicaAssignment[];
}

/** What became of one new topic; what is given beside an error does not count. */
export interface CreatedTopic {
  readonly name: string;
  readonly error?: Refusal;
  /** Missing on an error, and if the request was only to be checked. */
  readonly topicId?: TopicId;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface CreateTopicsContext {
  readonly config: ControllerConfig;
  readonly random: Random;
  readonly configRules: TopicConfigRules;
}

/** Plans new topics; errors as in Kafka's `ReplicationControlManager.createTopics`. */
export function createTopics(
  plan: ChangePlan,
  topics: readonly NewTopic[],
  context: CreateTopicsContext,
): CreatedTopic[] {
  const repeated = repeatedNames(topics);
  return topics.map((topic) => {
    const refusal = repeated.has(topic.name)
      ? refuse('INVALID_REQUEST', `topic ${JSON.stringify(topic.name)} stands twice in the request`)
      : null;
    const created = refusal ?? createTopic(plan, topic, context);
    if (!('row' in created)) return created;
    const { name, partitionCount, replicationFactor } = topic;
    return { name, error: created, partitionCount, replicationFactor };
  });
}

function createTopic(
  plan: ChangePlan,
  topic: NewTopic,
  { config, random, configRules }: CreateTopicsContext,
): CreatedTopic | Refusal {
  const { image } = plan;
  const { name } = topic;
  const refusal = checkTopicName(name) ?? checkNameIsFree(image, name);
  if (refusal !== null) return refusal;
  const { replicaAssignments = [] } = topic;
  const place =
    replicaAssignments.length > 0
      ? placeByHand(image, topic, replicaAssignments, config)
      : placeByRule(image, topic, config, random);
  if ('row' in place) return place;
  const configs = initialConfigs(topic.configs, configRules);
  if ('row' in configs) return configs;

  const full = plan.checkRoom(1 + place.partitionCount + configs.size);
  if (full !== null) return full;
  const topicId = drawTopicId(random, image);
  const placed = place.replicas();
  const records: MetadataRecord[] = [{ type: 'topic', topicId, name }];
  records.push(...newPartitions(topicId, 0, placed));
  for (const [key, value] of configs) records.push({ type: 'topic-config', topicId, key, value });
  const partitionCount = placed.length;
  const replicationFactor = placed[0]!.length;
  return plan.add(records) ?? { name, topicId, partitionCount, replicationFactor };
}

/** Where a topic is to be. */
interface Place {
  readonly partitionCount: number;
  /** Those of each partition. */
  replicas(): readonly (readonly NodeId[])[];
}

function placeByRule(
  image: MetadataImage,
  topic: NewTopic,
  config: ControllerConfig,
  random: Random,
): Place | Refusal {
  const brokers = [...image.brokers.values()].filter(isActive);
  const partitionCount =
    topic.partitionCount === DEFAULT ? config.defaultPartitions : topic.partitionCount;
  const replicationFactor =
    topic.replicationFactor === DEFAULT
      ? defaultReplicationFactor(config, brokers.length)
      : topic.replicationFactor;
  const refusal =
    checkPartitionCount(topic.name, partitionCount, config) ??
    checkReplicationFactor(topic.name, replicationFactor) ??
    checkActiveBrokers(topic.name, replicationFactor, brokers.length);
  if (refusal !== null) return refusal;
  return {
    partitionCount,
    replicas: () =>
      placeReplicas({ brokers, partitionCount, replicationFactor, start: random.uint32() }),
  };
}

function placeByHand(
  image: MetadataImage,
  { name, partitionCount, replicationFactor }: NewTopic,
  assignments: readonly ReplicaAssignment[],
  config: ControllerConfig,
): Place | Refusal {
  if (partitionCount !== DEFAULT || replicationFactor !== DEFAULT) {
    return refuse(
      'INVALID_REQUEST',
      `topic "${name}" has its replicas assigned, so give -1 for both counts, not ${partitionCount} and ${replicationFactor}`,
    );
  }
  const refusal = checkPartitionCount(name, assignments.length, config);
  if (refusal !== null) return refusal;
  const placed = assignReplicas(image, name, assignments);
  return 'row' in placed ? placed : { partitionCount: placed.length, replicas: () => placed };
}

function checkNameIsFree(image: MetadataImage, name: string): Refusal | null {
  const other = collidingTopic(image, name);
  if (other === undefined) return null;
  if (other.name === name) return refuse('TOPIC_ALREADY_EXISTS', `topic "${name}" exists`);
  return refuse(
    'INVALID_TOPIC_EXCEPTION',
    `topic "${name}" collides with topic "${other.name}": "." and "_" count as the same`,
  );
}

/** How many partitions a topic can have. */
export function checkPartitionCount(
  name: string,
  count: number,
  { maxPartitionsPerTopic }: ControllerConfig,
): Refusal | null {
  if (Number.isSafeInteger(count) && count >= 1 && count <= maxPartitionsPerTopic) return null;
  return refuse(
    'INVALID_PARTITIONS',
    `topic "${name}" cannot have ${count} partitions, give from 1 to ${maxPartitionsPerTopic}`,
  );
}
