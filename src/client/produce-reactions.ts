import { type ErrorName, Errors } from '../model/errors.ts';
import type { ErrorMessage } from '../rpc/admin-messages.ts';

/**
 * What a producer does with a batch that was refused:
 * - `retry`: sends it again after a while;
 * - `refresh`: asks who leads the partition, then sends it again;
 * - `sequence`: the broker does not know what came before: see `PartitionQueue.refused`;
 * - `split`: sends its records in two batches;
 * - `stored`: it was stored before: a success;
 * - `fail`: gives it up.
 */
export type ProduceReaction = 'retry' | 'refresh' | 'sequence' | 'split' | 'stored' | 'fail';

/** Kafka's clients react like this (Sender, `InvalidMetadataException`); what is not here goes by `retriable`. */
const reactions: ReadonlyMap<number, ProduceReaction> = new Map(
  (
    [
      ['UNKNOWN_TOPIC_OR_PARTITION', 'refresh'],
      ['LEADER_NOT_AVAILABLE', 'refresh'],
      ['NOT_LEADER_OR_FOLLOWER', 'refresh'],
      ['NETWORK_EXCEPTION', 'refresh'],
      ['KAFKA_STORAGE_ERROR', 'refresh'],
      ['FENCED_LEADER_EPOCH', 'refresh'],
      ['UNKNOWN_TOPIC_ID', 'refresh'],
      ['INCONSISTENT_TOPIC_ID', 'refresh'],
      ['BROKER_STOPPING', 'refresh'],
      ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'sequence'],
      ['UNKNOWN_PRODUCER_ID', 'sequence'],
      ['INVALID_PRODUCER_EPOCH', 'sequence'],
      ['MESSAGE_TOO_LARGE', 'split'],
      ['RECORD_LIST_TOO_LARGE', 'split'],
      ['DUPLICATE_SEQUENCE_NUMBER', 'stored'],
    ] satisfies [ErrorName, ProduceReaction][]
  ).map(([name, reaction]) => [Errors[name].code, reaction]),
);

export const reactionTo = (error: ErrorMessage): ProduceReaction =>
  reactions.get(error.code) ?? (error.retriable ? 'retry' : 'fail');

/**
 * Answers that a broker gives before it appends anything. After every other one the batch may be
 * stored: leadership, for one, is also lost while a batch that was appended waits to become safe.
 */
const appendedNothing: ReadonlySet<number> = new Set(
  (
    [
      'OFFSET_OUT_OF_RANGE',
      'CORRUPT_MESSAGE',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'MESSAGE_TOO_LARGE',
      'INVALID_TOPIC_EXCEPTION',
      'RECORD_LIST_TOO_LARGE',
      'NOT_ENOUGH_REPLICAS',
      'INVALID_REQUIRED_ACKS',
      'TOPIC_AUTHORIZATION_FAILED',
      'CLUSTER_AUTHORIZATION_FAILED',
      'INVALID_TIMESTAMP',
      'UNSUPPORTED_VERSION',
      'INVALID_REQUEST',
      'UNSUPPORTED_FOR_MESSAGE_FORMAT',
      'POLICY_VIOLATION',
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      'INVALID_PRODUCER_EPOCH',
      'INVALID_TXN_STATE',
      'UNKNOWN_PRODUCER_ID',
      'FENCED_LEADER_EPOCH',
      'UNKNOWN_LEADER_EPOCH',
      'UNSUPPORTED_COMPRESSION_TYPE',
      'INVALID_RECORD',
      'PRODUCER_FENCED',
      'UNKNOWN_TOPIC_ID',
      'INCONSISTENT_TOPIC_ID',
      'BROKER_OVERLOADED',
      'REQUEST_TOO_LARGE',
    ] satisfies ErrorName[]
  ).map((name) => Errors[name].code),
);

/** False if this answer says for certain that this attempt stored nothing. */
export const mayHaveStored = (error: ErrorMessage): boolean => !appendedNothing.has(error.code);
