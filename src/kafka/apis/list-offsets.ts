import type { OffsetResult, OffsetSpec } from '../../broker/offsets.ts';
import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { array, int8, int16, int32, int64, type MessageOf, string } from '../fields.ts';
import { codeOf } from '../kafka-errors.ts';
import { mapPartitions } from '../map-partitions.ts';
import type { RequestContext } from '../request-context.ts';

const request = {
  replicaId: int32('0+'),
  isolationLevel: int8('2+'),
  topics: array('0+', {
    name: string('0+'),
    partitions: array('0+', {
      partitionIndex: int32('0+'),
      currentLeaderEpoch: int32('4+', { default: -1 }),
      timestamp: int64('0+'),
    }),
  }),
  timeoutMs: int32('10+'),
};

const response = {
  throttleTimeMs: int32('2+'),
  topics: array('0+', {
    name: string('0+'),
    partitions: array('0+', {
      partitionIndex: int32('0+'),
      errorCode: int16('0+'),
      timestamp: int64('1+', { default: -1 }),
      offset: int64('1+', { default: -1 }),
      leaderEpoch: int32('4+', { default: -1 }),
    }),
  }),
};

type Question = MessageOf<typeof request>['topics'][number]['partitions'][number];
type PartitionAnswer = MessageOf<typeof response>['topics'][number]['partitions'][number];

/** Timestamps below 0 ask for offsets that no timestamp names. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
/** The first offset that is on the broker's own disks: all are. */
const EARLIEST_LOCAL = -4;
/** The last offset that is in tiered storage: there is none. */
const LATEST_TIERED = -5;

/** Since which version the special timestamps have a meaning. */
const SINCE: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
]);
const OFFSET_NOT_AVAILABLE_SINCE = 5;

/** Finds offsets: the ends of partitions, and the first record from a time on. */
export const listOffsets: Api = api(
  { key: 2, name: 'ListOffsets', versions: '1-10', flexible: '6+', request, response },
  async ({ topics }, context) => ({
    throttleTimeMs: 0,
    topics: await mapPartitions(topics, (topic, question) => answer(topic, question, context)),
  }),
);

const unanswered = (partitionIndex: number): PartitionAnswer => ({
  partitionIndex,
  errorCode: Errors.NONE.code,
  timestamp: -1,
  offset: -1,
  leaderEpoch: -1,
});

async function answer(
  topic: string,
  { partitionIndex, currentLeaderEpoch, timestamp }: Question,
  { broker, version }: RequestContext,
): Promise<PartitionAnswer> {
  const none = unanswered(partitionIndex);
  if (timestamp < 0 && !(version >= (SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY))) {
    return { ...none, errorCode: Errors.UNSUPPORTED_VERSION.code };
  }
  const result = await broker.listOffset(
    topic,
    partitionIndex,
    specOf(timestamp),
    currentLeaderEpoch,
  );
  const { offset, timestampMs, leaderEpoch } = result;
  if (timestamp === LATEST_TIERED) return { ...none, errorCode: codeOf(rowOf(result, version)) };
  return {
    ...none,
    errorCode: codeOf(rowOf(result, version)),
    timestamp: timestampMs,
    offset,
    leaderEpoch,
  };
}

function specOf(timestamp: number): OffsetSpec {
  if (timestamp === LATEST) return 'latest';
  if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL) return 'earliest';
  return timestamp === MAX_TIMESTAMP ? 'max-timestamp' : { timestampMs: timestamp };
}

/** Old clients do not know the newer row. */
const rowOf = ({ row }: OffsetResult, version: number) =>
  row === Errors.OFFSET_NOT_AVAILABLE && version < OFFSET_NOT_AVAILABLE_SINCE
    ? Errors.LEADER_NOT_AVAILABLE
    : row;
