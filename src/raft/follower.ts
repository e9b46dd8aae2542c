import { type Member, sameMember } from './configuration.ts';
import type { SnapshotMeta } from './entry.ts';
import type { Append, Heartbeat, RaftMessage, SnapshotChunk, VoteRequest } from './messages.ts';
import type { NodeContext } from './node-context.ts';
import type { Role, Transitions } from './role.ts';

/** A snapshot of which the beginning is there. */
interface Incoming {
  readonly snapshot: SnapshotMeta;
  nextOffset: number;
}

/** Follows the leader of its epoch, if it knows one. Learners are followers that never campaign. */
export class Follower implements Role {
  readonly name = 'follower';
  readonly #context: NodeContext;
  readonly #transitions: Transitions;
  readonly #timeoutTicks: number;
  #leader: Member | null;
  /** Since the leader was heard of or a vote was given. */
  #ticks = 0;
  /** From the leader of this epoch: another's snapshot of the same index may have other bytes. */
  #incoming: Incoming | null = null;

  constructor(leader: Member | null, context: NodeContext, transitions: Transitions) {
    this.#leader = leader;
    this.#context = context;
    this.#transitions = transitions;
    this.#timeoutTicks = context.drawElectionTicks();
  }

  get leader(): Member | null {
    return this.#leader;
  }

  get isLeaderAlive(): boolean {
    return this.#leader !== null && this.#ticks < this.#context.config.electionTicks;
  }

  tick(): void {
    this.#ticks++;
    if (this.#ticks < this.#timeoutTicks) return;
    if (this.#context.mayCampaign) this.#transitions.becomePreCandidate();
    else if (this.#leader !== null) this.#transitions.becomeFollower(this.#context.epoch, null);
  }

  step(from: Member, message: Exclude<RaftMessage, VoteRequest>): void {
    switch (message.kind) {
      case 'append':
        this.#ticks = 0;
        this.#append(from, message);
        return;
      case 'heartbeat':
        this.#ticks = 0;
        this.#heartbeat(from, message);
        return;
      case 'snapshot-chunk':
        this.#ticks = 0;
        this.#chunk(from, message);
        return;
      case 'timeout-now':
        // Only from the leader, and only to who may lead.
        if (this.#leader === null || !sameMember(from, this.#leader)) break;
        if (!this.#context.mayCampaign) break;
        this.#transitions.becomeCandidate(true);
        return;
      case 'vote-answer':
      case 'append-answer':
      case 'append-refusal':
      case 'heartbeat-answer':
      case 'snapshot-answer':
        break;
    }
    this.#context.ignore(from, 'unexpected');
  }

  voted(): void {
    this.#ticks = 0;
  }

  persisted(): void {}

  end(): void {}

  #append(from: Member, { prev, entries, commitIndex }: Append): void {
    const { log, epoch } = this.#context;
    if (prev.index < this.#context.commitIndex) {
      // Old news: up to what is committed all logs agree.
      this.#acknowledge(from, this.#context.commitIndex);
      return;
    }
    if (!log.has(prev)) {
      const hint = log.lastAtMost(prev);
      this.#context.send(from, { kind: 'append-refusal', epoch, prevIndex: prev.index, hint });
      return;
    }
    const missing = log.firstMissing(entries);
    if (missing >= 0) {
      const added = entries.slice(missing);
      const { index } = added[0]!;
      if (index <= log.last.index) {
        log.truncateFrom(index);
        this.#context.writes.truncateFrom(index);
      }
      log.append(added);
      this.#context.writes.append(added);
    }
    // Entries of ours behind these are perhaps none of the leader's.
    const matchIndex = entries.at(-1)?.index ?? prev.index;
    this.#context.commitTo(Math.min(commitIndex, matchIndex));
    this.#acknowledge(from, matchIndex);
  }

  #heartbeat(from: Member, { commitIndex, round }: Heartbeat): void {
    if (commitIndex > this.#context.log.last.index) {
      this.#context.ignore(from, 'impossible');
      return;
    }
    this.#context.commitTo(commitIndex);
    // Says nothing of what is durable, so it waits for no disk.
    this.#context.send(from, { kind: 'heartbeat-answer', epoch: this.#context.epoch, round });
  }

  #chunk(from: Member, { snapshot, offset, bytes, isLast }: SnapshotChunk): void {
    const { log, commitIndex, epoch } = this.#context;
    const { last } = snapshot;
    if (last.index <= commitIndex || log.has(last)) {
      // It is all here. What the log has behind it stays (paper 7).
      this.#context.commitTo(last.index);
      this.#acknowledge(from, Math.max(last.index, commitIndex));
      return;
    }
    if (last.index < (this.#incoming?.snapshot.last.index ?? 0)) {
      this.#context.ignore(from, 'unexpected');
      return;
    }
    if (this.#incoming?.snapshot.last.index !== last.index) {
      this.#incoming = { snapshot, nextOffset: 0 };
    }
    const incoming = this.#incoming;
    if (offset === incoming.nextOffset) {
      incoming.nextOffset += bytes.length;
      this.#context.writes.chunk({ snapshot, offset, bytes, isLast });
      if (isLast) {
        this.#incoming = null;
        this.#context.install(snapshot);
        this.#acknowledge(from, last.index);
        return;
      }
    }
    this.#context.sendWhenPersisted(from, {
      kind: 'snapshot-answer',
      epoch,
      snapshotIndex: last.index,
      nextOffset: incoming.nextOffset,
    });
  }

  /** When it is durable: the leader counts on it. */
  #acknowledge(from: Member, matchIndex: number): void {
    const { epoch } = this.#context;
    this.#context.sendWhenPersisted(from, { kind: 'append-answer', epoch, matchIndex });
  }
}
