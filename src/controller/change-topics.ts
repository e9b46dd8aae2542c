import { type MetadataImage, type TopicImage, topicByName } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import type { TopicId } from '../model/ids.ts';
import { type ChangePlan, newPartitions } from './change-plan.ts';
import type { ControllerConfig } from './controller-config.ts';
import { checkPartitionCount } from './create-topics.ts';
import { placeReplicas } from './placement.ts';
import { type Refusal, refuse, repeatedNames } from './refusal.ts';
import type { ConfigTexts, TopicConfigRules } from './topic-configs.ts';

/** What became of one topic of a request that changes topics. */
export interface ChangedTopic {
  readonly name: string;
  readonly error?: Refusal;
}

export interface DeletedTopic extends ChangedTopic {
  /** Missing on an error. */
  readonly topicId?: TopicId;
}

export interface NewPartitions {
  readonly name: string;
  /** How many partitions the topic is to have, with those it has. */
  readonly totalCount: number;
}

/** Settings of one topic to set, and to put back to the broker's default. */
export interface ConfigChanges {
  readonly name: string;
  readonly set: ConfigTexts;
  readonly unset: readonly string[];
}

/** Plans the end of topics. Their ids stay known, so that their folders can be deleted. */
export function deleteTopics(plan: ChangePlan, names: readonly string[]): DeletedTopic[] {
  const items = names.map((name) => ({ name }));
  return changeEach(plan, items, ({ topicId }) => [{ type: 'remove-topic', topicId }]);
}

/** Plans further partitions; they are placed as those of a new topic, behind the last one. */
export function createPartitions(
  plan: ChangePlan,
  topics: readonly NewPartitions[],
  config: ControllerConfig,
): ChangedTopic[] {
  return changeEach(plan, topics, (topic, { name, totalCount }) => {
    const count = topic.partitions.length;
    const refusal = checkPartitionCount(name, totalCount, config);
    if (refusal !== null) return refusal;
    if (totalCount <= count) {
      return refuse(
        'INVALID_PARTITIONS',
        `topic "${name}" has ${count} partitions, give more than that (${totalCount} were asked for)`,
      );
    }
    const { replicas } = topic.partitions[0]!;
    const brokers = [...plan.image.brokers.values()].toSorted((a, b) => a.nodeId - b.nodeId);
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
  return changeEach(plan, changes, ({ topicId, configs }, { set, unset }) => {
    const values = rules.normalize(set);
    if ('row' in values) return values;
    const records: MetadataRecord[] = [];
    for (const [key, value] of values) {
      if (configs.get(key) !== value) records.push({ type: 'topic-config', topicId, key, value });
    }
    for (const key of new Set(unset)) {
      const refusal = rules.checkKey(key);
      if (refusal !== null) return refusal;
      if (values.has(key)) {
        return refuse('INVALID_REQUEST', `${key}: the request both sets and unsets it`);
      }
      if (configs.has(key)) records.push({ type: 'topic-config', topicId, key, value: null });
    }
    return records;
  });
}

/** Plans what `change` says for every item whose topic exists and that stands once in the request. */
function changeEach<Item extends { readonly name: string }>(
  plan: ChangePlan,
  items: readonly Item[],
  change: (topic: TopicImage, item: Item) => MetadataRecord[] | Refusal,
): DeletedTopic[] {
  const repeated = repeatedNames(items);
  return items.map((item) => {
    const { name } = item;
    const topic = findTopic(plan.image, name, repeated);
    if ('row' in topic) return { name, error: topic };
    const records = change(topic, item);
    const error = 'row' in records ? records : plan.add(records);
    return error === null ? { name, topicId: topic.topicId } : { name, error };
  });
}

function findTopic(
  image: MetadataImage,
  name: string,
  repeated: ReadonlySet<string>,
): TopicImage | Refusal {
  const shown = JSON.stringify(name.length > 249 ? `${name.slice(0, 249)}…` : name);
  if (repeated.has(name)) {
    return refuse('INVALID_REQUEST', `topic ${shown} stands twice in the request`);
  }
  const missing = `there is no topic ${shown}`;
  return topicByName(image, name) ?? refuse('UNKNOWN_TOPIC_OR_PARTITION', missing);
}
