import { assert } from '../model/assert.ts';
import { type LeaderEpoch, leaderEpoch } from '../model/ids.ts';
import { Candidate } from './candidate.ts';
import {
  type Configuration,
  isMember,
  type Member,
  type MembershipChange,
  sameMember,
} from './configuration.ts';
import type { Outcome, RaftEffect, RefusalReason, RoleName } from './effects.ts';
import type { Position, SnapshotMeta, StoredState } from './entry.ts';
import { Follower } from './follower.ts';
import { Leader } from './leader.ts';
import {
  isFromLeader,
  isWellFormed,
  type RaftMessage,
  type VoteAnswer,
  type VoteRequest,
} from './messages.ts';
import { NodeContext } from './node-context.ts';
import { type RaftConfig, validateRaftConfig } from './raft-config.ts';
import type { LoadedChunk } from './replication.ts';
import type { Role, Transitions } from './role.ts';

/** What a node knows, to be looked at. */
export interface RaftStatus {
  readonly role: RoleName;
  readonly epoch: LeaderEpoch;
  readonly votedFor: Member | null;
  readonly leader: Member | null;
  readonly commitIndex: number;
  /** Handed to the state machine. */
  readonly handedIndex: number;
  readonly persistedIndex: number;
  /** What comes before the first entry in memory. */
  readonly base: Position;
  readonly last: Position;
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  /** On the leader: how far the others are. */
  readonly followers: readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly member: Member;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly matchIndex: number;
  readonly nextIndex: number;
  /** It was heard of since the quorum was last checked. */
  readonly isActive: boolean;
}

/**
 * One node of a Raft cluster as a pure state machine (Ongaro and Ousterhout 2014, "the paper"; Ongaro's
 * thesis with the correction of 2015). Every call ends at once and returns what the driver has to do, in
 * order; none waits, throws at bad input, or knows the time. What has to be durable before somebody
 * hears of it is held back here until `persisted`.
 */
export class RaftNode {
  readonly #context: NodeContext;
  readonly #transitions: Transitions;
  #role: Role;
  /** Given to the state machine and applied by it. */
  #appliedIndex: number;

