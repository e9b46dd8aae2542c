import { CorruptError } from '../codec/reader.ts';
import type { BrokerEpoch, NodeId, ProducerId } from '../model/ids.ts';
import type { MessageCodec, Method } from '../rpc/method.ts';
import {
  protoTypes,
  type RequestBudget,
  reflectedCodec,
  reflectedRequestCodec,
} from '../rpc/proto-codec.ts';
import type { ChangedTopic, DeletedTopic, NewPartitions, TopicChoice } from './change-topics.ts';
import type { ConfigChanges } from './config-changes.ts';
import * as codecs from './controller-codecs.ts';
import type * as messages from './controller-messages.ts';
import type { CreatedTopic, NewTopic } from './create-topics.ts';
import type { BrokerHeartbeat, HeartbeatAnswer } from './heartbeat.ts';
import type { QuorumDescription } from './quorum-api.ts';
import type { BrokerRegistration } from './register-broker.ts';

/** Topics of a request, and whether it is only to be checked. */
export interface Checked<T> {
  readonly topics: readonly T[];
  readonly validateOnly: boolean;
}

/** The calls of `varve.internal.v1.ControllerService`, in the words of `ControllerApi` and `QuorumApi`. */
export interface ControllerMethods {
  readonly createTopics: Method<Checked<NewTopic>, CreatedTopic[]>;
  readonly deleteTopics: Method<readonly TopicChoice[], DeletedTopic[]>;
  readonly createPartitions: Method<Checked<NewPartitions>, ChangedTopic[]>;
  readonly alterTopicConfigs: Method<Checked<ConfigChanges>, ChangedTopic[]>;
  readonly registerBroker: Method<BrokerRegistration, BrokerEpoch>;
  readonly heartbeat: Method<BrokerHeartbeat, HeartbeatAnswer>;
  readonly allocateProducerIds: Method<number, ProducerId>;
  readonly currentPosition: Method<void, number>;
  readonly describeQuorum: Method<void, QuorumDescription>;
  readonly addVoter: Method<NodeId, void>;
  readonly removeVoter: Method<{ readonly id: NodeId; readonly force: boolean }, void>;
  readonly transferLeadership: Method<NodeId, void>;
}

/** How a value is put into a message, and found in it. */
interface Mapping<T, Message> {
  to(value: T): Message;
  from(message: Message): T;
}

const MIB = 1024 * 1024;

/** The sender is a node of the cluster, and passes on what its doors have let in: ten thousand partitions placed by hand. */
const PEER_BUDGET: RequestBudget = {
  maxBytes: 4 * MIB,
  maxFields: 20_000,
  heapBytes: (messageBytes) => 4 * MIB + 16 * messageBytes,
};

const messageType = protoTypes('varve/internal/v1/controller.proto', 'varve.internal.v1');

const nothing: Mapping<void, Record<string, never>> = { to: () => ({}), from: () => undefined };

