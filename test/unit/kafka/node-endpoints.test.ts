import { expect, test } from 'vitest';
import { brokerOf, leaderEndpoints } from '../../../src/kafka/node-endpoints.ts';
import type { RequestContext } from '../../../src/kafka/request-context.ts';

const endpointOf = (nodeId: number, rack = '') => ({
  nodeId,
  host: `host-${nodeId}`,
  port: 9092,
  rack,
});
const context = {
  endpoints: () => [1, 2, 3].map((id) => endpointOf(id)),
} as unknown as RequestContext;
const partition = (leaderId: number | null) => ({
  currentLeader: leaderId === null ? null : { leaderId },
});

test('each leader that an answer names is told once, and no other broker', () => {
  const produced = [
    { partitionResponses: [partition(3), partition(null)] },
    { partitionResponses: [partition(3), partition(1), partition(9)] },
  ];
  expect(leaderEndpoints(produced, context).map(({ nodeId }) => nodeId)).toEqual([1, 3]);
  const fetched = [{ partitions: [partition(2)] }];
  expect(leaderEndpoints(fetched, context)).toEqual([{ ...endpointOf(2), rack: null }]);
});

test('without a leader in the answer nobody is asked where brokers are', () => {
  const nobody = {
    endpoints: () => {
      throw new Error('asked');
    },
  } as unknown as RequestContext;
  expect(leaderEndpoints([{ partitions: [partition(null)] }], nobody)).toEqual([]);
});

test('no rack is null on the wire', () => {
  expect(brokerOf(endpointOf(1, 'r')).rack).toBe('r');
  expect(brokerOf(endpointOf(1)).rack).toBeNull();
});
