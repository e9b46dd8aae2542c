import { assert } from '../model/assert.ts';
import {
  changed,
  isVoter,
  type Member,
  type MembershipChange,
  sameMember,
} from './configuration.ts';
import type { RefusalReason } from './effects.ts';
import { type Entry, entryBytes, type Position } from './entry.ts';
import { majorityIndex, majorityOf } from './majority.ts';
import type { HeartbeatAnswer, RaftMessage, VoteRequest } from './messages.ts';
import type { NodeContext } from './node-context.ts';
import type { Progress } from './progress.ts';
import { ReadRounds } from './read-rounds.ts';
import { Replication } from './replication.ts';
import type { Role, Transitions } from './role.ts';

/** A leadership on its way to somebody else. */
interface Handover {
  readonly to: Member;
  ticks: number;
}

/**
 * Election timeouts that the leader's own disk may take for a write, 10 s by default: what a disk under load, or a
 * large snapshot, takes now and then must not cost the leadership.
 */
const DISK_PATIENCE = 20;

/** Leads one epoch. Only appends to its log, and never looks at anybody else's (paper 5.3). */
export class Leader implements Role {
  readonly name = 'leader';
  readonly leader: Member;
  readonly isLeaderAlive = true;
  readonly replication: Replication;
  readonly #context: NodeContext;
  readonly #transitions: Transitions;
  readonly #reads = new ReadRounds();
  /** Index of the entry with which the epoch begins. */
  readonly #firstIndex: number;
  #handover: Handover | null = null;
  #uncommittedBytes: number;
  /** What was committed when the last heartbeats left. */
  #heartbeatCommitIndex: number;
  #ticksToHeartbeat: number;
  #ticksToQuorumCheck: number;
  /** Since a write was durable here, while one is not. */
  #ticksUnwritten = 0;

  constructor(context: NodeContext, transitions: Transitions) {
    this.#context = context;
    this.#transitions = transitions;
    this.leader = context.self;
    this.replication = new Replication(context);
    this.replication.configure(context.log.configuration);
    const { last } = context.log;
    this.#firstIndex = last.index + 1;
    this.#uncommittedBytes = bytesOf(context.log.range(context.commitIndex + 1, last.index));
    this.#heartbeatCommitIndex = context.commitIndex;
    this.#ticksToHeartbeat = context.config.heartbeatTicks;
    this.#ticksToQuorumCheck = context.config.electionTicks;
  }

