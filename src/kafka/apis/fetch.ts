import type { FetchAnswer, FetchQuestion } from '../../broker/fetch-once.ts';
import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import {
  array,
  arrayOf,
  int8,
  int16,
  int32,
  int64,
  type MessageOf,
  records,
  string,
  taggedStruct,
  uuid,
} from '../fields.ts';
import { codeOf } from '../kafka-errors.ts';
import { leaderEndpoints, nodeEndpoints } from '../node-endpoints.ts';
import type { RequestContext } from '../request-context.ts';
import { idText } from '../topics.ts';
import { INT32 } from '../wire-types.ts';

const request = {
  clusterId: string('12+', { nullable: '12+', tag: 0, default: null }),
  replicaId: int32('0-14', { default: -1 }),
  replicaState: taggedStruct(
    '15+',
    { replicaId: int32('15+', { default: -1 }), replicaEpoch: int64('15+', { default: -1 }) },
    1,
  ),
  maxWaitMs: int32('0+'),
  minBytes: int32('0+'),
  maxBytes: int32('3+', { default: 0x7fff_ffff }),
  isolationLevel: int8('4+'),
  sessionId: int32('7+'),
  sessionEpoch: int32('7+', { default: -1 }),
  topics: array('0+', {
    topic: string('0-12'),
    topicId: uuid('13+'),
    partitions: array('0+', {
      partition: int32('0+'),
      currentLeaderEpoch: int32('9+', { default: -1 }),
      fetchOffset: int64('0+'),
      lastFetchedEpoch: int32('12+', { default: -1 }),
      logStartOffset: int64('5+', { default: -1 }),
      partitionMaxBytes: int32('0+'),
      replicaDirectoryId: uuid('17+', { tag: 0 }),
    }),
  }),
  forgottenTopicsData: array('7+', {
    topic: string('7-12'),
    topicId: uuid('13+'),
    partitions: arrayOf('7+', INT32),
  }),
  rackId: string('11+'),
};

const response = {
  throttleTimeMs: int32('1+'),
  errorCode: int16('7+'),
  sessionId: int32('7+'),
  responses: array('0+', {
    topic: string('0-12'),
    topicId: uuid('13+'),
    partitions: array('0+', {
      partitionIndex: int32('0+'),
      errorCode: int16('0+'),
      highWatermark: int64('0+'),
      lastStableOffset: int64('4+', { default: -1 }),
      logStartOffset: int64('5+', { default: -1 }),
      divergingEpoch: taggedStruct(
        '12+',
        { epoch: int32('12+', { default: -1 }), endOffset: int64('12+', { default: -1 }) },
        0,
      ),
      currentLeader: taggedStruct(
        '12+',
        { leaderId: int32('12+', { default: -1 }), leaderEpoch: int32('12+', { default: -1 }) },
        1,
      ),
      snapshotId: taggedStruct(
        '12+',
        { endOffset: int64('0+', { default: -1 }), epoch: int32('0+', { default: -1 }) },
        2,
      ),
      abortedTransactions: array(
        '4+',
        { producerId: int64('4+'), firstOffset: int64('4+') },
        { nullable: '4+' },
      ),
      preferredReadReplica: int32('11+', { default: -1 }),
      records: records('0+', { nullable: '0+' }),
    }),
  }),
  nodeEndpoints: nodeEndpoints('16+'),
};

type Request = MessageOf<typeof request>;
type PartitionAnswer = MessageOf<typeof response>['responses'][number]['partitions'][number];

const IDS_SINCE = 13;
const STORAGE_ERROR_SINCE = 6;
const READ_COMMITTED = 1;
const NO_ID = new Uint8Array(0);
/** Epochs by which a client asks for all that it names, whatever session it was in: to begin one, or without. */
const FULL: ReadonlySet<number> = new Set([0, -1]);

/**
 * Reads whole batches, which leave as the bytes they are in the log. Every answer is a full one without
 * a session (KIP-227 allows it): clients go on asking for all of their partitions.
 */
export const fetch: Api = api(
  { key: 1, name: 'Fetch', versions: '4-17', flexible: '12+', request, response },
  async (given, context) => {
    if (!FULL.has(given.sessionEpoch)) return sessionUnknown;
    const { broker, config } = context;
    const questions = questionsOf(given, context);
    const fetching = broker.fetchOnce(questions, {
      minBytes: given.minBytes,
      maxBytes: Math.min(given.maxBytes, config.fetchMaxBytes),
      maxWaitMs: given.maxWaitMs,
    });
    context.whenClosed(() => fetching.cancel());
    const answers = await fetching.answered;
    // Nobody is there any more who would want them.
    if (answers.length < questions.length) return nothing;
    for (const { release } of answers) if (release !== undefined) context.whenSent(release);
    const isCommitted = given.isolationLevel === READ_COMMITTED;
    let next = 0;
    const responses = given.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) =>
        answerOf(partition, answers[next++]!, context.version, isCommitted),
      ),
    }));
    return { ...nothing, responses, nodeEndpoints: leaderEndpoints(responses, context) };
  },
);

const nothing = {
  throttleTimeMs: 0,
  errorCode: Errors.NONE.code,
  sessionId: 0,
  responses: [],
  nodeEndpoints: [],
};

const sessionUnknown = { ...nothing, errorCode: Errors.FETCH_SESSION_ID_NOT_FOUND.code };

function questionsOf({ topics }: Request, { broker, version }: RequestContext): FetchQuestion[] {
  return topics.flatMap(({ topic, topicId, partitions }) => {
    const hasId = version >= IDS_SINCE;
    // An id that no topic has is sent on without a name: whoever looks it up says so.
    const name = hasId ? (broker.image.topics.get(idText(topicId))?.name ?? '') : topic;
    return partitions.map(({ partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes }) => ({
      topic: name,
      partition,
      topicId: hasId ? topicId : NO_ID,
      leaderEpoch: currentLeaderEpoch,
      offset: fetchOffset,
      maxBytes: partitionMaxBytes,
    }));
  });
}

function answerOf(
  partitionIndex: number,
  { row, marks, batches, leaderId, leaderEpoch }: FetchAnswer,
  version: number,
  isCommitted: boolean,
): PartitionAnswer {
  const isOld = row === Errors.KAFKA_STORAGE_ERROR && version < STORAGE_ERROR_SINCE;
  return {
    partitionIndex,
    errorCode: codeOf(isOld ? Errors.NOT_LEADER_OR_FOLLOWER : row),
    highWatermark: marks?.highWatermark ?? -1,
    lastStableOffset: marks?.lastStableOffset ?? -1,
    logStartOffset: marks?.logStartOffset ?? -1,
    divergingEpoch: null,
    currentLeader: leaderId === -1 ? null : { leaderId, leaderEpoch },
    snapshotId: null,
    // No transaction was ever open, so none was aborted.
    abortedTransactions: isCommitted ? [] : null,
    preferredReadReplica: -1,
    records: batches,
  };
}
