import { type ErrorRow, Errors } from '../model/errors.ts';
import type { LeaderEpoch, NodeId } from '../model/ids.ts';
import type { Partition } from '../replication/partition.ts';

/** Why a request for a partition is refused, and who to ask instead. */
export interface PartitionRefusal {
  readonly row: ErrorRow;
  readonly detail: string;
  /** The node that leads the partition; -1 if not known. */
  readonly leaderId: NodeId | -1;
  /** The current leader epoch; -1 if not known. */
  readonly leaderEpoch: LeaderEpoch;
}

/** What a client may say of a partition to be protected against mixing things up. */
export interface PartitionClaim {
  readonly topic: string;
  readonly partition: number;
  /** 16 bytes, or empty for "whatever topic has that name". */
  readonly topicId: Uint8Array;
  /** -1 for "whatever epoch it is". */
  readonly leaderEpoch: number;
}

/** Finds the partitions that this broker leads. */
export type PartitionLookup = (
  claim: PartitionClaim,
) => { readonly partition: Partition } | { readonly refusal: PartitionRefusal };

/**
 * The row for who reads through a leader, as Kafka's brokers give it: only metadata says
 * LEADER_NOT_AVAILABLE, and Kafka's own reader dies of it elsewhere.
 */
export const readerRow = (row: ErrorRow): ErrorRow =>
  row === Errors.LEADER_NOT_AVAILABLE ? Errors.NOT_LEADER_OR_FOLLOWER : row;
