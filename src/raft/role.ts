import type { LeaderEpoch } from '../model/ids.ts';
import type { Member } from './configuration.ts';
import type { RoleName } from './effects.ts';
import type { RaftMessage, VoteRequest } from './messages.ts';

/** What a node is in its epoch. Each role has only the fields that mean something in it. */
export interface Role {
  readonly name: RoleName;
  /** Who leads this epoch, as far as is known. */
  readonly leader: Member | null;
  /** A leader was heard of within the shortest election timeout, or this node is it. */
  readonly isLeaderAlive: boolean;
  tick(): void;
  /** A message of this node's epoch, other than a request for a vote. */
  step(from: Member, message: Exclude<RaftMessage, VoteRequest>): void;
  /** This node has given its vote to somebody. */
  voted(): void;
  /** More of the log is durable. */
  persisted(): void;
  /** Another role follows. */
  end(): void;
}

/** How a role ends. */
export interface Transitions {
  /** An epoch that is not older; a newer one is written down without a vote. */
  becomeFollower(epoch: LeaderEpoch, leader: Member | null): void;
  /** Asks whether it would be elected. */
  becomePreCandidate(): void;
  /** Begins a new epoch with a vote for itself. */
  becomeCandidate(isTransfer: boolean): void;
  becomeLeader(): void;
}
