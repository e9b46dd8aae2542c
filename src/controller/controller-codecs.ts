import { CorruptError } from '../codec/reader.ts';
import {
  type BrokerEpoch,
  brokerEpoch,
  type LeaderEpoch,
  leaderEpoch,
  NO_BROKER_EPOCH,
  type NodeId,
  nodeId,
  type ProducerId,
  producerId,
  type TopicId,
  topicId,
} from '../model/ids.ts';
import type { ErrorMessage } from '../rpc/admin-messages.ts';
import { fromErrorMessage, toErrorMessage } from '../rpc/error-message.ts';
import type { ChangedTopic, DeletedTopic, NewPartitions, TopicChoice } from './change-topics.ts';
import type { ConfigChanges, ConfigOperation, ConfigText } from './config-changes.ts';
import type * as messages from './controller-messages.ts';
import type { CreatedTopic, NewTopic } from './create-topics.ts';
import type { BrokerHeartbeat } from './heartbeat.ts';
import type { QuorumDescription, QuorumMember } from './quorum-api.ts';
import type { Refusal } from './refusal.ts';
import type { BrokerRegistration } from './register-broker.ts';
import type { ConfigTexts } from './topic-configs.ts';

// What the controller is asked and answers, as messages and back. What cannot be is a `CorruptError`.

export const toNewTopic = (topic: NewTopic): messages.NewTopic => ({
  name: topic.name,
  partitionCount: topic.partitionCount,
  replicationFactor: topic.replicationFactor,
  ...(isListed(topic.configs)
    ? { listed: toConfigList(topic.configs) }
    : { keyed: toConfigList(textsOf(topic.configs)) }),
  replicaAssignments: topic.replicaAssignments ?? [],
});

export const fromNewTopic = (topic: messages.NewTopic): NewTopic => ({
  name: topic.name,
  partitionCount: topic.partitionCount,
  replicationFactor: topic.replicationFactor,
  configs:
    topic.listed !== undefined
      ? fromConfigList(topic.listed)
      : keyed(topic.keyed === undefined ? [] : topic.keyed.configs),
  ...(topic.replicaAssignments.length === 0
    ? {}
    : { replicaAssignments: topic.replicaAssignments }),
});

export const toCreatedTopic = ({ error, ...topic }: CreatedTopic): messages.CreatedTopic => ({
  ...topic,
  error: toError(error),
});

export const fromCreatedTopic = (topic: messages.CreatedTopic): CreatedTopic => ({
  name: topic.name,
  ...errorOf(topic),
  ...topicIdIn(topic),
  partitionCount: topic.partitionCount,
  replicationFactor: topic.replicationFactor,
});

/** Both are kept if both are there: the controller says what it thinks of that. */
export function fromTopicChoice({ name, topicId: id }: messages.TopicChoice): TopicChoice {
  if (id === undefined) {
    if (name === undefined) throw new CorruptError('a topic has neither name nor id');
    return { name };
  }
  const topicId = topicIdOf(id);
  return name === undefined ? { topicId } : { name, topicId };
}

export const toDeletedTopic = ({ error, ...topic }: DeletedTopic): messages.DeletedTopic => ({
  ...topic,
  error: toError(error),
});

export const fromDeletedTopic = (topic: messages.DeletedTopic): DeletedTopic => ({
  name: topic.name,
  ...errorOf(topic),
  ...topicIdIn(topic),
});

export const toChangedTopic = ({ name, error }: ChangedTopic): messages.ChangedTopic => ({
  name,
  error: toError(error),
});

export const fromChangedTopic = (topic: messages.ChangedTopic): ChangedTopic => ({
  name: topic.name,
  ...errorOf(topic),
});

export function toNewPartitions(topic: NewPartitions): messages.NewPartitions {
  const { name, totalCount, replicaAssignments } = topic;
  if (replicaAssignments === undefined) return { name, totalCount };
  const partitions = replicaAssignments.map((replicas) => ({ replicas }));
  return { name, totalCount, replicaAssignments: { partitions } };
}

export function fromNewPartitions(topic: messages.NewPartitions): NewPartitions {
  const { name, totalCount, replicaAssignments } = topic;
  if (replicaAssignments === undefined) return { name, totalCount };
  const lists = replicaAssignments.partitions.map(({ replicas }) => replicas);
  return { name, totalCount, replicaAssignments: lists };
}

export function toConfigChanges(changes: ConfigChanges): messages.ConfigChanges {
  const { name } = changes;
  if ('operations' in changes) {
    const operations = changes.operations.map(({ key, operation, value }) => ({
      ...toConfigText({ key, value }),
      kind: kinds[operation],
    }));
    return { name, operations: { operations } };
  }
  if ('replacement' in changes) return { name, replacement: toConfigList(changes.replacement) };
  const { configs } = toConfigList(textsOf(changes.set));
  return { name, edit: { set: configs, unset: changes.unset } };
}

export function fromConfigChanges(changes: messages.ConfigChanges): ConfigChanges {
  const { name, edit, operations, replacement } = changes;
  if (operations !== undefined) {
    return { name, operations: operations.operations.map(fromConfigOperation) };
  }
  if (replacement !== undefined) return { name, replacement: fromConfigList(replacement) };
  if (edit === undefined) throw new CorruptError('the changes of a topic are missing');
  return { name, set: keyed(edit.set), unset: edit.unset };
}

