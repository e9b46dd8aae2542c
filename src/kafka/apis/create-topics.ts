import type { CreatedTopic, NewTopic } from '../../controller/create-topics.ts';
import { topicByName } from '../../metadata/image.ts';
import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { configSourceOf } from '../config-resources.ts';
import {
  array,
  arrayOf,
  bool,
  int8,
  int16,
  int32,
  type MessageOf,
  string,
  uuid,
} from '../fields.ts';
import { errorFields, outcomeOf } from '../kafka-errors.ts';
import type { RequestContext } from '../request-context.ts';
import { idBytes } from '../topics.ts';
import { INT32, NO_UUID } from '../wire-types.ts';

const request = {
  topics: array('0+', {
    name: string('0+'),
    numPartitions: int32('0+'),
    replicationFactor: int16('0+'),
    assignments: array('0+', { partitionIndex: int32('0+'), brokerIds: arrayOf('0+', INT32) }),
    configs: array('0+', { name: string('0+'), value: string('0+', { nullable: '0+' }) }),
  }),
  timeoutMs: int32('0+', { default: 60_000 }),
  validateOnly: bool('1+'),
};

const response = {
  throttleTimeMs: int32('2+'),
  topics: array('0+', {
    name: string('0+'),
    topicId: uuid('7+'),
    errorCode: int16('0+'),
    errorMessage: string('1+', { nullable: '0+' }),
    topicConfigErrorCode: int16('5+', { tag: 0 }),
    numPartitions: int32('5+', { default: -1 }),
    replicationFactor: int16('5+', { default: -1 }),
    configs: array(
      '5+',
      {
        name: string('5+'),
        value: string('5+', { nullable: '5+' }),
        readOnly: bool('5+'),
        configSource: int8('5+', { default: -1 }),
        isSensitive: bool('5+'),
      },
      { nullable: '5+' },
    ),
  }),
};

type Wanted = MessageOf<typeof request>['topics'][number];
type TopicAnswer = MessageOf<typeof response>['topics'][number];

/** Makes topics; -1 stands for the broker's defaults. */
export const createTopics: Api = api(
  { key: 19, name: 'CreateTopics', versions: '2-7', flexible: '5+', request, response },
  async ({ topics, validateOnly }, context) => {
    const wanted = topics.map(newTopicOf);
    let created: readonly CreatedTopic[];
    try {
      created = await context.broker.createTopics(wanted, validateOnly);
    } catch (thrown) {
      const error = outcomeOf(thrown);
      created = wanted.map((topic) => ({ ...topic, error }));
    }
    return {
      throttleTimeMs: 0,
      topics: created.map((topic) => answerOf(topic, context)),
    };
  },
);

const newTopicOf = (topic: Wanted): NewTopic => ({
  name: topic.name,
  partitionCount: topic.numPartitions,
  replicationFactor: topic.replicationFactor,
  configs: topic.configs.map(({ name, value }) => ({ key: name, value })),
  ...(topic.assignments.length === 0
    ? {}
    : {
        replicaAssignments: topic.assignments.map(({ partitionIndex, brokerIds }) => ({
          partition: partitionIndex,
          replicas: brokerIds,
        })),
      }),
});

function answerOf(topic: CreatedTopic, { broker }: RequestContext): TopicAnswer {
  const { name, error, topicId, partitionCount, replicationFactor } = topic;
  if (error !== undefined) {
    return {
      ...nothing,
      name,
      ...errorFields(error),
    };
  }
  const made = topicId === undefined ? undefined : topicByName(broker.image, name);
  return {
    ...nothing,
    name,
    topicId: topicId === undefined ? NO_UUID : idBytes(topicId),
    numPartitions: partitionCount,
    replicationFactor,
    configs:
      made === undefined
        ? []
        : broker.describeConfigs(made).map(({ name: key, value, source }) => ({
            name: key,
            value,
            readOnly: false,
            configSource: configSourceOf(source),
            isSensitive: false,
          })),
  };
}

const nothing = {
  topicId: NO_UUID,
  errorCode: Errors.NONE.code,
  errorMessage: null,
  topicConfigErrorCode: Errors.NONE.code,
  numPartitions: -1,
  replicationFactor: -1,
  configs: [],
};
