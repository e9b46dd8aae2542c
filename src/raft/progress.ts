import type { Member } from './configuration.ts';
import type { Entry, SnapshotMeta } from './entry.ts';
import { entryBytes } from './entry.ts';
import type { RaftConfig } from './raft-config.ts';

/** A message with entries that is not answered. */
interface InFlight {
  readonly lastIndex: number;
  readonly bytes: number;
}

/** A snapshot on its way to a follower, one piece at a time. */
export interface Transfer {
  readonly snapshot: SnapshotMeta;
  /** Where the piece begins that is being read or was sent. */
  offset: number;
  /** Its bytes are being read. */
  isLoading: boolean;
  /** Ticks since the piece was asked for. */
  ticks: number;
}

/**
 * What a leader knows of a follower's log.
 *
 * - `probe`: where the logs agree is not known; one message at a time, each waits for an answer.
 * - `replicate`: entries are sent ahead of the answers, within the limits of what may be in flight.
 * - `snapshot`: what the follower needs is gone from the log.
 */
export class Progress {
  readonly member: Member;
  readonly #config: RaftConfig;
  /** The follower has this durably as the leader has it; never falls, `< nextIndex`. */
  matchIndex = 0;
  /** The next entry to send. */
  nextIndex: number;
  /** The highest commit index that it was sent with entries. */
  sentCommitIndex = 0;
  /** It was heard of since the quorum was last checked. */
  isActive = true;
  /** Of a probe: its answer is waited for. */
  isPaused = false;
  #state: 'probe' | 'replicate' = 'probe';
  #transfer: Transfer | null = null;
  /** Oldest first; their indexes rise. */
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;

  constructor(member: Member, config: RaftConfig, nextIndex: number) {
    this.member = member;
    this.#config = config;
    this.nextIndex = nextIndex;
  }

  get state(): 'probe' | 'replicate' | 'snapshot' {
    return this.#transfer === null ? this.#state : 'snapshot';
  }

  get transfer(): Transfer | null {
    return this.#transfer;
  }

  /** Another message with entries may leave. */
  get hasRoom(): boolean {
    if (this.#transfer !== null) return false;
    if (this.#state === 'probe') return !this.isPaused;
    return (
      this.#inFlight.length < this.#config.inFlightMessagesMax &&
      this.#inFlightBytes < this.#config.inFlightBytesMax
    );
  }

  /** A message leaves, with these entries from `nextIndex` on. */
  sent(entries: readonly Entry[], commitIndex: number): void {
    this.sentCommitIndex = Math.max(this.sentCommitIndex, commitIndex);
    if (this.#state === 'probe') {
      this.isPaused = true;
      return;
    }
    const last = entries.at(-1);
    if (last === undefined) return;
    this.nextIndex = last.index + 1;
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    this.#inFlight.push({ lastIndex: last.index, bytes });
    this.#inFlightBytes += bytes;
  }

  /** Agrees up to `index`. True if that was not known. */
  matched(index: number): boolean {
    const answered = this.#inFlight.findIndex(({ lastIndex }) => lastIndex > index);
    const done = this.#inFlight.splice(0, answered < 0 ? this.#inFlight.length : answered);
    for (const { bytes } of done) this.#inFlightBytes -= bytes;
    if (index <= this.matchIndex) return false;
    this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    return true;
  }

  /** Does not have `prevIndex`. False if that is old news; otherwise the next is tried from `hintIndex` on. */
  refused(prevIndex: number, hintIndex: number): boolean {
    if (this.#transfer !== null || prevIndex <= this.matchIndex) return false;
    if (this.#state === 'replicate') {
      this.becomeProbe();
      return true;
    }
    if (prevIndex !== this.nextIndex - 1) return false;
    this.nextIndex = Math.max(this.matchIndex + 1, Math.min(prevIndex, hintIndex + 1));
    this.isPaused = false;
    return true;
  }

  becomeProbe(): void {
    this.#reset('probe');
    this.nextIndex = this.matchIndex + 1;
  }

  becomeReplicate(): void {
    this.#reset('replicate');
    this.nextIndex = this.matchIndex + 1;
  }

  becomeSnapshot(snapshot: SnapshotMeta): void {
    this.#reset('probe');
    this.#transfer = { snapshot, offset: 0, isLoading: true, ticks: 0 };
  }

  #reset(state: 'probe' | 'replicate'): void {
    this.#state = state;
    this.#transfer = null;
    this.isPaused = false;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }
}