  /**
   * @param self id and directory of this node
   * @param stored what was durable when it last ran
   * @param random from 0 up to 1, without 1
   */
  constructor(self: Member, config: RaftConfig, stored: StoredState, random: () => number) {
    validateRaftConfig(config);
    this.#context = new NodeContext(self, config, stored, random);
    this.#appliedIndex = this.#context.handedIndex;
    this.#transitions = {
      becomeFollower: (epoch, leader) => this.#becomeFollower(epoch, leader),
      becomePreCandidate: () => this.#campaign('pre-candidate', false),
      becomeCandidate: (isTransfer) => this.#becomeCandidate(isTransfer),
      becomeLeader: () => this.#becomeLeader(),
    };
    this.#role = new Follower(null, this.#context, this.#transitions);
  }

  get status(): RaftStatus {
    const { epoch, votedFor, commitIndex, handedIndex, log, writes } = this.#context;
    const role = this.#role;
    const progresses = role instanceof Leader ? [...role.replication.all] : [];
    return {
      role: role.name,
      epoch,
      votedFor,
      leader: role.leader,
      commitIndex,
      handedIndex,
      persistedIndex: writes.persistedIndex,
      base: log.base,
      last: log.last,
      configuration: log.configuration,
      configurationIndex: log.configurationIndex,
      followers: progresses.map(({ member, state, matchIndex, nextIndex, isActive }) => ({
        ...{ member, state, matchIndex, nextIndex, isActive },
      })),
    };
  }

  /** The end of the log. */
  get lastIndex(): number {
    return this.#context.log.last.index;
  }

  /** The first call. The only voter waits for nobody. */
  start(): readonly RaftEffect[] {
    const { voters } = this.#context.log.configuration;
    if (voters.length === 1 && this.#context.mayCampaign) this.#transitions.becomePreCandidate();
    return this.#context.takeEffects();
  }

  /** A tick of the driver's clock has passed; see `RaftConfig` for how many make what. */
  tick(): readonly RaftEffect[] {
    this.#role.tick();
    return this.#context.takeEffects();
  }

  /**
   * A message has come. The driver vouches for who sent it and whom it was sent to; whatever it says,
   * nothing is asserted of it.
   */
  step(from: Member, to: Member, message: RaftMessage): readonly RaftEffect[] {
    const { self } = this.#context;
    if (!sameMember(to, self)) this.#context.ignore(from, 'wrong-directory');
    else if (sameMember(from, self) || !isWellFormed(message)) {
      this.#context.ignore(from, 'impossible');
    } else if (message.kind === 'vote') this.#vote(from, message);
    else this.#dispatch(from, message);
    return this.#context.takeEffects();
  }

  /** Each becomes an entry of its own. It is done when `apply` brings an entry of that index and epoch. */
  propose(commands: readonly Uint8Array[]): Outcome {
    return this.#ask((leader) => leader.propose(commands));
  }

  changeMembership(change: MembershipChange): Outcome {
    return this.#ask((leader) => leader.changeMembership(change));
  }

  /** Ends with `became`, or with `transfer-given-up` after an election timeout. */
  transferLeadership(to: Member): Outcome {
    return this.#ask((leader) => leader.transfer(to));
  }

  /** Ends with `read-ready` or `read-failed`; ids are the driver's. */
  read(requestId: number): Outcome {
    return this.#ask((leader) => {
      leader.read(requestId);
      return null;
    });
  }

  /** The batches up to this sequence are durable. */
  persisted(sequence: number): readonly RaftEffect[] {
    this.#context.writes.persisted(sequence);
    this.#role.persisted();
    return this.#context.takeEffects();
  }

  /** The state machine has applied everything up to this index. */
  applied(index: number): void {
    assert(index >= this.#appliedIndex, 'what is applied does not fall');
    assert(index <= this.#context.handedIndex, 'what is applied was handed over');
    this.#appliedIndex = index;
  }

  /**
   * What a snapshot of the state as of `index` stands for; it is stored with the state. `null` while a
   * newer one from the leader is being stored.
   */
  describeSnapshot(index: number): SnapshotMeta | null {
    assert(index <= this.#appliedIndex, 'a snapshot is made of what is applied');
    return this.#context.log.describeSnapshot(index);
  }

  /** A snapshot that `describeSnapshot` told of is durable: what it stands for is dropped, by and by. */
  compact(snapshot: SnapshotMeta): readonly RaftEffect[] {
    assert(snapshot.last.index <= this.#appliedIndex, 'a snapshot is made of what is applied');
    const { log, config } = this.#context;
    const isDropped = log.compact(snapshot, config.entriesKept);
    if (isDropped) this.#context.push({ kind: 'forget', throughIndex: log.base.index });
    return this.#context.takeEffects();
  }

  /** The answer to `load-chunk`; one that comes too late is passed over. */
  chunkLoaded(chunk: LoadedChunk): readonly RaftEffect[] {
    if (this.#role instanceof Leader) this.#role.replication.chunkLoaded(chunk);
    return this.#context.takeEffects();
  }

  /** What was sent to this peer is perhaps lost. */
  unreachable(peer: Member): readonly RaftEffect[] {
    if (this.#role instanceof Leader) this.#role.replication.unreachable(peer);
    return this.#context.takeEffects();
  }

  /** What is sent to this peer arrives again. */
  reachable(peer: Member): readonly RaftEffect[] {
    if (this.#role instanceof Leader) this.#role.replication.reachable(peer);
    return this.#context.takeEffects();
  }

  #ask(question: (leader: Leader) => RefusalReason | null): Outcome {
    const { leader } = this.#role;
    const refused = this.#role instanceof Leader ? question(this.#role) : 'not-leader';
    if (refused !== null) return { refused, leader };
    return { refused, last: this.#context.log.last, effects: this.#context.takeEffects() };
  }

  /**
   * Gives or refuses a vote (paper 5.2, 5.4.1). Whoever asks: a node may vote that does not know yet that
   * it is a voter, and for one that it does not know (thesis 4.2.1); the candidate knows who counts. But
   * one that the voters know with another memory has forgotten what it promised.
   */
  #vote(from: Member, request: VoteRequest): void {
    const { epoch, log, isImpostor } = this.#context;
    const { isPreVote } = request;
    const isDisturbing = this.#role.isLeaderAlive && !request.isTransfer;
    if (isDisturbing && request.epoch > epoch && !isPreVote) {
      this.#context.ignore(from, 'leader-alive');
      return;
    }
    if (request.epoch > epoch && !isPreVote) this.#becomeFollower(request.epoch, null);
    const isGranted =
      !isDisturbing &&
      !isImpostor &&
      log.isCoveredBy(request.last) &&
      (isPreVote ? request.epoch > epoch : this.#mayVote(from, request));
    if (isGranted && !isPreVote) {
      this.#context.setHardState(request.epoch, this.#context.votedFor ?? from);
      this.#role.voted();
    }
    const answerEpoch = isGranted ? request.epoch : this.#context.epoch;
    const answer: VoteAnswer = { kind: 'vote-answer', epoch: answerEpoch, isPreVote, isGranted };
    // A pre-vote promises nothing.
    if (isPreVote) this.#context.send(from, answer);
    else this.#context.sendWhenPersisted(from, answer);
  }

  #mayVote(candidate: Member, { epoch }: VoteRequest): boolean {
    if (epoch !== this.#context.epoch) return false;
    const { votedFor } = this.#context;
    return votedFor === null ? this.#role.leader === null : sameMember(votedFor, candidate);
  }

  #dispatch(from: Member, message: Exclude<RaftMessage, VoteRequest>): void {
    if (isFromLeader(message)) {
      this.#hearLeader(from, message);
    } else if (!isMember(this.#context.log.configuration, from)) {
      this.#context.ignore(from, 'unknown-sender');
    } else if (message.kind === 'vote-answer' && message.isPreVote && message.isGranted) {
      // Granted for the next epoch, in which nobody is.
      const isOurs = message.epoch === this.#context.epoch + 1;
      if (isOurs) this.#role.step(from, message);
      else this.#context.ignore(from, 'stale');
    } else if (message.epoch > this.#context.epoch) {
      // There is nothing more to an answer of a newer epoch.
      this.#becomeFollower(message.epoch, null);
    } else if (message.epoch < this.#context.epoch && !isPreVoteRefusal(message)) {
      this.#context.ignore(from, 'stale');
    } else {
      this.#role.step(from, message);
    }
  }

  #hearLeader(from: Member, message: Exclude<RaftMessage, VoteRequest>): void {
    const { epoch } = this.#context;
    if (message.epoch < epoch) {
      // Tells it that its epoch is over; a node whose epoch got ahead could not come back otherwise.
      this.#context.send(from, { kind: 'heartbeat-answer', epoch, round: 0 });
      this.#context.ignore(from, 'stale');
      return;
    }
    const { leader } = this.#role;
    if (message.epoch === epoch && leader !== null && !sameMember(leader, from)) {
      this.#context.ignore(from, 'impossible');
      return;
    }
    if (message.epoch > epoch || leader === null) this.#becomeFollower(message.epoch, from);
    this.#role.step(from, message);
  }

  #becomeFollower(epoch: LeaderEpoch, leader: Member | null): void {
    if (epoch > this.#context.epoch) this.#context.setHardState(epoch, null);
    this.#become(new Follower(leader, this.#context, this.#transitions));
  }

  #becomeCandidate(isTransfer: boolean): void {
    const { epoch, self } = this.#context;
    this.#context.setHardState(leaderEpoch(epoch + 1), self);
    this.#campaign('candidate', isTransfer);
  }

  #campaign(name: 'pre-candidate' | 'candidate', isTransfer: boolean): void {
    const candidate = new Candidate(name, isTransfer, this.#context, this.#transitions);
    this.#become(candidate);
    candidate.campaign();
  }

  #becomeLeader(): void {
    const leader = new Leader(this.#context, this.#transitions);
    this.#become(leader);
    leader.begin();
  }

  #become(role: Role): void {
    this.#role.end();
    this.#role = role;
    this.#context.push({
      kind: 'became',
      role: role.name,
      epoch: this.#context.epoch,
      leader: role.leader,
    });
  }
}

/** One that is behind refuses in its own epoch. */
const isPreVoteRefusal = (message: RaftMessage): boolean =>
  message.kind === 'vote-answer' && message.isPreVote && !message.isGranted;
