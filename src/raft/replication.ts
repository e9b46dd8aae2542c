import { assert } from '../model/assert.ts';
import type { NodeId } from '../model/ids.ts';
import { type Configuration, type Member, sameMember } from './configuration.ts';
import type { AppendAnswer, AppendRefusal, SnapshotAnswer } from './messages.ts';
import type { NodeContext } from './node-context.ts';
import { Progress, type Transfer } from './progress.ts';

/** A piece of a snapshot as the driver has read it. */
export interface LoadedChunk {
  readonly to: Member;
  readonly snapshotIndex: number;
  readonly offset: number;
  /** `null` if the snapshot is not there any more. */
  readonly bytes: Uint8Array | null;
  readonly isLast: boolean;
}

/** How a leader brings its log to the others. */
export class Replication {
  readonly #context: NodeContext;
  #progresses: ReadonlyMap<NodeId, Progress> = new Map();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  get all(): Iterable<Progress> {
    return this.#progresses.values();
  }

  of(member: Member): Progress | undefined {
    const progress = this.#progresses.get(member.id);
    return progress !== undefined && sameMember(progress.member, member) ? progress : undefined;
  }

  /** Follows the members: who is new is asked what it has. */
  configure({ voters, learners }: Configuration): void {
    const { self, config, log } = this.#context;
    const others = [...voters, ...learners].filter((member) => !sameMember(member, self));
    this.#progresses = new Map(
      others.map((member) => [
        member.id,
        this.of(member) ?? new Progress(member, config, log.last.index + 1),
      ]),
    );
  }

  /** Sends everybody what they lack and may be sent, also how far is committed. */
  sendAll(): void {
    for (const progress of this.all) this.sendTo(progress);
  }

  sendTo(progress: Progress): void {
    const { log, commitIndex } = this.#context;
    while (progress.hasRoom) {
      const hasEntries = progress.nextIndex <= log.last.index;
      const knows = progress.sentCommitIndex >= Math.min(commitIndex, progress.nextIndex - 1);
      if (!hasEntries && knows) return;
      this.#append(progress, true);
    }
  }

  /** `round` as in `ReadRounds`. */
  sendHeartbeats(round: number): void {
    const { epoch, commitIndex } = this.#context;
    for (const progress of this.all) {
      this.#context.send(progress.member, {
        kind: 'heartbeat',
        epoch,
        // Beyond what it is known to have its log may be another one.
        commitIndex: Math.min(progress.matchIndex, commitIndex),
        round,
      });
    }
  }

  /**
   * It lives. What was sent to it may be lost: an append that it cannot follow is refused, and that
   * tells. Without entries if no more of them may be in flight.
   */
  heardFrom(progress: Progress): void {
    progress.isPaused = false;
    if (progress.transfer !== null || progress.matchIndex >= this.#context.log.last.index) return;
    const before = progress.nextIndex;
    this.sendTo(progress);
    if (progress.state === 'replicate' && progress.nextIndex === before)
      this.#append(progress, false);
  }

  /** True if more of the log is known to be there. */
  answered(progress: Progress, { matchIndex }: AppendAnswer): boolean {
    const isNews = progress.matched(matchIndex);
    const { transfer } = progress;
    const isOverSnapshot = transfer !== null && matchIndex >= this.#context.log.base.index;
    if (isOverSnapshot || progress.state === 'probe') progress.becomeReplicate();
    return isNews;
  }

  refused(progress: Progress, { prevIndex, hint }: AppendRefusal): void {
    const common = this.#context.log.lastAtMost(hint);
    if (progress.refused(prevIndex, common.index)) this.sendTo(progress);
  }

  /** Which piece of the snapshot the follower waits for. */
  chunkAnswered(progress: Progress, { snapshotIndex, nextOffset }: SnapshotAnswer): boolean {
    const { transfer } = progress;
    if (transfer?.snapshot.last.index !== snapshotIndex || transfer.isLoading) return false;
    // Answered twice: that piece is on its way. Any other is possible, as the follower may have lost the
    // beginning, or have more of it than this transfer has sent.
    if (nextOffset === transfer.offset) return false;
    this.#load(progress, transfer, nextOffset);
    return true;
  }

  chunkLoaded({ to, snapshotIndex, offset, bytes, isLast }: LoadedChunk): void {
    const progress = this.of(to);
    const transfer = progress?.transfer;
    if (progress === undefined || transfer === null || transfer === undefined) return;
    const isAwaited = transfer.isLoading && transfer.offset === offset;
    if (!isAwaited || transfer.snapshot.last.index !== snapshotIndex) return;
    if (bytes === null) {
      // The newest one is begun when the follower is heard of next.
      progress.becomeProbe();
      progress.isPaused = true;
      return;
    }
    assert(isLast || bytes.length > 0, 'a piece of a snapshot has bytes');
    transfer.isLoading = false;
    const { epoch } = this.#context;
    const { snapshot } = transfer;
    this.#context.send(to, { kind: 'snapshot-chunk', epoch, snapshot, offset, bytes, isLast });
  }

  /** Begins again with what it surely has. A snapshot goes on: its pieces are asked for one by one. */
  unreachable(peer: Member): void {
    const progress = this.of(peer);
    if (progress?.state === 'replicate') progress.becomeProbe();
  }

  reachable(peer: Member): void {
    const progress = this.of(peer);
    if (progress === undefined) return;
    progress.isPaused = false;
    this.sendTo(progress);
  }

  /** Pieces that nobody has answered for an election timeout are sent again. */
  tick(): void {
    for (const progress of this.all) {
      const { transfer } = progress;
      if (transfer === null || transfer.isLoading) continue;
      transfer.ticks++;
      if (transfer.ticks < this.#context.config.electionTicks) continue;
      this.#load(progress, transfer, transfer.offset);
    }
  }

  #append(progress: Progress, withEntries: boolean): void {
    const { log, epoch, commitIndex, config } = this.#context;
    const { nextIndex, member } = progress;
    const prevEpoch = log.epochAt(nextIndex - 1);
    if (prevEpoch === undefined) {
      const { snapshot } = log;
      assert(snapshot !== null, 'entries that are gone are in a snapshot');
      progress.becomeSnapshot(snapshot);
      this.#load(progress, progress.transfer!, 0);
      return;
    }
    const prev = { index: nextIndex - 1, epoch: prevEpoch };
    const entries = withEntries ? log.slice(nextIndex, config.messageBytesMax) : [];
    this.#context.send(member, { kind: 'append', epoch, prev, entries, commitIndex });
    progress.sent(entries, Math.min(commitIndex, entries.at(-1)?.index ?? prev.index));
  }

  #load({ member }: Progress, transfer: Transfer, offset: number): void {
    transfer.offset = offset;
    transfer.isLoading = true;
    transfer.ticks = 0;
    this.#context.push({
      kind: 'load-chunk',
      to: member,
      snapshot: transfer.snapshot,
      offset,
      bytesMax: this.#context.config.messageBytesMax,
    });
  }
}