  /**
   * Begins the epoch with an entry, as what is before can only be committed with one of its own (paper
   * 5.4.2, 8). The very first brings the members with which the cluster was formed into the log: who
   * joins later learns of them, and its snapshots have them.
   */
  begin(): void {
    const { configuration, configurationIndex } = this.#context.log;
    const isFirst = configurationIndex === 0;
    const next = this.#next();
    this.#append([
      isFirst ? { ...next, kind: 'configuration', configuration } : { ...next, kind: 'empty' },
    ]);
  }

  tick(): void {
    this.replication.tick();
    this.#tickHandover();
    if (this.#isDiskStuck()) {
      this.#transitions.becomeFollower(this.#context.epoch, null);
      return;
    }
    if (--this.#ticksToQuorumCheck <= 0) {
      this.#ticksToQuorumCheck = this.#context.config.electionTicks;
      if (!this.#hasQuorum()) {
        this.#transitions.becomeFollower(this.#context.epoch, null);
        return;
      }
    }
    if (--this.#ticksToHeartbeat <= 0) this.#sendHeartbeats();
  }

  step(from: Member, message: Exclude<RaftMessage, VoteRequest>): void {
    const progress = this.replication.of(from);
    if (progress === undefined) {
      this.#context.ignore(from, 'unknown-sender');
      return;
    }
    progress.isActive = true;
    switch (message.kind) {
      case 'append-answer':
        if (message.matchIndex > this.#context.log.last.index) break;
        if (this.replication.answered(progress, message)) this.#advanceCommit();
        this.#finishHandover(progress);
        this.replication.sendTo(progress);
        return;
      case 'append-refusal':
        this.replication.refused(progress, message);
        return;
      case 'heartbeat-answer':
        this.#heartbeatAnswered(progress, message);
        return;
      case 'snapshot-answer':
        if (!this.replication.chunkAnswered(progress, message)) {
          this.#context.ignore(from, 'unexpected');
        }
        return;
      case 'vote-answer':
      case 'timeout-now':
        // A vote that was not needed any more; a transfer of an epoch that ended with this one.
        this.#context.ignore(from, 'unexpected');
        return;
      case 'append':
      case 'heartbeat':
      case 'snapshot-chunk':
        // Somebody else leads the same epoch.
        break;
    }
    this.#context.ignore(from, 'impossible');
  }

  voted(): void {
    assert(false, 'a leader has voted for itself');
  }

  persisted(): void {
    this.#ticksUnwritten = 0;
    this.#advanceCommit();
  }

  end(): void {
    for (const requestId of this.#reads.drain()) {
      this.#context.push({ kind: 'read-failed', requestId });
    }
  }

  propose(commands: readonly Uint8Array[]): RefusalReason | null {
    assert(commands.length > 0, 'something is proposed');
    if (this.#handover !== null) return 'transferring';
    const first = this.#next();
    const entries = commands.map(
      (bytes, at): Entry => ({ ...first, index: first.index + at, kind: 'command', bytes }),
    );
    const isTooMuch =
      this.#uncommittedBytes + bytesOf(entries) > this.#context.config.uncommittedBytesMax;
    if (isTooMuch && this.#uncommittedBytes > 0) return 'too-much-uncommitted';
    this.#append(entries);
    return null;
  }

  /**
   * One change at a time, and none before an entry of this epoch is committed: a leader that does not
   * know how far its predecessors got could have a majority that theirs does not meet (Ongaro's
   * correction of 2015).
   */
  changeMembership(change: MembershipChange): RefusalReason | null {
    const { log, commitIndex } = this.#context;
    if (this.#handover !== null) return 'transferring';
    if (commitIndex < this.#firstIndex) return 'epoch-not-committed';
    if (log.configurationIndex > commitIndex) return 'change-in-progress';
    const configuration = changed(log.configuration, change);
    if (typeof configuration === 'string') return configuration;
    if (change.kind === 'promote' && !this.#isCaughtUp(change.member)) return 'not-caught-up';
    this.replication.configure(configuration);
    this.#append([{ ...this.#next(), kind: 'configuration', configuration }]);
    // Fewer voters need fewer answers, and perhaps nobody else will answer.
    this.#finishReads();
    return null;
  }

  /** To a voter; proposals are refused until it leads or an election timeout is over (thesis 3.10). */
  transfer(to: Member): RefusalReason | null {
    const progress = this.replication.of(to);
    if (progress === undefined || !isVoter(this.#context.log.configuration, to)) {
      return 'unknown-member';
    }
    if (this.#handover !== null) return 'transferring';
    this.#handover = { to, ticks: 0 };
    this.replication.sendTo(progress);
    this.#finishHandover(progress);
    return null;
  }

  read(requestId: number): void {
    this.#reads.add(requestId);
    this.#beginReads();
  }

  #next(): Position {
    return { index: this.#context.log.last.index + 1, epoch: this.#context.epoch };
  }

  /** Others get it at once, while this node writes: a slow disk here delays nobody (thesis 10.2.1). */
  #append(entries: readonly Entry[]): void {
    this.#context.log.append(entries);
    this.#context.writes.append(entries);
    this.#uncommittedBytes += bytesOf(entries);
    this.replication.sendAll();
  }

  #heartbeatAnswered(progress: Progress, { round }: HeartbeatAnswer): void {
    this.#reads.answered(progress.member, round);
    this.#finishReads();
    // What told it to campaign may have been lost.
    this.#finishHandover(progress);
    this.replication.heardFrom(progress);
  }

  /**
   * Commits what a majority of the voters has durably, if it is of this epoch: an older entry on a majority
   * can still be overwritten (paper 5.4.2, figure 8), and is committed with a newer one behind it.
   */
  #advanceCommit(): void {
    const { log, writes, self, epoch, commitIndex } = this.#context;
    const index = majorityIndex(
      log.configuration.voters.map((voter) => {
        if (sameMember(voter, self)) return writes.persistedIndex;
        return this.replication.of(voter)?.matchIndex ?? 0;
      }),
    );
    if (index <= commitIndex || log.epochAt(index) !== epoch) return;
    this.#uncommittedBytes -= bytesOf(log.range(commitIndex + 1, index));
    this.#context.commitTo(index);
    this.replication.sendAll();
    this.#beginReads();
    // Whose removal is committed has led up to here, without counting itself (thesis 4.2.2).
    const isRemoved = log.configurationIndex <= index && !isVoter(log.configuration, self);
    if (!isRemoved) return;
    // Before it ends: who asked for the removal is told that it is done.
    this.#context.handOver();
    this.#transitions.becomeFollower(epoch, null);
  }

  #sendHeartbeats(): void {
    this.#ticksToHeartbeat = this.#context.config.heartbeatTicks;
    this.#heartbeatCommitIndex = this.#context.commitIndex;
    this.replication.sendHeartbeats(this.#reads.number);
  }

  /**
   * What is committed without its disk is not applied here, so nobody would be answered for as long as it
   * hangs. Who resigns for it is not elected before it writes again: its own vote has to be durable. The
   * only voter has nobody to leave it to.
   */
  #isDiskStuck(): boolean {
    const { log, writes, config } = this.#context;
    if (log.configuration.voters.length === 1) return false;
    if (writes.persistedIndex >= log.last.index) this.#ticksUnwritten = 0;
    else this.#ticksUnwritten++;
    return this.#ticksUnwritten >= DISK_PATIENCE * config.electionTicks;
  }

  #hasQuorum(): boolean {
    const active: Member[] = [];
    for (const progress of this.replication.all) {
      if (progress.isActive) active.push(progress.member);
      progress.isActive = false;
    }
    return this.#areMajority(active);
  }

  /** With this node itself, if it is a voter. */
  #areMajority(members: readonly Member[]): boolean {
    const { voters } = this.#context.log.configuration;
    const all = [this.#context.self, ...members];
    const present = voters.filter((voter) => all.some((member) => sameMember(member, voter)));
    return present.length >= majorityOf(voters.length);
  }

  /** What is committed is known for sure when an entry of this epoch is (thesis 6.4). */
  #beginReads(): void {
    if (this.#context.commitIndex < this.#firstIndex) return;
    if (!this.#reads.begin(this.#context.commitIndex)) return;
    this.#sendHeartbeats();
    this.#finishReads();
  }

  #finishReads(): void {
    const finished = this.#reads.finish((heardOf) => this.#areMajority(heardOf));
    if (finished === null) return;
    const { index } = finished;
    for (const requestId of finished.requestIds) {
      this.#context.push({ kind: 'read-ready', requestId, index });
    }
    this.#beginReads();
  }

  #isCaughtUp(learner: Member): boolean {
    const progress = this.replication.of(learner);
    const enough = Math.max(this.#heartbeatCommitIndex, this.#firstIndex);
    return progress !== undefined && progress.matchIndex >= enough;
  }

  #tickHandover(): void {
    if (this.#handover === null) return;
    this.#handover.ticks++;
    if (this.#handover.ticks < this.#context.config.electionTicks) return;
    this.#context.push({ kind: 'transfer-given-up', to: this.#handover.to });
    this.#handover = null;
  }

  /** Who has the whole log wins the election that it is told to begin. */
  #finishHandover({ member, matchIndex }: Progress): void {
    if (this.#handover === null || !sameMember(this.#handover.to, member)) return;
    if (matchIndex < this.#context.log.last.index) return;
    this.#context.send(member, { kind: 'timeout-now', epoch: this.#context.epoch });
  }
}

const bytesOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
