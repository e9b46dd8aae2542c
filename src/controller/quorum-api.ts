import type { LeaderEpoch, NodeId } from '../model/ids.ts';

/** The metadata quorum as one node sees it. */
export interface QuorumDescription {
  /** `null` if the node that tells of it knows none; then the rest is what it knows by itself. */
  readonly leaderId: NodeId | null;
  readonly leaderEpoch: LeaderEpoch;
  /** The last entry of the log that is committed. */
  readonly commitIndex: number;
  /** The last that the node which tells of it has applied. */
  readonly appliedIndex: number;
  /** Voters first, each in the order of their ids. */
  readonly members: readonly QuorumMember[];
}

export interface QuorumMember {
  readonly nodeId: NodeId;
  readonly directoryId: string;
  /** A learner is sent the log and does not vote. */
  readonly role: 'voter' | 'learner';
  /** The last entry that it is known to have durably; `null` if not known, as only the leader knows. */
  readonly matchIndex: number | null;
  /** How many entries it lacks. */
  readonly lag: number | null;
  /** It was heard of since the leader last asked itself so, about an election timeout ago; or it tells of it itself. */
  readonly isHeardOf: boolean;
}

/** Administration of the metadata quorum, which its leader does. Rejects with `ApiError`, as `ControllerApi`. */
export interface QuorumApi {
  describe(): Promise<QuorumDescription>;
  /**
   * Makes an observer a voter. Waits a while until it runs as one and has caught up. Done already if it is one.
   *
   * @throws ApiError VOTER_NOT_FOUND if nothing runs under that id, REQUEST_TIMED_OUT if it lags behind
   */
  addVoter(id: NodeId): Promise<void>;
  /**
   * Takes a member out: a voter, or an observer.
   *
   * @param force also if those that answer are no majority of the voters that remain
   * @throws ApiError VOTER_NOT_FOUND, or INVALID_REQUEST for the last voter and for what needs force
   */
  removeVoter(id: NodeId, force: boolean): Promise<void>;
  /**
   * Makes another voter the leader. Done already if it is.
   *
   * @throws ApiError VOTER_NOT_FOUND, or REQUEST_TIMED_OUT if it does not take over in time
   */
  transferLeadership(to: NodeId): Promise<void>;
}
