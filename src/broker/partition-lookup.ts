import type { ErrorRow } from '../model/errors.ts';
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
