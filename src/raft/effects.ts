import type { LeaderEpoch } from '../model/ids.ts';
import type { ChangeRefusal, Member } from './configuration.ts';
import type { Entry, HardState, Position, SnapshotMeta } from './entry.ts';
import type { RaftMessage } from './messages.ts';

export type RoleName = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/**
 * To be written after all that was asked for before, as one synced batch, in this order: hard state,
 * deletion, entries or chunk. `persisted(sequence)` says that it is durable, and all before it.
 */
export interface Persist {
  readonly kind: 'persist';
  /** 1, 2, 3, … in the life of a node. */
  readonly sequence: number;
  readonly hardState: HardState | null;
  /** This entry and all behind it are deleted before `entries` are written. */
  readonly truncateFrom: number | null;
  readonly entries: readonly Entry[];
  /**
   * A piece of a snapshot; one at offset 0 takes the place of what was received before. With the last
   * piece, in the same batch, the snapshot takes the place of the whole log.
   */
  readonly chunk: ReceivedChunk | null;
}

export interface ReceivedChunk {
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Why a message was passed over. */
export type IgnoreReason =
  /** Nobody that works sends it: a broken or hostile peer. */
  | 'impossible'
  /** Of an epoch that is over. */
  | 'stale'
  /** To a directory that this node does not have (any more). */
  | 'wrong-directory'
  /** An answer of somebody who is no member, or no longer. */
  | 'unknown-sender'
  /** A candidate while there is a leader. */
  | 'leader-alive'
  /** Nothing here waits for it: late, twice, or for another role. */
  | 'unexpected';

export type RaftEffect =
  | Persist
  | { readonly kind: 'send'; readonly to: Member; readonly message: RaftMessage }
  /** Committed and durable here; each index once in the life of a node, in order. */
  | { readonly kind: 'apply'; readonly entries: readonly Entry[] }
  /** The state machine is to be loaded from the snapshot that was just made durable; entries behind it follow. */
  | { readonly kind: 'restore'; readonly snapshot: SnapshotMeta }
  /** Entries up to here may be deleted from the disk; needs no sync, and may be done at any time. */
  | { readonly kind: 'forget'; readonly throughIndex: number }
  /** A state that has at least `index` applied may answer the read. */
  | { readonly kind: 'read-ready'; readonly requestId: number; readonly index: number }
  /** The leadership ended first: ask again, perhaps elsewhere. */
  | { readonly kind: 'read-failed'; readonly requestId: number }
  /**
   * A piece of a snapshot is to be read, of at most `bytesMax`, and given to `chunkLoaded`: `null` if the
   * snapshot is gone, or ends before `offset`, as only a broken follower asks for.
   */
  | {
      readonly kind: 'load-chunk';
      readonly to: Member;
      readonly snapshot: SnapshotMeta;
      readonly offset: number;
      readonly bytesMax: number;
    }
  /**
   * Another role, epoch or leader. After `leader` something else means: what was proposed and not yet
   * applied may still be committed or not, and nobody will say so but the log itself.
   */
  | {
      readonly kind: 'became';
      readonly role: RoleName;
      readonly epoch: LeaderEpoch;
      readonly leader: Member | null;
    }
  /** The transfer took too long; this node goes on leading. */
  | { readonly kind: 'transfer-given-up'; readonly to: Member }
  | { readonly kind: 'ignored'; readonly from: Member; readonly reason: IgnoreReason };

/** Why something asked of a node is not done; nothing has changed. */
export type RefusalReason =
  | ChangeRefusal
  | 'not-leader'
  /** The leadership is being handed over. */
  | 'transferring'
  /** Too many bytes are not committed: come back later. */
  | 'too-much-uncommitted'
  /** Another change of members is not committed. */
  | 'change-in-progress'
  /** The leader has not committed anything in its epoch (the 2015 correction of thesis 4.1). */
  | 'epoch-not-committed'
  /** The learner lacks what was committed when the last heartbeat left. */
  | 'not-caught-up';

export interface Accepted {
  readonly refused: null;
  /** The end of the log: of what was proposed, the last entry. */
  readonly last: Position;
  readonly effects: readonly RaftEffect[];
}

export interface Refused {
  readonly refused: RefusalReason;
  /** Who leads, as far as is known. */
  readonly leader: Member | null;
}

export type Outcome = Accepted | Refused;
