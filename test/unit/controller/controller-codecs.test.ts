import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import type { ConfigChanges } from '../../../src/controller/config-changes.ts';
import { controllerMethods as methods } from '../../../src/controller/controller-service.ts';
import type { NewTopic } from '../../../src/controller/create-topics.ts';
import { refuse } from '../../../src/controller/refusal.ts';
import {
  brokerEpoch,
  leaderEpoch,
  NO_BROKER_EPOCH,
  nodeId,
  topicId,
} from '../../../src/model/ids.ts';
import type { MessageCodec } from '../../../src/rpc/method.ts';
import { registrationOf } from '../../support/broker-registration.ts';

const id = topicId('AAAAAAAAAAAAAAAAAAAAAA');
const error = refuse('INVALID_CONFIG', 'x is not y');

const across = <T>({ encode, decode }: MessageCodec<T>, value: T): T => decode(encode(value));

test('new topics come across with their settings in either form, and their places', () => {
  const counts = { partitionCount: -1, replicationFactor: -1 };
  const topics: NewTopic[] = [
    { name: 'plain', partitionCount: 3, replicationFactor: 2, configs: {} },
    { name: 'keyed', ...counts, configs: { 'a.b': '1', empty: '' } },
    // Whatever the key is: it is the controller that refuses it.
    { name: 'odd', ...counts, configs: Object.fromEntries([['__proto__', 'x']]) },
    { name: 'none', ...counts, configs: [] },
    {
      ...{ name: 'listed', ...counts },
      configs: [
        { key: 'a', value: null },
        { key: 'a', value: '' },
      ],
    },
    {
      ...{ name: 'placed', ...counts, configs: {} },
      replicaAssignments: [
        { partition: 1, replicas: [2, 1] },
        { partition: 0, replicas: [] },
      ],
    },
  ];
  const request = { topics, validateOnly: true };
  const there = across(methods.createTopics.request, request);
  expect(there).toEqual(request);
  expect(Object.keys(there.topics[2]!.configs)).toEqual(['__proto__']);
});

test('topics are chosen by name, by id, or by both, as the request has it', () => {
  const choices = [{ name: 'a' }, { topicId: id }, { name: '', topicId: id }];
  expect(across(methods.deleteTopics.request, choices)).toEqual(choices);
});

test('further partitions come across, placed by hand or not', () => {
  const topics = [
    { name: 'a', totalCount: 3 },
    { name: 'b', totalCount: 3, replicaAssignments: [] },
    { name: 'c', totalCount: 3, replicaAssignments: [[1, 2], []] },
  ];
  const request = { topics, validateOnly: false };
  expect(across(methods.createPartitions.request, request)).toEqual(request);
});

test('changes of settings come across in their three forms', () => {
  const topics: ConfigChanges[] = [
    { name: 'a', set: { k: 'v' }, unset: ['u', 'u'] },
    { name: 'b', set: {}, unset: [] },
    {
      name: 'c',
      operations: (['set', 'delete', 'append', 'subtract'] as const).map((operation, i) => ({
        ...{ key: `k${i}`, operation, value: i === 1 ? null : `${i}` },
      })),
    },
    { name: 'd', replacement: [{ key: 'k', value: null }] },
  ];
  const request = { topics, validateOnly: false };
  expect(across(methods.alterTopicConfigs.request, request)).toEqual(request);
});

test('outcomes come across with their refusals', () => {
  const created = [
    { name: 'a', topicId: id, partitionCount: 1, replicationFactor: 1 },
    { name: 'b', error, partitionCount: -1, replicationFactor: -1 },
  ];
  expect(across(methods.createTopics.response, created)).toEqual(created);
  const deleted = [
    { name: 'a', topicId: id },
    { name: '', topicId: id, error },
    { name: 'b', error },
  ];
  expect(across(methods.deleteTopics.response, deleted)).toEqual(deleted);
  const changed = [{ name: 'a' }, { name: 'b', error }];
  expect(across(methods.createPartitions.response, changed)).toEqual(changed);
  expect(across(methods.alterTopicConfigs.response, changed)).toEqual(changed);
});

test('a registration comes across', () => {
  const registration = registrationOf(3, 'i', {
    listeners: [{ name: 'L', host: 'h', port: 9092, securityProtocol: 'SSL' }],
    peerAddress: 'h:9093',
    previousBrokerEpoch: brokerEpoch(7),
  });
  for (const one of [registration, { ...registration, previousBrokerEpoch: NO_BROKER_EPOCH }]) {
    expect(across(methods.registerBroker.request, one)).toEqual(one);
  }
  const { isFenced: _, ...unsaid } = registration;
  expect(across(methods.registerBroker.request, unsaid)).toEqual(unsaid);
  const beat = {
    ...{ nodeId: nodeId(3), brokerEpoch: brokerEpoch(7), currentPosition: 9 },
    ...{ wantsFence: true, wantsShutdown: false },
  };
  expect(across(methods.heartbeat.request, beat)).toEqual(beat);
  const answer = { isFenced: true, isCaughtUp: false, shouldShutdown: true };
  expect(across(methods.heartbeat.response, answer)).toEqual(answer);
});

test('the quorum comes across, with what is not known', () => {
  const member = { nodeId: nodeId(1), directoryId: 'd', role: 'voter', isHeardOf: true } as const;
  const description = {
    ...{ leaderId: nodeId(1), leaderEpoch: leaderEpoch(4), commitIndex: 9, appliedIndex: 8 },
    members: [
      { ...member, matchIndex: 9, lag: 0 },
      { ...member, role: 'learner' as const, matchIndex: null, lag: null, isHeardOf: false },
    ],
  };
  const { response } = methods.describeQuorum;
  expect(across(response, description)).toEqual(description);
  const leaderless = { ...description, leaderId: null };
  expect(across(response, leaderless)).toEqual(leaderless);
});

test('what cannot be is no message', () => {
  const refused = <T>({ encode, decode }: MessageCodec<T>, value: T): void => {
    const bytes = encode(value);
    expect(() => decode(bytes)).toThrow(CorruptError);
  };
  refused(methods.deleteTopics.request, [{} as never]);
  refused(methods.deleteTopics.request, [{ topicId: 'short' as never }]);
  refused(methods.allocateProducerIds.request, 0);
  refused(methods.allocateProducerIds.request, -5);
  refused(methods.addVoter.request, -1 as never);
  refused(methods.currentPosition.response, -1);
  refused(methods.registerBroker.response, -1 as never);
  const operations = [{ key: 'k', operation: 'grow', value: null }] as never;
  refused(methods.alterTopicConfigs.request, {
    ...{ topics: [{ name: 'a', operations }], validateOnly: false },
  });
  expect(() => methods.alterTopicConfigs.request.decode(new Uint8Array([0x0a, 0]))).toThrow(
    CorruptError,
  );
});
