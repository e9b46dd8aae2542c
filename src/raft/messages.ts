import type { LeaderEpoch } from '../model/ids.ts';
import { isPossible } from './configuration.ts';
import type { Entry, Position, SnapshotMeta } from './entry.ts';

/** Asks for a vote (paper 5.2), or whether one would be given (pre-vote, thesis 9.6). */
export interface VoteRequest {
  readonly kind: 'vote';
  /** The epoch to be led; of a pre-vote nobody is in it yet. */
  readonly epoch: LeaderEpoch;
  readonly isPreVote: boolean;
  /** The leader itself asked for this election: it is no reason to refuse (thesis 4.2.3). */
  readonly isTransfer: boolean;
  /** The end of the candidate's log. */
  readonly last: Position;
}

export interface VoteAnswer {
  readonly kind: 'vote-answer';
  /** That of the request if granted, otherwise the answering node's own. */
  readonly epoch: LeaderEpoch;
  readonly isPreVote: boolean;
  readonly isGranted: boolean;
}

/** Entries that follow `prev` in the leader's log (paper 5.3). */
export interface Append {
  readonly kind: 'append';
  readonly epoch: LeaderEpoch;
  readonly prev: Position;
  readonly entries: readonly Entry[];
  readonly commitIndex: number;
}

/** The follower's log is that of the leader up to `matchIndex`, durably. */
export interface AppendAnswer {
  readonly kind: 'append-answer';
  readonly epoch: LeaderEpoch;
  readonly matchIndex: number;
}

/** The follower does not have `prevIndex` as the leader has it. */
export interface AppendRefusal {
  readonly kind: 'append-refusal';
  readonly epoch: LeaderEpoch;
  readonly prevIndex: number;
  /** Where in the follower's log the leader's may still agree; no later place does (paper 5.3, end). */
  readonly hint: Position;
}

export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly epoch: LeaderEpoch;
  /** Not beyond what this follower is known to have. */
  readonly commitIndex: number;
  /** The newest round of reads; 0 before the first (thesis 6.4). */
  readonly round: number;
}

/** Also the answer to a leader of an epoch that is over, with the newer epoch. */
export interface HeartbeatAnswer {
  readonly kind: 'heartbeat-answer';
  readonly epoch: LeaderEpoch;
  readonly round: number;
}

/** A piece of a snapshot (paper 7). */
export interface SnapshotChunk {
  readonly kind: 'snapshot-chunk';
  readonly epoch: LeaderEpoch;
  readonly snapshot: SnapshotMeta;
  /** Where in the snapshot the bytes stand. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Which piece comes next. A snapshot that is complete, or not needed, is told by an `append-answer`. */
export interface SnapshotAnswer {
  readonly kind: 'snapshot-answer';
  readonly epoch: LeaderEpoch;
  readonly snapshotIndex: number;
  readonly nextOffset: number;
}

/** To campaign at once (thesis 3.10). */
export interface TimeoutNow {
  readonly kind: 'timeout-now';
  readonly epoch: LeaderEpoch;
}

/** What only a leader of its epoch sends on its own. */
export type LeaderMessage = Append | Heartbeat | SnapshotChunk;

export type RaftMessage =
  | VoteRequest
  | VoteAnswer
  | LeaderMessage
  | AppendAnswer
  | AppendRefusal
  | HeartbeatAnswer
  | SnapshotAnswer
  | TimeoutNow;

/** Stored as an int32. */
export const MAX_EPOCH = 0x7fff_ffff;

export const isFromLeader = (message: RaftMessage): message is LeaderMessage =>
  message.kind === 'append' || message.kind === 'heartbeat' || message.kind === 'snapshot-chunk';

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isEpoch = (value: number): boolean => isCount(value) && value <= MAX_EPOCH;
const isPosition = ({ index, epoch }: Position): boolean => isCount(index) && isEpoch(epoch);

/** False for what no node sends that works: the core does not look at it further. */
export function isWellFormed(message: RaftMessage): boolean {
  if (!isEpoch(message.epoch)) return false;
  switch (message.kind) {
    case 'vote':
      // The epochs of a log never exceed that of its node.
      return isPosition(message.last) && message.last.epoch < message.epoch;
    case 'append':
      return isCount(message.commitIndex) && isRun(message);
    case 'append-answer':
      return isCount(message.matchIndex);
    case 'append-refusal':
      return isCount(message.prevIndex) && isPosition(message.hint);
    case 'heartbeat':
      return isCount(message.commitIndex) && isCount(message.round);
    case 'heartbeat-answer':
      return isCount(message.round);
    case 'snapshot-chunk':
      return isSnapshot(message.snapshot, message.epoch) && isCount(message.offset);
    case 'snapshot-answer':
      return isCount(message.snapshotIndex) && isCount(message.nextOffset);
    case 'vote-answer':
    case 'timeout-now':
      return true;
  }
}

/** Indexes without a gap, epochs that do not fall and do not exceed the leader's. */
function isRun({ epoch, prev, entries }: Append): boolean {
  if (!isPosition(prev)) return false;
  let before = prev;
  for (const entry of entries) {
    if (!isPosition(entry) || entry.index !== before.index + 1) return false;
    if (entry.epoch < before.epoch) return false;
    if (entry.kind === 'configuration' && !isPossible(entry.configuration)) return false;
    before = entry;
  }
  return before.epoch <= epoch;
}

const isSnapshot = (snapshot: SnapshotMeta, epoch: LeaderEpoch): boolean =>
  isPosition(snapshot.last) &&
  snapshot.last.index > 0 &&
  snapshot.last.epoch <= epoch &&
  isCount(snapshot.configurationIndex) &&
  snapshot.configurationIndex <= snapshot.last.index &&
  isPossible(snapshot.configuration);
