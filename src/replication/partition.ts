import type { AppendOrigin, AppendOutcome, Log } from '../log/log.ts';
import type { LogReadOutcome } from '../log/log-reader.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import {
  type LeaderEpoch,
  NO_LEADER_EPOCH,
  type NodeId,
  type Offset,
  type TopicId,
  type TopicPartition,
} from '../model/ids.ts';
import { nextHighWatermark } from './high-watermark.ts';
import { type OffsetWaiter, OffsetWaiters } from './offset-waiters.ts';

/** The right to append to a partition, as the controller granted it to this broker's incarnation. */
export interface Leadership {
  readonly leaderEpoch: LeaderEpoch;
  readonly isr: readonly NodeId[];
  /** `min(min.insync.replicas, replication factor)`. */
  readonly minInSync: number;
}

/** How safe an append must be: in the ISR (`all`) or on the leader. Both as durable as the topic is. */
export type RequiredAcks = 'all' | 'leader';

/** What a partition says of itself with every answer. */
export interface PartitionMarks {
  readonly highWatermark: Offset;
  readonly lastStableOffset: Offset;
  readonly logStartOffset: Offset;
}

/**
 * One partition on this broker: its log, its high watermark, and who waits for either.
 *
 * While `leadership` is null this broker neither appends nor serves the partition.
 */
export class Partition {
  readonly topicPartition: TopicPartition;
  readonly topicId: TopicId;
  /** The 16 bytes of `topicId`, as requests carry it. */
  readonly topicIdBytes: Uint8Array;
  readonly log: Log;
  /** Exclusive: every record below it is safe for good and may be read. Never moves back. */
  #highWatermark: Offset;
  #leadership: Leadership | null = null;
  /** What is answered while this broker does not lead. */
  #notLedRow: ErrorRow = Errors.NOT_LEADER_OR_FOLLOWER;
  /** Wait for the leader's own flushed offset (acks=leader). */
  readonly #flushWaiters = new OffsetWaiters();
  /** Wait for the high watermark (acks=all, and readers at the end). */
  readonly #watermarkWaiters = new OffsetWaiters();

  constructor(log: Log) {
    this.topicPartition = log.topicPartition;
    this.topicId = log.topicId;
    this.topicIdBytes = Buffer.from(log.topicId, 'base64url');
    this.log = log;
    this.#highWatermark = log.logStartOffset;
    log.onFlushed = () => this.#advance();
  }

  get leadership(): Leadership | null {
    return this.#leadership;
  }

  /** Why the partition is not served; null while this broker leads it. */
  get refusal(): ErrorRow | null {
    return this.#leadership === null ? this.#notLedRow : null;
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#leadership?.leaderEpoch ?? NO_LEADER_EPOCH;
  }

  get marks(): PartitionMarks {
    return {
      highWatermark: this.#highWatermark,
      // No transaction is ever open yet, so every safe record is stable.
      lastStableOffset: this.#highWatermark,
      logStartOffset: this.log.logStartOffset,
    };
  }

  get highWatermark(): Offset {
    return this.#highWatermark;
  }

  /** Starts to lead in an epoch, or takes in a change of the ISR within it. */
  lead(leadership: Leadership): void {
    if (leadership.leaderEpoch < this.leaderEpoch) return; // a change that was overtaken
    if (leadership.leaderEpoch > this.leaderEpoch) {
      // Also an epoch in which nothing is written has its place (KIP-101; scenario S05).
      this.log.beginLeaderEpoch(leadership.leaderEpoch);
    }
    this.#leadership = leadership;
    this.#advance();
  }

  /**
   * Appends batches under the current leader epoch; they are not safe before `whenSafe` says so.
   * Takes `records` over: the base offset and epoch are written into them.
   */
  append(records: Uint8Array, origin: AppendOrigin): AppendOutcome {
    if (this.#leadership === null) return this.#refused();
    return this.log.append(records, this.#leadership.leaderEpoch, origin);
  }

  /**
   * Settles `waiter` when everything below its offset is as safe as `acks` says; at once if it is, or
   * if this broker does not lead: then nobody would ever settle it. Also a repeated batch waits here for its original (DESIGN 4b rule 4).
   */
  whenSafe(acks: RequiredAcks, waiter: OffsetWaiter): void {
    if (this.#leadership === null) {
      waiter.settle(this.#notLedRow);
      return;
    }
    const mark = acks === 'all' ? this.#highWatermark : this.log.flushedOffset;
    if (mark >= waiter.offset) waiter.settle(null);
    else if (acks === 'all') this.#watermarkWaiters.add(waiter);
    else this.#flushWaiters.add(waiter);
  }

  /** Settles `waiter` when the record before its offset can be read. */
  whenReadable(waiter: OffsetWaiter): void {
    this.whenSafe('all', waiter);
  }

  /** Forgets a reader that no longer waits. */
  stopWaiting(waiter: OffsetWaiter): void {
    this.#watermarkWaiters.remove(waiter);
  }

  /**
   * Reads whole batches from `from` up to the high watermark; nothing if `from` is at or beyond it.
   * A `from` outside the log is OFFSET_OUT_OF_RANGE. Rejects only for what nobody expected.
   */
  read(from: Offset, maxBytes: number): LogReadOutcome | Promise<LogReadOutcome> {
    if (this.#leadership === null) return this.#refused();
    const outcome = this.log.read(from, maxBytes, this.#highWatermark);
    if (!(outcome instanceof Promise)) return outcome;
    // Meanwhile the leadership may have ended, and the log have gone: what was read, or why it could
    // not be, counts no more.
    return outcome.then(
      (read) => (this.#leadership === null ? this.#refused() : read),
      (error: unknown) => {
        if (this.#leadership === null) return this.#refused();
        throw error;
      },
    );
  }

  /** Ends all waiting for which `nowMs` is too late. */
  expire(nowMs: number): void {
    this.#flushWaiters.expire(nowMs, Errors.REQUEST_TIMED_OUT);
    this.#watermarkWaiters.expire(nowMs, Errors.REQUEST_TIMED_OUT);
  }

  /** Stops leading and tells everybody who waits why; the log stays as it is. */
  resign(row: ErrorRow): void {
    this.#leadership = null;
    this.#notLedRow = row;
    this.#flushWaiters.failAll(row);
    this.#watermarkWaiters.failAll(row);
  }

  #refused(): { readonly ok: false; readonly row: ErrorRow; readonly detail: string } {
    return { ok: false, row: this.#notLedRow, detail: this.#notLedRow.message };
  }

  /** Own progress, or a change of the ISR: the marks may have moved. */
  #advance(): void {
    this.#flushWaiters.release(this.log.flushedOffset);
    if (this.#leadership === null) return;
    // Other members of the ISR report their flushed offsets with the replication protocol; a
    // partition that has others cannot be formed before that exists.
    const before = this.#highWatermark;
    this.#highWatermark = nextHighWatermark(
      before,
      [this.log.flushedOffset],
      this.#leadership.minInSync,
    );
    if (this.#highWatermark > before) this.#watermarkWaiters.release(this.#highWatermark);
  }
}
