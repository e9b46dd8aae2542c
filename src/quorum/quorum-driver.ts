import type { Random, Timer, Timers } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { LeaderEpoch } from '../model/ids.ts';
import type { Member, MembershipChange } from '../raft/configuration.ts';
import type { Outcome, RaftEffect, RefusalReason, RoleName } from '../raft/effects.ts';
import type { Entry, Position, SnapshotMeta } from '../raft/entry.ts';
import type { RaftMessage } from '../raft/messages.ts';
import type { RaftConfig } from '../raft/raft-config.ts';
import { RaftNode, type RaftStatus } from '../raft/raft-node.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ApplyQueue } from './apply-queue.ts';
import { IndexWaiters } from './index-waiters.ts';
import { cannotStore, notKnown, refusal } from './quorum-errors.ts';
import type { RaftStorage, StartState } from './raft-storage.ts';
import { IncomingSnapshot } from './snapshot-stream.ts';
import { takeInTurns } from './take-in-turns.ts';
import { groupWrites, type WaitingWrite } from './write-groups.ts';

/** To the other members. May lose, delay, repeat and reorder; never calls back before `send` returns. */
export interface PeerNetwork {
  send(to: Member, message: RaftMessage): void;
}

/** What the log is replayed into. All of it synchronous; what it throws is final. */
export interface StateMachine {
  /** Committed entries, in order, each once in the life of the process. */
  apply(entries: readonly Entry[]): void;
  /** The state is this one now, whatever it was. */
  restore(snapshot: SnapshotMeta, records: readonly Uint8Array[]): void;
  /** Another role, epoch or leader. A leader may append from here on. */
  became(role: RoleName, epoch: LeaderEpoch, leader: Member | null): void;
}

/** A state that can be written down as records. */
export interface SnapshotSource {
  /** Every entry below this position is in the state, and is applied. */
  readonly position: number;
  /** The same whenever they are taken. */
  records(): Iterable<Uint8Array>;
}

export interface DriverOptions {
  readonly self: Member;
  readonly raft: RaftConfig;
  readonly tickMs: number;
  /** A snapshot takes the place of entries when there are this many. */
  readonly snapshotIntervalEntries: number;
  /** Storing failed: nothing is known about the disk, and the process has to end. Called once. */
  onFatal(error: unknown): void;
}

export interface DriverParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly storage: RaftStorage;
  readonly network: PeerNetwork;
  readonly machine: StateMachine;
}

interface DueSnapshot {
  readonly meta: SnapshotMeta;
  readonly records: readonly Uint8Array[];
}

interface Read {
  resolve(index: number): void;
  reject(error: Error): void;
}

/**
 * Runs a `RaftNode`: gives it time and messages, and does what it asks for, in order. What waits for the
 * disk goes there as one batch; all else is done at once.
 */
export class QuorumDriver {
  readonly #options: DriverOptions;
  readonly #parts: DriverParts;
  readonly #node: RaftNode;
  readonly #start: StartState;
  readonly #applying: ApplyQueue;
  readonly #incoming = new IncomingSnapshot();
  /** Snapshots from a leader that are not restored yet, by their last index. */
  readonly #arrived = new Map<number, readonly Uint8Array[]>();
  readonly #waiters = new IndexWaiters();
  readonly #reads = new Map<number, Read>();
  #readCount = 0;
  #transfer: ((outcome: TransferOutcome) => void) | null = null;
  #effects: RaftEffect[] = [];
  #isPerforming = false;
  #writes: WaitingWrite[] = [];
  /** Not null while something is on its way to the disk. */
  #storing: Promise<void> | null = null;
  #snapshotSource: (() => SnapshotSource) | undefined;
  #dueSnapshot: DueSnapshot | null = null;
  #isMakingSnapshot = false;
  /** Of the newest that is made, stored, or has come, be it stored yet or not. */
  #snapshotIndex: number;
  #timer: Timer | null = null;
  /** Why nothing can be asked for any more. */
  #stoppedBy: ApiError | null = null;
  /** As `status` has them, which is put together anew each time. */
  #role: RoleName = 'follower';
  #leader: Member | null = null;
  /** Nothing is known about the disk, or it was let go: nothing happens any more. */
  #isOver = false;

