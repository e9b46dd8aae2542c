import type { ChangedTopic } from '../../controller/change-topics.ts';
import { type Api, api } from '../api.ts';
import { array, arrayOf, bool, int16, int32, string } from '../fields.ts';
import { errorFields, outcomeOf } from '../kafka-errors.ts';
import { INT32 } from '../wire-types.ts';

const request = {
  topics: array('0+', {
    name: string('0+'),
    count: int32('0+'),
    assignments: array('0+', { brokerIds: arrayOf('0+', INT32) }, { nullable: '0+' }),
  }),
  timeoutMs: int32('0+'),
  validateOnly: bool('0+'),
};

const response = {
  throttleTimeMs: int32('0+'),
  results: array('0+', {
    name: string('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
  }),
};

/** Gives topics more partitions. */
export const createPartitions: Api = api(
  { key: 37, name: 'CreatePartitions', versions: '0-3', flexible: '2+', request, response },
  async ({ topics, validateOnly }, { broker }) => {
    const wanted = topics.map(({ name, count, assignments }) => ({
      name,
      totalCount: count,
      ...(assignments === null
        ? {}
        : { replicaAssignments: assignments.map(({ brokerIds }) => brokerIds) }),
    }));
    let changed: readonly ChangedTopic[];
    try {
      changed = await broker.createPartitions(wanted, validateOnly);
    } catch (thrown) {
      const error = outcomeOf(thrown);
      changed = wanted.map(({ name }) => ({ name, error }));
    }
    return {
      throttleTimeMs: 0,
      results: changed.map(({ name, error }) => ({
        name,
        ...errorFields(error),
      })),
    };
  },
);