export function fromRegistration({
  isFenced,
  ...registration
}: messages.RegisterBrokerRequest): BrokerRegistration {
  return {
    ...registration,
    ...(isFenced === undefined ? {} : { isFenced }),
    nodeId: nodeIdOf(registration.nodeId),
    previousBrokerEpoch: previousEpochOf(registration.previousBrokerEpoch),
  };
}

export const fromHeartbeat = (beat: messages.HeartbeatRequest): BrokerHeartbeat => ({
  ...beat,
  nodeId: nodeIdOf(beat.nodeId),
  brokerEpoch: brokerEpochOf(beat.brokerEpoch),
});

const previousEpochOf = (epoch: number): BrokerEpoch =>
  epoch === NO_BROKER_EPOCH ? NO_BROKER_EPOCH : brokerEpochOf(epoch);

export const toQuorumDescription = (
  description: QuorumDescription,
): messages.DescribeQuorumResponse => ({
  leaderId: description.leaderId ?? UNKNOWN,
  leaderEpoch: description.leaderEpoch,
  commitIndex: description.commitIndex,
  appliedIndex: description.appliedIndex,
  members: description.members.map(toQuorumMember),
});

export const fromQuorumDescription = (
  description: messages.DescribeQuorumResponse,
): QuorumDescription => ({
  leaderId: description.leaderId < 0 ? null : nodeIdOf(description.leaderId),
  leaderEpoch: leaderEpochOf(description.leaderEpoch),
  commitIndex: description.commitIndex,
  appliedIndex: description.appliedIndex,
  members: description.members.map(fromQuorumMember),
});

/** Of what a message tells; `make` asserts what must hold of it. */
export const nodeIdOf = (id: number): NodeId => nodeId(fromZero(id, 'a node id'));
export const leaderEpochOf = (epoch: number): LeaderEpoch =>
  leaderEpoch(fromZero(epoch, 'a leader epoch'));
export const brokerEpochOf = (epoch: number): BrokerEpoch =>
  brokerEpoch(fromZero(epoch, 'a broker epoch'));
export const producerIdOf = (id: number): ProducerId => producerId(fromZero(id, 'a producer id'));

export function fromZero(value: number, what: string): number {
  if (value < 0) throw new CorruptError(`${what} is ${value}`);
  return value;
}

/** Stands for what is not known. */
const UNKNOWN = -1;

const toQuorumMember = (member: QuorumMember): messages.QuorumMember => ({
  nodeId: member.nodeId,
  directoryId: member.directoryId,
  isVoter: member.role === 'voter',
  matchIndex: member.matchIndex ?? UNKNOWN,
  lag: member.lag ?? UNKNOWN,
  isHeardOf: member.isHeardOf,
});

const fromQuorumMember = (member: messages.QuorumMember): QuorumMember => ({
  nodeId: nodeIdOf(member.nodeId),
  directoryId: member.directoryId,
  role: member.isVoter ? 'voter' : 'learner',
  matchIndex: member.matchIndex < 0 ? null : member.matchIndex,
  lag: member.lag < 0 ? null : member.lag,
  isHeardOf: member.isHeardOf,
});

const kinds: Readonly<Record<ConfigOperation['operation'], messages.ConfigOperationKind>> = {
  set: 'CONFIG_OPERATION_KIND_SET',
  delete: 'CONFIG_OPERATION_KIND_DELETE',
  append: 'CONFIG_OPERATION_KIND_APPEND',
  subtract: 'CONFIG_OPERATION_KIND_SUBTRACT',
};

const operationOfKind = new Map(
  Object.entries(kinds).map(([operation, kind]) => [
    kind,
    operation as ConfigOperation['operation'],
  ]),
);

function fromConfigOperation({ key, kind, value }: messages.ConfigOperation): ConfigOperation {
  const operation = operationOfKind.get(kind);
  if (operation === undefined) throw new CorruptError('an operation on a setting is not known');
  return { key, operation, value: value ?? null };
}

const isListed = (configs: NewTopic['configs']): configs is readonly ConfigText[] =>
  Array.isArray(configs);

const textsOf = (texts: ConfigTexts): ConfigText[] =>
  Object.entries(texts).map(([key, value]) => ({ key, value }));

const toConfigText = ({ key, value }: ConfigText): messages.ConfigText =>
  value === null ? { key } : { key, value };

const toConfigList = (texts: readonly ConfigText[]): messages.ConfigList => ({
  configs: texts.map(toConfigText),
});

const fromConfigList = ({ configs }: messages.ConfigList): ConfigText[] =>
  configs.map(({ key, value }) => ({ key, value: value ?? null }));

/** No key of it is magic: `fromEntries` makes own properties only. */
const keyed = (texts: readonly messages.ConfigText[]): ConfigTexts =>
  Object.fromEntries(texts.map(({ key, value }) => [key, value ?? '']));

const toError = (error: Refusal | undefined): ErrorMessage | undefined =>
  error === undefined ? undefined : toErrorMessage(error.row, error.detail);

function errorOf({ error }: { readonly error?: ErrorMessage | undefined }): {
  readonly error?: Refusal;
} {
  if (error === undefined) return {};
  const { row, message: detail } = fromErrorMessage(error);
  return { error: { row, detail } };
}

const topicIdIn = ({
  topicId: id,
}: {
  readonly topicId?: string | undefined;
}): {
  readonly topicId?: TopicId;
} => (id === undefined ? {} : { topicId: topicIdOf(id) });

function topicIdOf(text: string): TopicId {
  if (/^[A-Za-z0-9_-]{22}$/.test(text)) return topicId(text);
  throw new CorruptError('a topic id is not 22 characters of base64url');
}
