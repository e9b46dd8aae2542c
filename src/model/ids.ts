import { assert } from './assert.ts';

/**
 * Identifiers as branded numbers (DESIGN D12): a plain number is not an `Offset`, an `Offset` is
 * not a `LeaderEpoch`, and none of it costs anything at run time. All are safe integers; decoders
 * refuse what is not.
 */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Position of a record in a partition, from 0. */
export type Offset = Brand<number, 'Offset'>;
/** How often a partition has changed its leader; -1 means unknown. */
export type LeaderEpoch = Brand<number, 'LeaderEpoch'>;
/** Identity of an idempotent producer; -1 means none. */
export type ProducerId = Brand<number, 'ProducerId'>;
/** Number of a broker or voter in its cluster. */
export type NodeId = Brand<number, 'NodeId'>;
/** Incarnation of a broker: the metadata position of its registration. */
export type BrokerEpoch = Brand<number, 'BrokerEpoch'>;
/** A 128-bit id of a topic as Kafka prints it: 22 characters of base64url. */
export type TopicId = Brand<string, 'TopicId'>;

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

export function offset(n: number): Offset {
  assert(isCount(n), 'an offset is a safe integer from 0');
  return n as Offset;
}

export function leaderEpoch(n: number): LeaderEpoch {
  assert(Number.isSafeInteger(n) && n >= -1, 'a leader epoch is a safe integer from -1');
  return n as LeaderEpoch;
}

export function producerId(n: number): ProducerId {
  assert(Number.isSafeInteger(n) && n >= -1, 'a producer id is a safe integer from -1');
  return n as ProducerId;
}

export function nodeId(n: number): NodeId {
  assert(isCount(n), 'a node id is a safe integer from 0');
  return n as NodeId;
}

export function brokerEpoch(n: number): BrokerEpoch {
  assert(Number.isSafeInteger(n) && n >= -1, 'a broker epoch is a safe integer from -1');
  return n as BrokerEpoch;
}

export function topicId(text: string): TopicId {
  assert(/^[A-Za-z0-9_-]{22}$/.test(text), 'a topic id is 22 characters of base64url');
  return text as TopicId;
}

/** The offset `count` records after `from`. */
export const offsetAfter = (from: Offset, count: number): Offset => offset(from + count);

/** No producer: the batch is not idempotent. */
export const NO_PRODUCER_ID: ProducerId = producerId(-1);
/** The leader epoch is not known. */
export const NO_LEADER_EPOCH: LeaderEpoch = leaderEpoch(-1);

/** A broker that has never registered. */
export const NO_BROKER_EPOCH: BrokerEpoch = brokerEpoch(-1);

/** A partition by the name of its topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic-3`: how a partition is named in folders, logs and messages. */
export const partitionName = (tp: TopicPartition): string => `${tp.topic}-${tp.partition}`;
