import { controllerMethods } from '../../src/controller/controller-service.ts';
import { refuse } from '../../src/controller/refusal.ts';
import { brokerEpoch, nodeId, topicId } from '../../src/model/ids.ts';
import type { MessageCodec } from '../../src/rpc/method.ts';
import { messageTarget } from './message-targets.ts';
import type { Target } from './target.ts';

const id = topicId('AAAAAAAAAAAAAAAAAAAAAQ');
const m = controllerMethods;

/** What nodes of a cluster ask the active controller for, and an answer with much in it. */
export const controllerTargets: readonly Target[] = [
  target('controller CreateTopics', m.createTopics.request, {
    topics: [
      {
        ...{ name: 'a', partitionCount: -1, replicationFactor: -1 },
        configs: [{ key: 'k', value: null }],
        replicaAssignments: [{ partition: 0, replicas: [1, 2] }],
      },
      { name: 'b', partitionCount: 3, replicationFactor: 1, configs: { k: 'v' } },
    ],
    validateOnly: true,
  }),
  target('controller DeleteTopics', m.deleteTopics.request, [{ name: 'a' }, { topicId: id }]),
  target('controller CreatePartitions', m.createPartitions.request, {
    topics: [{ name: 'a', totalCount: 4, replicaAssignments: [[1, 2], [3]] }],
    validateOnly: false,
  }),
  target('controller AlterTopicConfigs', m.alterTopicConfigs.request, {
    topics: [
      { name: 'a', set: { k: 'v' }, unset: ['u'] },
      { name: 'b', operations: [{ key: 'k', operation: 'append', value: 'v' }] },
      { name: 'c', replacement: [{ key: 'k', value: 'v' }] },
    ],
    validateOnly: false,
  }),
  target('controller RegisterBroker', m.registerBroker.request, {
    ...{ nodeId: nodeId(1), incarnationId: 'i', directoryId: 'd', host: 'h', port: 1, rack: 'r' },
    listeners: [{ name: 'L', host: 'h', port: 9092, securityProtocol: 'SSL' }],
    features: [{ name: 'metadata.version', min: 1, max: 2 }],
    ...{ peerAddress: 'h:9093', isFenced: true, previousBrokerEpoch: brokerEpoch(7) },
  }),
  target('controller Heartbeat', m.heartbeat.request, {
    ...{ nodeId: nodeId(1), brokerEpoch: brokerEpoch(7), currentPosition: 12 },
    ...{ wantsFence: false, wantsShutdown: true },
  }),
  target('controller AllocateProducerIds', m.allocateProducerIds.request, 1000),
  target('controller RemoveVoter', m.removeVoter.request, { id: nodeId(3), force: true }),
  target('controller DeleteTopics answer', m.deleteTopics.response, [
    { name: 'a', topicId: id },
    { name: 'b', error: refuse('UNKNOWN_TOPIC_OR_PARTITION', 'there is no topic "b"') },
  ]),
];

function target<T>(name: string, codec: MessageCodec<T>, message: T): Target {
  return messageTarget(name, 1, { codec, messages: [message] });
}
