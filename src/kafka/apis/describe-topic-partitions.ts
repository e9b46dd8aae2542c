import {
  isInternalTopic,
  type TopicImage,
  topicByName,
  topicsByName,
} from '../../metadata/image.ts';
import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import {
  array,
  arrayOf,
  bool,
  int16,
  int32,
  type MessageOf,
  nullableStruct,
  string,
  uuid,
} from '../fields.ts';
import {
  describePartition,
  idBytes,
  reachableNodes,
  UNKNOWN_OPERATIONS,
  unknownTopicRow,
} from '../topics.ts';
import { INT32, NO_UUID } from '../wire-types.ts';

const cursor = nullableStruct('0+', { topicName: string('0+'), partitionIndex: int32('0+') });

const request = {
  topics: array('0+', { name: string('0+') }),
  responsePartitionLimit: int32('0+', { default: 2000 }),
  cursor,
};

const response = {
  throttleTimeMs: int32('0+'),
  topics: array('0+', {
    errorCode: int16('0+'),
    name: string('0+', { nullable: '0+' }),
    topicId: uuid('0+'),
    isInternal: bool('0+'),
    partitions: array('0+', {
      errorCode: int16('0+'),
      partitionIndex: int32('0+'),
      leaderId: int32('0+'),
      leaderEpoch: int32('0+', { default: -1 }),
      replicaNodes: arrayOf('0+', INT32),
      isrNodes: arrayOf('0+', INT32),
      eligibleLeaderReplicas: arrayOf('0+', INT32, { nullable: '0+', default: null }),
      lastKnownElr: arrayOf('0+', INT32, { nullable: '0+', default: null }),
      offlineReplicas: arrayOf('0+', INT32),
    }),
    topicAuthorizedOperations: int32('0+', { default: UNKNOWN_OPERATIONS }),
  }),
  nextCursor: cursor,
};

type Topic = MessageOf<typeof response>['topics'][number];
type Cursor = MessageOf<typeof request>['cursor'];

/** Most partitions in one answer (Kafka's max.request.partition.size.limit). */
const MOST_PARTITIONS = 2000;

/** Describes topics by name, in pages: what does not fit into an answer begins at its cursor (KIP-966). */
export const describeTopicPartitions: Api = api(
  { key: 75, name: 'DescribeTopicPartitions', versions: '0', flexible: '0+', request, response },
  async ({ topics, responsePartitionLimit, cursor: from }, context) => {
    const { image } = context.broker;
    const reachable = reachableNodes(context);
    const named = new Set(topics.map(({ name }) => name));
    const names = named.size > 0 ? [...named].sort() : topicsByName(image).map(({ name }) => name);
    let left = Math.min(Math.max(responsePartitionLimit, 1), MOST_PARTITIONS);
    let nextCursor: Cursor = null;
    const answers: Topic[] = [];
    for (const name of names) {
      if (from !== null && name < from.topicName) continue;
      const topic = topicByName(image, name);
      if (topic === undefined) {
        answers.push(unknown(name));
        continue;
      }
      const first = from?.topicName === name ? Math.max(0, from.partitionIndex) : 0;
      if (left === 0) {
        nextCursor = { topicName: name, partitionIndex: first };
        break;
      }
      const end = Math.min(topic.partitions.length, first + left);
      answers.push(describe(topic, first, end, reachable));
      left -= Math.max(0, end - first);
      if (end < topic.partitions.length) {
        nextCursor = { topicName: name, partitionIndex: end };
        break;
      }
    }
    return { throttleTimeMs: 0, topics: answers, nextCursor };
  },
);

const unknown = (name: string): Topic => ({
  errorCode: unknownTopicRow(name).code,
  name,
  topicId: NO_UUID,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: UNKNOWN_OPERATIONS,
});

const describe = (
  topic: TopicImage,
  first: number,
  end: number,
  reachable: ReadonlySet<number>,
): Topic => ({
  errorCode: Errors.NONE.code,
  name: topic.name,
  topicId: idBytes(topic.topicId),
  isInternal: isInternalTopic(topic.name),
  partitions: topic.partitions.slice(first, end).map((partition, at) => ({
    ...describePartition(partition, first + at, reachable),
    // Java takes no null for them, though the schema does.
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  })),
  topicAuthorizedOperations: UNKNOWN_OPERATIONS,
});