  constructor(options: DriverOptions, start: StartState, parts: DriverParts) {
    this.#options = options;
    this.#parts = parts;
    this.#start = start;
    const { random, timers, machine } = parts;
    this.#node = new RaftNode(options.self, options.raft, start, () => random.uint32() / 2 ** 32);
    this.#snapshotIndex = start.snapshot?.last.index ?? 0;
    this.#applying = new ApplyQueue(this.#snapshotIndex, timers, machine, {
      onApplied: (index) => this.#applied(index),
      onError: (error) => this.#fail(error),
    });
  }

  get status(): RaftStatus {
    return this.#node.status;
  }

  /** The end of the log. */
  get lastIndex(): number {
    return this.#node.lastIndex;
  }

  /** The state machine has everything up to here. */
  get appliedIndex(): number {
    return this.#applying.appliedIndex;
  }

  /** Once, before all else. */
  start(): void {
    const { snapshot, records } = this.#start;
    if (snapshot !== null && snapshot.last.index > 0) {
      this.#parts.machine.restore(snapshot, records);
    }
    this.#run((node) => node.start());
    this.#armTimer();
  }

  /** From now on snapshots are made of what `source` gives. */
  provideSnapshots(source: () => SnapshotSource): void {
    this.#snapshotSource = source;
  }

  /** A message has come. The network vouches for who sent it, and whom it was sent to. */
  received(from: Member, to: Member, message: RaftMessage): void {
    if (this.#stoppedBy !== null) return;
    if (message.kind === 'snapshot-chunk' && !this.#incoming.accepts(message)) {
      this.#parts.logger.warn({ from: from.id }, 'a snapshot of the metadata came damaged');
      return;
    }
    this.#run((node) => node.step(from, to, message));
  }

  /** What was sent to this peer is perhaps lost. */
  unreachable(peer: Member): void {
    this.#run((node) => node.unreachable(peer));
  }

  /** What is sent to this peer arrives again. */
  reachable(peer: Member): void {
    this.#run((node) => node.reachable(peer));
  }

  /**
   * Appends a command. It is done when `committed` says so.
   *
   * @throws ApiError NOT_CONTROLLER or BROKER_OVERLOADED; nothing was appended
   */
  propose(command: Uint8Array): Position {
    const outcome = this.#ask((node) => node.propose([command]));
    if (outcome.refused !== null) throw refusal(outcome.refused, outcome.leader);
    return outcome.last;
  }

  /**
   * Resolves when everything up to an index that this leader has appended is committed and applied.
   * Rejects with REQUEST_TIMED_OUT when that will not be known here.
   */
  committed(index: number): Promise<void> {
    if (index <= this.appliedIndex) return Promise.resolve();
    if (this.#stoppedBy !== null) return Promise.reject(notKnown(this.#stoppedBy));
    if (this.#role !== 'leader') return Promise.reject(notKnown());
    return this.#waiters.wait(index);
  }

  /** A state that has this index applied, as it is when it resolves, may answer what was asked before. */
  read(): Promise<number> {
    return new Promise((resolve, reject) => {
      const requestId = ++this.#readCount;
      this.#reads.set(requestId, { resolve, reject });
      const outcome = this.#ask((node) => node.read(requestId));
      if (outcome.refused === null) return;
      this.#reads.delete(requestId);
      reject(refusal(outcome.refused, outcome.leader));
    });
  }

  /** `null` when the change is committed, or why nothing was changed. Rejects as `committed`. */
  async changeMembership(change: MembershipChange): Promise<RefusalReason | null> {
    const outcome = this.#ask((node) => node.changeMembership(change));
    if (outcome.refused !== null) return outcome.refused;
    this.#armTimer();
    await this.committed(outcome.last.index);
    return null;
  }

  /** `null` when this node does not lead any more, or why it still does. */
  transferLeadership(to: Member): Promise<TransferOutcome> {
    return new Promise((resolve) => {
      const before = this.#transfer;
      this.#transfer = resolve;
      const outcome = this.#ask((node) => node.transferLeadership(to));
      if (outcome.refused === null) return;
      this.#transfer = before;
      resolve(outcome.refused);
    });
  }

  /** Stores and applies what there is, refuses more, and lets the data directory go. */
  async close(): Promise<void> {
    this.#stoppedBy ??= new ApiError(Errors.NOT_CONTROLLER, 'the controller has stopped');
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#storing !== null || this.#applying.isBusy) {
      await (this.#storing ?? this.#nextTurn());
    }
    this.#isOver = true;
    this.#failAll(this.#stoppedBy);
    await this.#parts.storage.close();
  }

  #ask(question: (node: RaftNode) => Outcome): Outcome {
    if (this.#stoppedBy !== null) throw this.#stoppedBy;
    const outcome = question(this.#node);
    if (outcome.refused === null) this.#perform(outcome.effects);
    return outcome;
  }

  #run(call: (node: RaftNode) => readonly RaftEffect[]): void {
    if (!this.#isOver) this.#perform(call(this.#node));
  }

  /** What is asked for while effects are performed comes behind them. */
  #perform(effects: readonly RaftEffect[]): void {
    this.#effects.push(...effects);
    if (this.#isPerforming) return;
    this.#isPerforming = true;
    try {
      while (this.#effects.length > 0) {
        const due = this.#effects;
        this.#effects = [];
        for (const effect of due) this.#performOne(effect);
      }
    } finally {
      this.#isPerforming = false;
    }
  }

  #performOne(effect: RaftEffect): void {
    switch (effect.kind) {
      case 'persist':
        this.#persist(effect);
        return;
      case 'send':
        this.#parts.network.send(effect.to, effect.message);
        return;
      case 'apply':
        this.#applying.add(effect.entries);
        return;
      case 'restore':
        this.#restore(effect.snapshot);
        return;
      case 'load-chunk':
        void this.#load(effect);
        return;
      case 'read-ready':
        this.#readReady(effect.requestId, effect.index);
        return;
      case 'read-failed':
        this.#readFailed(effect.requestId, refusal('not-leader', this.#leader));
        return;
      case 'became':
        this.#became(effect);
        return;
      case 'transfer-given-up':
        this.#endTransfer('given-up');
        return;
      case 'ignored':
        this.#parts.logger.debug(
          { from: effect.from.id, reason: effect.reason },
          'a message of the metadata quorum was passed over',
        );
        return;
      case 'forget':
        // A snapshot deletes what it stands for; entries before it are kept in memory only.
        return;
    }
  }

  #persist(effect: Extract<RaftEffect, { kind: 'persist' }>): void {
    const { sequence, hardState, truncateFrom, entries, chunk } = effect;
    const snapshot = chunk === null ? null : this.#incoming.add(chunk);
    assert(
      chunk?.isLast !== true || snapshot !== null,
      'the last piece of a snapshot was looked at',
    );
    if (snapshot !== null) {
      this.#snapshotIndex = snapshot.meta.last.index;
      this.#arrived.set(this.#snapshotIndex, snapshot.records);
    }
    this.#writes.push({ sequence, hardState, truncateFrom, entries, snapshot });
    this.#storing ??= this.#storeNextTurn();
  }

  async #storeNextTurn(): Promise<void> {
    await this.#nextTurn();
    try {
      while (this.#writes.length > 0 || this.#dueSnapshot !== null) {
        if (this.#isOver) return;
        if (this.#dueSnapshot !== null) await this.#saveSnapshot(this.#dueSnapshot);
        else await this.#storeGroup();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      // No await since nothing was found: nothing can have come.
      this.#storing = null;
    }
  }

  async #storeGroup(): Promise<void> {
    const { count, batch } = groupWrites(this.#writes);
    const last = this.#writes.splice(0, count).at(-1)!;
    if (batch !== null) await this.#parts.storage.write(batch);
    // Meanwhile the node may be in another epoch: it knows what this write still says.
    this.#run((node) => node.persisted(last.sequence));
  }

  #restore(snapshot: SnapshotMeta): void {
    const { index } = snapshot.last;
    const records = this.#arrived.get(index);
    assert(records !== undefined, 'a snapshot is restored that has come');
    for (const each of this.#arrived.keys()) if (each <= index) this.#arrived.delete(each);
    this.#applying.restore(snapshot, records);
  }

  async #load(effect: Extract<RaftEffect, { kind: 'load-chunk' }>): Promise<void> {
    const { to, snapshot, offset, bytesMax } = effect;
    const snapshotIndex = snapshot.last.index;
    try {
      const piece = await this.#parts.storage.readPiece(snapshotIndex, offset, bytesMax);
      const { bytes, isLast } = piece ?? { bytes: null, isLast: false };
      this.#run((node) => node.chunkLoaded({ to, snapshotIndex, offset, bytes, isLast }));
    } catch (error) {
      this.#fail(error);
    }
  }

  #applied(index: number): void {
    this.#node.applied(index);
    this.#waiters.reached(index);
    this.#snapshotIfDue();
  }

  #snapshotIfDue(): void {
    const source = this.#snapshotSource?.();
    if (source === undefined || this.#isMakingSnapshot) return;
    const index = source.position - 1;
    if (index - this.#snapshotIndex < this.#options.snapshotIntervalEntries) return;
    assert(index <= this.appliedIndex, 'only what is applied goes into a snapshot');
    const meta = this.#node.describeSnapshot(index);
    if (meta === null) return;
    this.#snapshotIndex = index;
    void this.#makeSnapshot(meta, source);
  }

  async #makeSnapshot(meta: SnapshotMeta, source: SnapshotSource): Promise<void> {
    this.#isMakingSnapshot = true;
    const isWanted = () => !this.#isOver && this.#snapshotIndex === meta.last.index;
    try {
      const records = await takeInTurns(source.records(), this.#parts.timers, isWanted);
      if (records === undefined) this.#isMakingSnapshot = false;
      else {
        this.#dueSnapshot = { meta, records };
        this.#storing ??= this.#storeNextTurn();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Before all that came after it: a newer one from the leader must not be overwritten. */
  async #saveSnapshot({ meta, records }: DueSnapshot): Promise<void> {
    const lastIndex = meta.last.index;
    // While it was made a newer one may have come.
    const isNewest = lastIndex === this.#snapshotIndex;
    if (isNewest) await this.#parts.storage.saveSnapshot(meta, records);
    this.#dueSnapshot = null;
    this.#isMakingSnapshot = false;
    if (!isNewest) return;
    this.#parts.logger.info({ lastIndex }, 'a snapshot of the metadata was stored');
    this.#run((node) => node.compact(meta));
  }

  #readReady(requestId: number, index: number): void {
    const finish = (): void => {
      this.#reads.get(requestId)?.resolve(index);
      this.#reads.delete(requestId);
    };
    if (index <= this.appliedIndex) finish();
    else {
      const failed = () => refusal('not-leader', this.#leader);
      this.#waiters
        .wait(index)
        .then(finish, () => this.#readFailed(requestId, this.#stoppedBy ?? failed()));
    }
  }

  #readFailed(requestId: number, error: Error): void {
    this.#reads.get(requestId)?.reject(error);
    this.#reads.delete(requestId);
  }

  #became({ role, epoch, leader }: Extract<RaftEffect, { kind: 'became' }>): void {
    this.#role = role;
    this.#leader = leader;
    if (role !== 'leader') {
      this.#waiters.fail(notKnown());
      this.#endTransfer(null);
    }
    this.#parts.logger.info(
      { role, epoch, leader: leader?.id ?? null },
      'the role in the metadata quorum has changed',
    );
    this.#armTimer();
    this.#parts.machine.became(role, epoch, leader);
  }

  #endTransfer(outcome: TransferOutcome): void {
    this.#transfer?.(outcome);
    this.#transfer = null;
  }

  /** The only voter, once it leads, has nothing to do with time. */
  #armTimer(): void {
    if (this.#timer !== null || this.#stoppedBy !== null) return;
    const { role, followers } = this.status;
    if (role === 'leader' && followers.length === 0) return;
    this.#timer = this.#parts.timers.after(this.#options.tickMs, () => {
      this.#timer = null;
      this.#run((node) => node.tick());
      this.#armTimer();
    });
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.timers.nextTurn(resolve);
    });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stoppedBy = cannotStore(error);
    this.#timer?.cancel();
    this.#writes = [];
    this.#dueSnapshot = null;
    this.#applying.stop();
    this.#failAll(this.#stoppedBy);
    this.#parts.logger.error({ err: error }, 'the metadata could not be stored');
    this.#options.onFatal(error);
  }

  /** What is not known by now will not be known here, and this node leads no more. */
  #failAll(error: ApiError): void {
    this.#waiters.fail(notKnown(error));
    for (const requestId of this.#reads.keys()) this.#readFailed(requestId, error);
    this.#endTransfer('given-up');
    if (this.#role !== 'leader') return;
    this.#role = 'follower';
    this.#leader = null;
    this.#parts.machine.became('follower', this.#node.status.epoch, null);
  }
}

/** What became of a transfer: `null` if it is done. */
export type TransferOutcome = RefusalReason | 'given-up' | null;
