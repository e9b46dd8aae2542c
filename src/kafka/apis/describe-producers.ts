import { type Api, api } from '../api.ts';
import { array, arrayOf, int16, int32, int64, string } from '../fields.ts';
import { codeOf, textOf } from '../kafka-errors.ts';
import { INT32 } from '../wire-types.ts';

const request = {
  topics: array('0+', { name: string('0+'), partitionIndexes: arrayOf('0+', INT32) }),
};

const response = {
  throttleTimeMs: int32('0+'),
  topics: array('0+', {
    name: string('0+'),
    partitions: array('0+', {
      partitionIndex: int32('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      activeProducers: array('0+', {
        producerId: int64('0+'),
        producerEpoch: int32('0+'),
        lastSequence: int32('0+', { default: -1 }),
        lastTimestamp: int64('0+', { default: -1 }),
        coordinatorEpoch: int32('0+'),
        currentTxnStartOffset: int64('0+', { default: -1 }),
      }),
    }),
  }),
};

/** Says what partitions know of their idempotent producers. */
export const describeProducers: Api = api(
  { key: 61, name: 'DescribeProducers', versions: '0', flexible: '0+', request, response },
  async ({ topics }, { broker }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      // However often a partition stands in the request: each answer may be long.
      partitions: [...new Set(partitionIndexes)].map((partitionIndex) => {
        const { row, detail, producers } = broker.describeProducers(name, partitionIndex);
        return {
          partitionIndex,
          errorCode: codeOf(row),
          errorMessage: textOf(row, detail),
          activeProducers: producers.map(({ lastTimestampMs, ...producer }) => ({
            ...producer,
            lastTimestamp: lastTimestampMs,
          })),
        };
      }),
    })),
  }),
);
