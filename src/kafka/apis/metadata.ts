import {
  isInternalTopic,
  type TopicImage,
  topicByName,
  topicsByName,
} from '../../metadata/image.ts';
import { type ErrorRow, Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { array, arrayOf, bool, int16, int32, type MessageOf, string, uuid } from '../fields.ts';
import { codeOf, outcomeOf } from '../kafka-errors.ts';
import { brokerOf } from '../node-endpoints.ts';
import type { RequestContext } from '../request-context.ts';
import {
  describePartition,
  idBytes,
  idText,
  isTopicId,
  reachableNodes,
  UNKNOWN_OPERATIONS,
  unknownTopicRow,
} from '../topics.ts';
import { INT32, NO_UUID } from '../wire-types.ts';

const request = {
  topics: array(
    '0+',
    { topicId: uuid('10+'), name: string('0+', { nullable: '10+' }) },
    { nullable: '1+' },
  ),
  allowAutoTopicCreation: bool('4+', { default: true }),
  includeClusterAuthorizedOperations: bool('8-10'),
  includeTopicAuthorizedOperations: bool('8+'),
};

const response = {
  throttleTimeMs: int32('3+'),
  brokers: array('0+', {
    nodeId: int32('0+'),
    host: string('0+'),
    port: int32('0+'),
    rack: string('1+', { nullable: '1+', default: null }),
  }),
  clusterId: string('2+', { nullable: '2+', default: null }),
  controllerId: int32('1+', { default: -1 }),
  topics: array('0+', {
    errorCode: int16('0+'),
    name: string('0+', { nullable: '12+' }),
    topicId: uuid('10+'),
    isInternal: bool('1+'),
    partitions: array('0+', {
      errorCode: int16('0+'),
      partitionIndex: int32('0+'),
      leaderId: int32('0+'),
      leaderEpoch: int32('7+', { default: -1 }),
      replicaNodes: arrayOf('0+', INT32),
      isrNodes: arrayOf('0+', INT32),
      offlineReplicas: arrayOf('5+', INT32),
    }),
    topicAuthorizedOperations: int32('8+', { default: UNKNOWN_OPERATIONS }),
  }),
  clusterAuthorizedOperations: int32('8-10', { default: UNKNOWN_OPERATIONS }),
};

type Request = MessageOf<typeof request>;
type Wanted = NonNullable<Request['topics']>[number];
type Topic = MessageOf<typeof response>['topics'][number];

const NULL_NAME_SINCE = 12;
/** Clients of older versions do not know LISTENER_NOT_FOUND. */
const LISTENER_NOT_FOUND_SINCE = 6;

/** Says which brokers there are, and who leads the partitions of which topics. */
export const metadata: Api = api(
  { key: 3, name: 'Metadata', versions: '0-12', flexible: '9+', request, response },
  async (given, context) => {
    const { broker } = context;
    const topics = await topicsOf(given, context);
    return {
      throttleTimeMs: 0,
      brokers: context.endpoints().map(brokerOf),
      clusterId: broker.clusterId,
      controllerId: broker.controllerId,
      topics,
      clusterAuthorizedOperations: UNKNOWN_OPERATIONS,
    };
  },
);

async function topicsOf(given: Request, context: RequestContext): Promise<Topic[]> {
  const { broker, version } = context;
  const wanted = given.topics;
  // Version 0 had no null: an empty array stood for all.
  const areAll = wanted === null || (version === 0 && wanted.length === 0);
  if (areAll) return topicsByName(broker.image).map(describing(context));
  const mayCreate = context.config.autoCreateTopics && given.allowAutoTopicCreation;
  const missing = wanted.flatMap(({ name, topicId }) =>
    name !== null && !isById({ topicId }) && topicByName(broker.image, name) === undefined
      ? [name]
      : [],
  );
  const refusals = mayCreate ? await create([...new Set(missing)], context) : new Map();
  // The metadata as it is after that.
  const describe = describing(context);
  return distinct(wanted).map(({ name, topicId }) => {
    if (name === null || isById({ topicId })) {
      const topic = broker.image.topics.get(idText(topicId));
      return topic === undefined
        ? unknown(version < NULL_NAME_SINCE ? '' : null, topicId, Errors.UNKNOWN_TOPIC_ID)
        : describe(topic);
    }
    const topic = topicByName(broker.image, name);
    if (topic !== undefined) return describe(topic);
    return unknown(name, NO_UUID, refusals.get(name) ?? unknownTopicRow(name));
  });
}

/** Who asks by id gives no name: some send null, Java an empty one. */
const isById = ({ topicId }: Pick<Wanted, 'topicId'>): boolean => isTopicId(topicId);

/** A topic is answered once, however often the request has it, as Kafka does. */
const distinct = (wanted: readonly Wanted[]): Wanted[] => [
  ...new Map(
    wanted.map((one) => [isById(one) ? ` ${idText(one.topicId)}` : one.name, one]),
  ).values(),
];

/** Makes topics with the defaults; those that it cannot make, with why. */
async function create(
  names: readonly string[],
  { broker }: RequestContext,
): Promise<Map<string, ErrorRow>> {
  if (names.length === 0) return new Map();
  const asDefault = { partitionCount: -1, replicationFactor: -1, configs: {} };
  try {
    const created = await broker.createTopics(
      names.map((name) => ({ name, ...asDefault })),
      false,
    );
    return new Map(
      created.flatMap(({ name, error }) =>
        error === undefined || error.row === Errors.TOPIC_ALREADY_EXISTS ? [] : [[name, error.row]],
      ),
    );
  } catch (error) {
    const { row } = outcomeOf(error);
    return new Map(names.map((name) => [name, row]));
  }
}

const unknown = (name: string | null, topicId: Uint8Array, row: ErrorRow): Topic => ({
  errorCode: codeOf(row),
  name,
  topicId,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: UNKNOWN_OPERATIONS,
});

function describing(context: RequestContext): (topic: TopicImage) => Topic {
  const reachable = reachableNodes(context);
  const isKnown = context.version >= LISTENER_NOT_FOUND_SINCE;
  const row = isKnown ? Errors.LISTENER_NOT_FOUND : Errors.LEADER_NOT_AVAILABLE;
  return ({ name, topicId, partitions }) => ({
    errorCode: Errors.NONE.code,
    name,
    topicId: idBytes(topicId),
    isInternal: isInternalTopic(name),
    partitions: partitions.map((each, index) => describePartition(each, index, reachable, row)),
    topicAuthorizedOperations: UNKNOWN_OPERATIONS,
  });
}
