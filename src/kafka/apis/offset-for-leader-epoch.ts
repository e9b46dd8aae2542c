import { type Api, api } from '../api.ts';
import { array, int16, int32, int64, string } from '../fields.ts';
import { codeOf } from '../kafka-errors.ts';

const request = {
  replicaId: int32('3+', { default: -2 }),
  topics: array('0+', {
    topic: string('0+'),
    partitions: array('0+', {
      partition: int32('0+'),
      currentLeaderEpoch: int32('2+', { default: -1 }),
      leaderEpoch: int32('0+'),
    }),
  }),
};

const response = {
  throttleTimeMs: int32('2+'),
  topics: array('0+', {
    topic: string('0+'),
    partitions: array('0+', {
      errorCode: int16('0+'),
      partition: int32('0+'),
      leaderEpoch: int32('1+', { default: -1 }),
      endOffset: int64('0+', { default: -1 }),
    }),
  }),
};

/** Says where the records of a leader epoch end: how a reader finds out that its log was cut (KIP-320). */
export const offsetForLeaderEpoch: Api = api(
  { key: 23, name: 'OffsetForLeaderEpoch', versions: '2-4', flexible: '4+', request, response },
  async ({ topics }, { broker }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const end = broker.offsetForLeaderEpoch(topic, partition, currentLeaderEpoch, leaderEpoch);
        return {
          errorCode: codeOf(end.row),
          partition,
          leaderEpoch: end.leaderEpoch,
          endOffset: end.endOffset,
        };
      }),
    })),
  }),
);
