import { assert } from '../model/assert.ts';
import type { LeaderEpoch } from '../model/ids.ts';
import { isVoter, type Member, memberOf, sameMember } from './configuration.ts';
import type { IgnoreReason, RaftEffect } from './effects.ts';
import type { HardState, SnapshotMeta, StoredState } from './entry.ts';
import { MAX_EPOCH, type RaftMessage } from './messages.ts';
import { PendingWrites } from './pending-writes.ts';
import type { RaftConfig } from './raft-config.ts';
import { RaftLog } from './raft-log.ts';

/** What a node has in every role, and the effects that come together during a call. */
export class NodeContext {
  readonly self: Member;
  readonly config: RaftConfig;
  readonly log: RaftLog;
  readonly writes: PendingWrites;
  readonly #random: () => number;
  #hardState: HardState;
  /** Committed, as far as this node knows; `<= log.last.index`, never falls. */
  #commitIndex: number;
  /** Handed to the state machine; `<=` committed and durable. */
  #handedIndex: number;
  #effects: RaftEffect[] = [];

  constructor(self: Member, config: RaftConfig, stored: StoredState, random: () => number) {
    this.self = self;
    this.config = config;
    this.log = new RaftLog(stored.snapshot, stored.entries);
    this.writes = new PendingWrites(this.log.last.index);
    this.#random = random;
    this.#hardState = stored.hardState;
    assert(this.log.last.epoch <= stored.hardState.epoch, 'the hard state is not behind the log');
    // A snapshot holds committed entries only; what else is committed is learnt anew.
    this.#commitIndex = this.log.base.index;
    this.#handedIndex = this.log.base.index;
  }

  get epoch(): LeaderEpoch {
    return this.#hardState.epoch;
  }

  get votedFor(): Member | null {
    return this.#hardState.votedFor;
  }

  get commitIndex(): number {
    return this.#commitIndex;
  }

  get handedIndex(): number {
    return this.#handedIndex;
  }

  /** By chance from the shortest election timeout up to twice that (paper 5.2). */
  drawElectionTicks(): number {
    const { electionTicks } = this.config;
    return electionTicks + Math.floor(this.#random() * electionTicks);
  }

  /** It is the only member; learners would be sent what it leads with. */
  get isAlone(): boolean {
    const { voters, learners } = this.log.configuration;
    return voters.length + learners.length === 1 && isVoter(this.log.configuration, this.self);
  }

  /** The members know this node's id with another memory than its own: it has lost what it promised. */
  get isImpostor(): boolean {
    const known = memberOf(this.log.configuration, this.self.id);
    return known !== undefined && !sameMember(known, this.self);
  }

  /**
   * A voter. Also one whose removal it has in its log and does not know to be committed: the others
   * may need it to elect anybody at all (thesis 4.2.2 and its figure 4.6).
   */
  get mayCampaign(): boolean {
    const { log, self } = this;
    if (this.epoch === MAX_EPOCH) return false;
    if (isVoter(log.configuration, self)) return true;
    const isOpen = log.configurationIndex > this.#commitIndex;
    return isOpen && isVoter(log.previousConfiguration, self);
  }

  push(effect: RaftEffect): void {
    this.#effects.push(effect);
  }

  send(to: Member, message: RaftMessage): void {
    this.push({ kind: 'send', to, message });
  }

  /**
   * An answer that others rely on. It leaves when all that this node has written down so far is durable,
   * and not at all if the epoch is over by then.
   */
  sendWhenPersisted(to: Member, message: RaftMessage): void {
    const { epoch } = this;
    this.writes.whenPersisted(() => {
      if (this.epoch === epoch) this.send(to, message);
    });
  }

  ignore(from: Member, reason: IgnoreReason): void {
    this.push({ kind: 'ignored', from, reason });
  }

  /** Epochs do not fall, and a vote is not taken back. */
  setHardState(epoch: LeaderEpoch, votedFor: Member | null): void {
    const before = this.#hardState;
    if (epoch === before.epoch && votedFor === before.votedFor) return;
    const isNewEpoch = epoch > before.epoch;
    assert(isNewEpoch || epoch === before.epoch, 'the epoch of a node does not fall');
    assert(isNewEpoch || before.votedFor === null, 'a node votes once an epoch');
    this.#hardState = { epoch, votedFor };
    this.writes.hardState(this.#hardState);
  }

  /** Everything up to `index` is committed; a lower one than before changes nothing. */
  commitTo(index: number): void {
    if (index <= this.#commitIndex) return;
    assert(index <= this.log.last.index, 'what is committed is in the log');
    this.#commitIndex = index;
  }

  /** Hands to the state machine what is committed and durable. */
  handOver(): void {
    const through = Math.min(this.#commitIndex, this.writes.persistedIndex);
    if (through <= this.#handedIndex) return;
    const entries = this.log.range(this.#handedIndex + 1, through);
    this.#handedIndex = through;
    this.push({ kind: 'apply', entries });
  }

  /** The log becomes the snapshot; the state machine follows when that is durable. */
  install(snapshot: SnapshotMeta): void {
    this.log.restore(snapshot);
    this.writes.replaceAll(this.#handedIndex);
    this.#commitIndex = snapshot.last.index;
    this.writes.whenPersisted(() => {
      // A newer one may have taken its place before anybody could load it.
      if (this.log.snapshot !== snapshot) return;
      this.#handedIndex = snapshot.last.index;
      this.push({ kind: 'restore', snapshot });
    });
  }

  /** Ends a call: what came together in it. */
  takeEffects(): readonly RaftEffect[] {
    this.handOver();
    const batch = this.writes.flush(this.log.last.index);
    if (batch !== null) this.push(batch);
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
