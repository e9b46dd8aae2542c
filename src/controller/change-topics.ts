import { isActive, type MetadataImage, type TopicImage, topicByName } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import type { NodeId, TopicId } from '../model/ids.ts';
import { type ChangePlan, newPartitions } from './change-plan.ts';
import { type ConfigChanges, wantedConfigs } from './config-changes.ts';
import type { ControllerConfig } from './controller-config.ts';
import { checkPartitionCount } from './create-topics.ts';
import { checkReplicas } from './manual-assignment.ts';
import { placeReplicas } from './placement.ts';
import { type Refusal, refuse, repeatedNames } from './refusal.ts';
import { checkActiveBrokers } from './replication-factor.ts';
import type { TopicConfigRules } from './topic-configs.ts';

/** What became of one topic of a request that changes topics. */
export interface ChangedTopic {
  readonly name: string;
  readonly error?: Refusal;
}

/** A topic by its name, or by its id: that is never one of the same name that was made since. */
export type TopicChoice = { readonly name: string } | { readonly topicId: TopicId };

export interface DeletedTopic extends ChangedTopic {
  /** Empty if an id was asked for that no topic has. */
  readonly name: string;
  /** Missing on an error, if it was not asked for. */
  readonly topicId?: TopicId;
}

export interface NewPartitions {
  readonly name: string;
  /** How many partitions the topic is to have, with those it has. */
  readonly totalCount: number;
  /** Where the replicas of each new partition are to be; placed by rule if left out. */
  readonly replicaAssignments?: readonly (readonly number[])[];
}

/** Plans the end of topics. Their ids stay known, so that their folders can be deleted. */
export function deleteTopics(plan: ChangePlan, choices: readonly TopicChoice[]): DeletedTopic[] {
  const before = plan.image;
  // A name and an id of one topic are that topic twice.
  const items = choices.map((choice) => ({ choice, name: chosenKey(before, choice) }));
  const repeated = repeatedNames(items);
  return items.map(({ choice, name: key }) => {
    const topic = chooseTopic(plan.image, choice, repeated.has(key));
    if ('row' in topic) return { name: '', ...choice, error: topic };
    const { topicId, name } = topic;
    const error = plan.add([{ type: 'remove-topic', topicId }]);
    return error === null ? { name, topicId } : { name, error };
  });
}

/** Plans further partitions; they are placed as those of a new topic, behind the last one. */
export function createPartitions(
  plan: ChangePlan,
  topics: readonly NewPartitions[],
  config: ControllerConfig,
): ChangedTopic[] {
  return changeEach(plan, topics, (topic, { name, totalCount, replicaAssignments }) => {
    const count = topic.partitions.length;
    const refusal = checkPartitionCount(name, totalCount, config);
    if (refusal !== null) return refusal;
    if (totalCount <= count) {
      return refuse(
        'INVALID_PARTITIONS',
        `topic "${name}" has ${count} partitions, give more than that (${totalCount} were asked for)`,
      );
    }
    const full = plan.checkRoom(totalCount - count);
    if (full !== null) return full;
    const { replicas } = topic.partitions[0]!;
    if (replicaAssignments !== undefined) {
      const placed = checkAssignments(plan.image, replicaAssignments, {
        count: totalCount - count,
        replicationFactor: replicas.length,
      });
      return 'row' in placed ? placed : newPartitions(topic.topicId, count, placed);
    }
    const brokers = [...plan.image.brokers.values()]
      .filter(isActive)
      .toSorted((a, b) => a.nodeId - b.nodeId);
    const nowhere = checkActiveBrokers(name, replicas.length, brokers.length);
    if (nowhere !== null) return nowhere;
    const placed = placeReplicas({
      brokers,
      partitionCount: totalCount - count,
      replicationFactor: replicas.length,
      // Goes on where the partitions that are there would have gone on.
      start: brokers.findIndex(({ nodeId }) => nodeId === replicas[0]) + count,
    });
    return newPartitions(topic.topicId, count, placed);
  });
}

/** Plans changes of settings. What is set already, or not set at all, makes no record. */
export function alterTopicConfigs(
  plan: ChangePlan,
  changes: readonly ConfigChanges[],
  rules: TopicConfigRules,
): ChangedTopic[] {
  return changeEach(plan, changes, ({ topicId, configs }, change) => {
    const wanted = wantedConfigs(change, configs, rules);
    if ('row' in wanted) return wanted;
    return [...wanted]
      .filter(([key, value]) => (configs.get(key) ?? null) !== value)
      .map(([key, value]) => ({ type: 'topic-config', topicId, key, value }));
  });
}

/** Plans what `change` says for every item whose topic exists and that stands once in the request. */
function changeEach<Item extends { readonly name: string }>(
  plan: ChangePlan,
  items: readonly Item[],
  change: (topic: TopicImage, item: Item) => MetadataRecord[] | Refusal,
): ChangedTopic[] {
  const repeated = repeatedNames(items);
  return items.map((item) => {
    const { name } = item;
    const topic = chooseTopic(plan.image, { name }, repeated.has(name));
    if ('row' in topic) return { name, error: topic };
    const records = change(topic, item);
    const error = 'row' in records ? records : plan.add(records);
    return error === null ? { name } : { name, error };
  });
}

function chooseTopic(
  image: MetadataImage,
  choice: TopicChoice,
  isRepeated: boolean,
): TopicImage | Refusal {
  if ('name' in choice && 'topicId' in choice) {
    return refuse('INVALID_REQUEST', 'a topic is chosen by its name or by its id, not by both');
  }
  const isNamed = 'name' in choice;
  const text = isNamed ? choice.name : choice.topicId;
  const shown = JSON.stringify(text.length > 249 ? `${text.slice(0, 249)}…` : text);
  if (isRepeated) {
    const detail = `topic ${shown} stands twice in the request`;
    return refuse('INVALID_REQUEST', detail);
  }
  const topic = isNamed ? topicByName(image, choice.name) : image.topics.get(choice.topicId);
  if (topic !== undefined) return topic;
  return isNamed
    ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${shown}`)
    : refuse('UNKNOWN_TOPIC_ID', `there is no topic of id ${shown}`);
}

/** The same text for all choices of one topic, and for no other's. */
function chosenKey(image: MetadataImage, choice: TopicChoice): string {
  if ('topicId' in choice) return `id ${choice.topicId}`;
  const topic = topicByName(image, choice.name);
  return topic === undefined ? `name ${choice.name}` : `id ${topic.topicId}`;
}

function checkAssignments(
  image: MetadataImage,
  assignments: readonly (readonly number[])[],
  wanted: { readonly count: number; readonly replicationFactor: number },
): readonly (readonly NodeId[])[] | Refusal {
  if (assignments.length === wanted.count) {
    return checkReplicas(image, assignments, wanted.replicationFactor);
  }
  const detail = `${assignments.length} partitions have their replicas assigned, ${wanted.count} are to be added`;
  return refuse('INVALID_REPLICA_ASSIGNMENT', detail);
}