export const controllerMethods: ControllerMethods = {
  createTopics: method(
    'CreateTopics',
    checked<NewTopic, messages.NewTopic>(codecs.toNewTopic, codecs.fromNewTopic),
    topics<CreatedTopic, messages.CreatedTopic>(codecs.toCreatedTopic, codecs.fromCreatedTopic),
  ),
  deleteTopics: method(
    'DeleteTopics',
    {
      to: (choices: readonly TopicChoice[]): messages.DeleteTopicsRequest => ({ topics: choices }),
      from: (request) => request.topics.map(codecs.fromTopicChoice),
    },
    topics<DeletedTopic, messages.DeletedTopic>(codecs.toDeletedTopic, codecs.fromDeletedTopic),
  ),
  createPartitions: method(
    'CreatePartitions',
    checked<NewPartitions, messages.NewPartitions>(
      codecs.toNewPartitions,
      codecs.fromNewPartitions,
    ),
    topics<ChangedTopic, messages.ChangedTopic>(codecs.toChangedTopic, codecs.fromChangedTopic),
  ),
  alterTopicConfigs: method(
    'AlterTopicConfigs',
    checked<ConfigChanges, messages.ConfigChanges>(
      codecs.toConfigChanges,
      codecs.fromConfigChanges,
    ),
    topics<ChangedTopic, messages.ChangedTopic>(codecs.toChangedTopic, codecs.fromChangedTopic),
  ),
  registerBroker: method(
    'RegisterBroker',
    {
      to: (registration: BrokerRegistration): messages.RegisterBrokerRequest => registration,
      from: codecs.fromRegistration,
    },
    {
      to: (epoch: BrokerEpoch): messages.RegisterBrokerResponse => ({ brokerEpoch: epoch }),
      from: ({ brokerEpoch }) => codecs.brokerEpochOf(brokerEpoch),
    },
  ),
  heartbeat: method(
    'Heartbeat',
    { to: (beat: BrokerHeartbeat): messages.HeartbeatRequest => beat, from: codecs.fromHeartbeat },
    {
      to: (answer: HeartbeatAnswer): messages.HeartbeatResponse => answer,
      from: (answer) => answer,
    },
  ),
  allocateProducerIds: method(
    'AllocateProducerIds',
    {
      to: (count: number): messages.AllocateProducerIdsRequest => ({ count }),
      from: ({ count }) => {
        if (count < 1) throw new CorruptError(`${count} producer ids are asked for`);
        return count;
      },
    },
    {
      to: (first: ProducerId): messages.AllocateProducerIdsResponse => ({ firstProducerId: first }),
      from: ({ firstProducerId }) => codecs.producerIdOf(firstProducerId),
    },
  ),
  currentPosition: method('CurrentPosition', nothing, {
    to: (position: number): messages.CurrentPositionResponse => ({ position }),
    from: ({ position }) => codecs.fromZero(position, 'a position'),
  }),
  describeQuorum: method('DescribeQuorum', nothing, {
    to: codecs.toQuorumDescription,
    from: codecs.fromQuorumDescription,
  }),
  addVoter: method('AddVoter', node(), nothing),
  removeVoter: method(
    'RemoveVoter',
    {
      to: ({ id, force }: { readonly id: NodeId; readonly force: boolean }) =>
        ({ nodeId: id, force }) satisfies messages.RemoveVoterRequest,
      from: ({ nodeId, force }) => ({ id: codecs.nodeIdOf(nodeId), force }),
    },
    nothing,
  ),
  transferLeadership: method('TransferLeadership', node(), nothing),
};

/** The messages of a method are named after it; buf's lint holds the proto to that. */
function method<Request, RequestMessage extends object, Response, ResponseMessage extends object>(
  name: string,
  request: Mapping<Request, RequestMessage>,
  response: Mapping<Response, ResponseMessage>,
): Method<Request, Response> {
  return {
    path: `/varve.internal.v1.ControllerService/${name}`,
    request: mapped(
      request,
      reflectedRequestCodec<RequestMessage>(() => messageType(`${name}Request`), PEER_BUDGET),
    ),
    response: mapped(
      response,
      reflectedCodec<ResponseMessage>(() => messageType(`${name}Response`)),
    ),
  };
}

function mapped<T, Message>(
  { to, from }: Mapping<T, Message>,
  { encode, decode }: MessageCodec<Message>,
): MessageCodec<T> {
  return { encode: (value) => encode(to(value)), decode: (bytes) => from(decode(bytes)) };
}

function checked<T, Message>(
  to: (value: T) => Message,
  from: (message: Message) => T,
): Mapping<Checked<T>, Checked<Message>> {
  return {
    to: (request) => ({ topics: request.topics.map(to), validateOnly: request.validateOnly }),
    from: (request) => ({ topics: request.topics.map(from), validateOnly: request.validateOnly }),
  };
}

function topics<T, Message>(
  to: (value: T) => Message,
  from: (message: Message) => T,
): Mapping<T[], { readonly topics: readonly Message[] }> {
  return {
    to: (all) => ({ topics: all.map(to) }),
    from: (response) => response.topics.map(from),
  };
}

function node(): Mapping<NodeId, { readonly nodeId: number }> {
  return { to: (id) => ({ nodeId: id }), from: ({ nodeId }) => codecs.nodeIdOf(nodeId) };
}
