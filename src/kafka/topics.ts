import { checkTopicName } from '../controller/topic-name.ts';
import type { PartitionImage } from '../metadata/image.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import type { TopicId } from '../model/ids.ts';
import type { RequestContext } from './request-context.ts';

/** Nobody has asked, or there is nobody to ask, what the client is allowed to do. */
export const UNKNOWN_OPERATIONS: number = -2_147_483_648;

/** A topic id as its text, which is how metadata knows it. */
export const idText = (bytes: Uint8Array): TopicId =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url') as TopicId;

/** A topic id as the 16 bytes that messages carry. */
export const idBytes = (id: TopicId): Uint8Array => new Uint8Array(Buffer.from(id, 'base64url'));

/** Whether a message names a topic by its id: all zeros stand for none. */
export const isTopicId = (bytes: Uint8Array): boolean => bytes.some((byte) => byte !== 0);

/** Why there is no topic of that name. */
export const unknownTopicRow = (name: string): ErrorRow =>
  checkTopicName(name)?.row ?? Errors.UNKNOWN_TOPIC_OR_PARTITION;

/** What messages say of a partition. */
export interface PartitionDescription {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/**
 * @param reachable the brokers that the client is told of: it could make nothing of any other leader
 * @param unreachableRow what is said of a leader that has no listener like that of the client
 */
export function describePartition(
  { leader, leaderEpoch, replicas, isr }: PartitionImage,
  partitionIndex: number,
  reachable: ReadonlySet<number>,
  unreachableRow: ErrorRow = Errors.LEADER_NOT_AVAILABLE,
): PartitionDescription {
  const isReachable = leader !== null && reachable.has(leader);
  const absentRow = leader === null ? Errors.LEADER_NOT_AVAILABLE : unreachableRow;
  return {
    errorCode: (isReachable ? Errors.NONE : absentRow).code,
    partitionIndex,
    leaderId: isReachable ? leader : -1,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: replicas.filter((node) => !reachable.has(node)),
  };
}

/** The ids of the brokers that a client is told of. */
export const reachableNodes = ({ endpoints }: RequestContext): ReadonlySet<number> =>
  new Set(endpoints().map(({ nodeId }) => nodeId));
