import { CorruptError } from '../codec/reader.ts';
import { assert } from '../model/assert.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import {
  type LeaderEpoch,
  type Offset,
  offset,
  partitionName,
  type TopicId,
  type TopicPartition,
} from '../model/ids.ts';
import type { JournalUser } from './commit-journal.ts';
import { LogCorruptError, StorageError } from './disk-health.ts';
import type { DurablePoint, LogMark } from './durable-marks.ts';
import type { Flushable } from './flusher.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import {
  type AppendOrigin,
  type AppendOutcome,
  type AppendRefused,
  LogAppender,
} from './log-appender.ts';
import { LogDisk } from './log-disk.ts';
import { LogJournal } from './log-journal.ts';
import { LogReader, type LogReadOutcome } from './log-reader.ts';
import type { RecoveredLog } from './log-recovery.ts';
import type { LogShared, Markable } from './log-shared.ts';
import { LogState } from './log-state.ts';
import { LogTrimmer } from './log-trimmer.ts';
import { encodeProducers } from './producer-snapshot.ts';
import type { ProducerState } from './producer-states.ts';
import { type ScrubTarget, scrubTargets } from './scrub-target.ts';
import { SerialLane } from './serial-lane.ts';
import type { TimedOffset } from './time-lookup.ts';
import type { TopicLogConfig } from './topic-config.ts';
import type { HandleHolder } from './write-handles.ts';

export type { AppendOrigin, AppendOutcome } from './log-appender.ts';

/** A log that was found damaged: it is there, and refuses everything. */
export interface CorruptLog {
  /** What is wrong, with file and position. */
  readonly problem: string;
  /** Kept as it is, so that the next start finds the same. */
  readonly mark: LogMark | null;
}

export interface LogIdentity {
  readonly topicPartition: TopicPartition;
  readonly topicId: TopicId;
  /** The data directory, and the log's folder in it. */
  readonly root: string;
  readonly folder: string;
}

/**
 * The log of one partition on this broker: segments of record batches, of which the last is active.
 *
 * Appends and changes of the in-memory state are synchronous; bytes reach the disk in the cycles of
 * the flusher. Work on the files runs in one lane, a piece at a time.
 *
 *     logStartOffset <= flushedOffset <= logEndOffset
 */
export class Log implements Flushable, Markable, HandleHolder, JournalUser {
  readonly topicPartition: TopicPartition;
  readonly topicId: TopicId;
  /** Called after `flushedOffset` rose. */
  onFlushed: (flushedOffset: Offset) => void = () => {};
  readonly #shared: LogShared;
  #corrupt: CorruptLog | null;
  readonly #state: LogState;
  readonly #disk: LogDisk;
  readonly #appender: LogAppender;
  readonly #reader: LogReader;
  readonly #trimmer: LogTrimmer;
  readonly #journal: LogJournal;
  readonly #lane = new SerialLane();
  /** What must be done before the folder may be made: an older one of this name is in the way. */
  readonly #folderIsFree: Promise<void>;
  #config: TopicLogConfig;
  #isTruncating = false;
  /** Refuses everything. */
  #isClosed = false;
  /** Everything is on disk as the mark says; from the clean stop on. */
  #isClean = false;

  constructor(
    identity: LogIdentity,
    config: TopicLogConfig,
    shared: LogShared,
    content: {
      readonly recovered: RecoveredLog;
      readonly corrupt?: CorruptLog;
      readonly folderIsFree?: Promise<void>;
    },
  ) {
    const { topicPartition, topicId, root, folder } = identity;
    this.topicPartition = topicPartition;
    this.topicId = topicId;
    this.#config = config;
    this.#shared = shared;
    this.#corrupt = content.corrupt ?? null;
    this.#folderIsFree = content.folderIsFree ?? Promise.resolve();
    this.#state = new LogState(content.recovered, shared.cache);
    const hasFolder = content.recovered.segments.length > 0;
    this.#disk = new LogDisk({ root, folder, topicId }, shared, this, hasFolder);
    this.#appender = new LogAppender(folder, shared, this.#state);
    this.#reader = new LogReader(topicPartition, shared, this.#state);
    this.#trimmer = new LogTrimmer({ topicPartition, folder }, shared, this.#state, this.#disk);
    this.#journal = new LogJournal(this, shared, this.#state);
    this.#state.tail.onHeldUp = () => this.#journal.settle();
  }

  get config(): TopicLogConfig {
    return this.#config;
  }

  /** First offset that is there. */
  get logStartOffset(): Offset {
    return this.#state.logStartOffset;
  }

  /** Exclusive. */
  get logEndOffset(): Offset {
    return this.#state.logEndOffset;
  }

  /** Exclusive end of what is as safe on this broker as the topic asks: fsynced, or else written. */
  get flushedOffset(): Offset {
    return this.#state.flushedOffset;
  }

  /** Exclusive end of what is fsynced, in the files or in the journal, whatever the topic asks. */
  get durableOffset(): Offset {
    const { durable, journaledOffset, logStartOffset } = this.#state;
    const endOffset = durable?.endOffset ?? logStartOffset;
    return offset(Math.max(endOffset, journaledOffset));
  }

  get leaderEpochs(): LeaderEpochs {
    return this.#state.epochs;
  }

  /** Idempotent producers that are remembered. */
  get producers(): Iterable<ProducerState> {
    return this.#state.producers.all();
  }

  /** Bytes of all segments. */
  get sizeInBytes(): number {
    return this.#state.sizeInBytes;
  }

  get segmentCount(): number {
    return this.#state.segments.length;
  }

  /** What is damaged, with file and position; `null` for a sound log. */
  get corruption(): string | null {
    return this.#corrupt?.problem ?? null;
  }

  /** Takes new settings from now on. */
  updateConfig(config: TopicLogConfig): void {
    const isStricter = config.durability === 'durable' && this.#config.durability !== 'durable';
    this.#config = config;
    // What was only written so far is fsynced, too; `durableOffset` tells when.
    if (isStricter && this.#state.segments.length > 0) this.#shared.flusher.schedule(this);
  }

  /** A new leader epoch begins at the end of the log, also if nothing will be written under it. */
  beginLeaderEpoch(epoch: LeaderEpoch): void {
    this.#state.epochs.assign(epoch, this.#state.logEndOffset);
    if (this.#state.durable !== null) this.#shared.marks.changed(this);
  }

  /**
   * Appends batches, all or none, and returns before they are on disk: `flushedOffset` tells when.
   * Takes `records` over, which must not be changed any more: what is stored and served are these
   * bytes, with offsets, epoch and append time written into them. `epoch` is not looked at for
   * batches of a leader.
   */
  // Hot path: headers only, nothing is awaited.
  append(records: Uint8Array, epoch: LeaderEpoch, origin: AppendOrigin): AppendOutcome {
    const unavailable = this.#refusal(Errors.KAFKA_STORAGE_ERROR);
    if (unavailable !== null) return unavailable;
    assert(!this.#isTruncating, 'nothing is appended while a log is truncated');
    if (this.#shared.flusher.isFull) {
      const bytes = this.#shared.flusher.queuedBytes;
      const detail = `${bytes} bytes wait to be written to the disk; retry later`;
      return { ok: false, row: Errors.BROKER_OVERLOADED, detail };
    }
    const outcome = this.#appender.append(records, epoch, origin, this.#config);
    if (outcome.ok && !outcome.duplicate) this.#shared.flusher.schedule(this);
    return outcome;
  }

  /**
   * Whole batches from the one that holds `from` on (which may begin before it): at least one, more
   * up to `maxBytes`, none that reaches `endOffset` or the end of the log; none if there is none.
   * From memory in the same turn if they are recent.
   */
  read(
    from: Offset,
    maxBytes: number,
    endOffset: Offset,
  ): LogReadOutcome | Promise<LogReadOutcome> {
    const refusal = this.#refusal(Errors.CORRUPT_MESSAGE);
    if (refusal !== null) return refusal;
    return this.#reader.read({ from, maxBytes, endOffset }, this.#config.indexIntervalBytes);
  }

  /**
   * The first record before `end` whose timestamp is `time` (ms) or later, or the first of those with
   * the `largest`, as Kafka's ListOffsets. Throws `StorageError` if the log cannot be read.
   */
  async offsetForTime(time: number | 'largest', end: Offset): Promise<TimedOffset | undefined> {
    const refusal = this.#refusal(Errors.CORRUPT_MESSAGE);
    if (refusal !== null) throw new StorageError(refusal.detail);
    return await this.#reader.offsetForTime(time, end, this.#config.indexIntervalBytes);
  }

  /**
   * Closes the active segment and begins a new one; nothing happens if it is empty, or while the log is
   * truncated, when it reaches beyond the end.
   */
  roll(): void {
    if (this.#refusal(Errors.KAFKA_STORAGE_ERROR) !== null || this.#isTruncating) return;
    if (this.#state.active === undefined || this.#state.active.isEmpty) return;
    this.#appender.closeActive(encodeProducers(this.#state.producers.all()));
    this.#shared.flusher.schedule(this);
  }

  /**
   * Records before `startOffset` are gone for good when this resolves; nothing happens if they were.
   * `startOffset` is at most the flushed offset. Throws `StorageError` if the log is out of service.
   */
  async advanceLogStart(startOffset: Offset): Promise<void> {
    const refusal = this.#refusal(Errors.KAFKA_STORAGE_ERROR);
    if (refusal !== null) throw new StorageError(refusal.detail);
    assert(startOffset <= this.#state.flushedOffset, 'a log starts no later than it is flushed');
    await this.#onDisk(async () => {
      // The log must not start beyond what a power cut leaves, whatever the topic asks.
      await this.#writeCycle({ isDurable: true });
      await this.#trimmer.raiseStart(startOffset);
    });
  }

  /**
   * Deletes the oldest segments by age and size, none that holds records at or above the high
   * watermark. An active segment that is wholly too old is closed first. Also forgets producers.
   *
   * @param nowMs wall clock time; `null` if the clock cannot be trusted: nothing goes by time then
   */
  async applyRetention(nowMs: number | null, highWatermark: Offset): Promise<void> {
    if (this.#refusal(Errors.KAFKA_STORAGE_ERROR) !== null) return;
    if (nowMs !== null) {
      this.#state.producers.expire(nowMs - this.#shared.config.producerIdExpirationMs);
    }
    await this.#onDisk(async () => {
      const before = await this.#trimmer.expiredBefore(this.#config, nowMs, highWatermark);
      const { active, logStartOffset } = this.#state;
      if (before > logStartOffset) {
        // A log keeps its end offset: the file of a new segment is durable before the others go.
        if (active !== undefined && before === active.endOffset) this.roll();
        await this.#writeCycle({ isDurable: true });
      }
      await this.#trimmer.raiseStart(before);
    });
  }

  /**
   * Removes all records from `target` on, and those of the batch that holds it. What was being
   * flushed does not count any more (DESIGN 4b rule 2). Nothing may be appended until it resolves.
   * Throws `StorageError` if the log is out of service.
   */
  async truncateTo(target: Offset): Promise<void> {
    const refusal = this.#refusal(Errors.KAFKA_STORAGE_ERROR);
    if (refusal !== null) throw new StorageError(refusal.detail);
    const state = this.#state;
    if (target >= state.logEndOffset) return;
    assert(target >= state.logStartOffset, 'a log is not truncated before its start');
    this.#isTruncating = true;
    state.generation++;
    this.#endAt(target);
    await this.#onDisk(async () => {
      // Perhaps nothing was written so far, and the folder of an older topic is still in the way.
      await this.#folderIsFree;
      // Files and memory are one when everything is written, also what is cut right after. It is durable
      // before the journal forgets it.
      const { bytes } = await this.#disk.writeQueued(state.segments, true);
      this.#shared.flusher.settled(bytes);
      await this.#journal.void();
      await this.#cutEnd(target);
      this.#isTruncating = false;
    });
  }

  /** One cycle of the flusher. */
  flushCycle(to: 'files' | 'journal'): Promise<void> {
    return this.#onDisk(() => (to === 'journal' ? this.#journalCycle() : this.#writeCycle()));
  }

  get isForJournal(): boolean {
    return this.#config.durability === 'durable' && !this.#lane.isBusy && this.#journal.mayCommit;
  }

  async settleJournal(): Promise<void> {
    await this.#onDisk(() => this.#writeCycle({ isDurable: true }));
  }

  get isBusy(): boolean {
    return this.#lane.isBusy;
  }

  /** Closes the file that is open for writing; the next write opens it again. */
  async letGo(): Promise<void> {
    try {
      await this.#onDisk(() => this.#disk.letGo());
    } catch {
      // The directory is out of service, and its owner has been told.
    }
  }

  /** Brings what is derivable up to date on disk, before the marks are written. */
  async prepareMark(): Promise<void> {
    await this.#onDisk(async () => {
      const { active, producers, logEndOffset } = this.#state;
      if (active === undefined || !active.isNamed || this.#isIdle) return;
      const { producerSnapshotBytes } = this.#shared.config;
      // Indexes only together with the producers: an unclean start reads all from their snapshot on.
      if (this.#appender.bytesSinceSnapshot < producerSnapshotBytes) return;
      // While the log is truncated they know batches from beyond its end.
      if (this.#isTruncating) return;
      this.#appender.bytesSinceSnapshot = 0;
      await this.#disk.saveProducers(logEndOffset, encodeProducers(producers.all()));
      await this.#disk.saveIndexes(active);
    });
  }

  /** What the directory remembers of this log; `null` while it has no folder. */
  mark(): LogMark | null {
    if (this.#corrupt !== null) return this.#corrupt.mark;
    const { topicPartition, topicId } = this;
    const known = this.#state.mark();
    return known === null ? null : { ...known, topicPartition, topicId, isClean: this.#isClean };
  }

  /** What is durable of the segments, each good as long as the log is not closed or changed. */
  scrubTargets(): ScrubTarget[] {
    if (this.#isIdle) return [];
    return scrubTargets(this.#state).map((target) => ({
      ...target,
      isCurrent: () => !this.#isIdle && target.isCurrent(),
    }));
  }

  /** Clean stop: everything is on disk, in order. Nothing can be done with the log afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#onDisk(async () => {
      if (this.#state.isReleased) return;
      await this.#writeCycle();
      const { active, epochs, producers } = this.#state;
      if (this.#corrupt === null && active !== undefined) {
        // The next start passes over what lies before the log start, so the mark must not count it.
        await this.#trimmer.raiseStart(this.#state.logStartOffset);
        const snapshot = encodeProducers(producers.all());
        this.#state.durable = await this.#disk.closeCleanly(active, epochs.format(), snapshot);
        this.#isClean = true;
      }
      await this.#release();
    });
  }

  /** Lets go of the files, without writing; waits for what is under way. */
  async abandon(): Promise<void> {
    this.#isClosed = true;
    await this.#lane.run(() => this.#release());
  }

  get #isIdle(): boolean {
    return this.#state.isReleased || this.#corrupt !== null;
  }

  /** Work on the files: one piece at a time; what fails takes the data directory out of service. */
  #onDisk(work: () => Promise<void>): Promise<void> {
    return this.#lane.run(() => this.#shared.health.guard(work));
  }

  async #journalCycle(): Promise<void> {
    const state = this.#state;
    const { generation, logEndOffset } = state;
    if (this.#isIdle) return;
    const bytes = await this.#journal.commit();
    // Since the flusher asked, the segment was closed.
    if (bytes === null) return await this.#writeCycle();
    this.#shared.flusher.settled(bytes);
    // As with files: what a truncation has overtaken counts for nothing (DESIGN 4b rule 2).
    if (generation !== state.generation) return;
    state.journaledOffset = logEndOffset;
    this.#raiseFlushed(logEndOffset);
  }

  async #writeCycle(options = { isDurable: this.#config.durability === 'durable' }): Promise<void> {
    const state = this.#state;
    if (this.#isIdle || state.active === undefined) return;
    await this.#folderIsFree;
    const { generation, logEndOffset } = state;
    const { point, bytes } = await this.#disk.writeQueued(state.segments, options.isDurable);
    this.#shared.flusher.settled(bytes);
    // What was appended meanwhile is for the next cycle. If a truncation has begun, this one counts
    // for nothing: perhaps it flushed what is being cut (DESIGN 4b rule 2).
    if (generation === state.generation) this.#flushed(logEndOffset, point);
    for (const segment of [...state.segments]) {
      const isComplete = segment.queue.length === 0 && segment.syncedBytes === segment.sizeInBytes;
      if (segment === state.active || segment.isFinished || !isComplete) continue;
      await this.#disk.finish(segment, state.epochs.format());
      this.#shared.marks.changed(this);
    }
  }

  #flushed(endOffset: Offset, point: DurablePoint | null): void {
    const state = this.#state;
    if (state.durable === null) {
      const { baseOffset } = state.segments[0]!;
      state.durable = { endOffset: baseOffset, segmentBase: baseOffset, position: 0 };
      this.#shared.marks.changed(this);
    }
    if (point !== null && isBeyond(point, state.durable)) {
      state.durable = point;
      this.#shared.marks.changed(this);
    }
    state.tail.written(endOffset);
    this.#raiseFlushed(endOffset);
  }

  #raiseFlushed(endOffset: Offset): void {
    if (endOffset <= this.#state.flushedOffset) return;
    this.#state.flushedOffset = endOffset;
    this.onFlushed(endOffset);
  }

  async #cutEnd(target: Offset): Promise<void> {
    try {
      const endOffset = await this.#trimmer.cutEnd(target, this.#config.indexIntervalBytes);
      this.#endAt(endOffset);
      const { baseOffset: segmentBase, syncedBytes: position } = this.#state.active!;
      this.#flushed(endOffset, { endOffset, segmentBase, position });
    } catch (error) {
      if (!(error instanceof CorruptError || error instanceof LogCorruptError)) throw error;
      // It ends somewhere between what it was and what it should be.
      this.#corrupt = { problem: error.message, mark: this.mark() };
    }
  }

  #endAt(endOffset: Offset): void {
    const state = this.#state;
    state.logEndOffset = endOffset;
    if (state.flushedOffset > endOffset) state.flushedOffset = endOffset;
    if (state.journaledOffset > endOffset) state.journaledOffset = endOffset;
    state.tail.truncateTo(endOffset);
  }

  async #release(): Promise<void> {
    this.#state.isReleased = true;
    const { segments, tail } = this.#state;
    tail.clear();
    this.#shared.readAhead.forget(this.#state);
    for (const segment of segments) {
      for (const chunk of segment.queue.slice(segment.journaledChunks)) {
        this.#shared.flusher.settled(chunk.length);
      }
      segment.queue = [];
      await this.#shared.readers.forget(segment);
    }
    await this.#disk.close();
  }

  /** @param row what a damaged log answers */
  #refusal(row: ErrorRow): AppendRefused | null {
    // Who asks may be anybody: what is wrong stands in the log, with its paths, and does not go out.
    if (this.#shared.health.failure !== null) {
      const detail = 'the data directory is out of service; the log of the broker says why';
      return { ok: false, row: Errors.KAFKA_STORAGE_ERROR, detail };
    }
    const name = partitionName(this.topicPartition);
    if (this.#corrupt !== null) {
      return { ok: false, row, detail: `${name} is damaged; the log of the broker says where` };
    }
    if (!this.#isClosed) return null;
    return { ok: false, row: Errors.KAFKA_STORAGE_ERROR, detail: `the log of ${name} is closed` };
  }
}

function isBeyond(point: DurablePoint, other: DurablePoint): boolean {
  if (point.endOffset !== other.endOffset) return point.endOffset > other.endOffset;
  return point.segmentBase > other.segmentBase;
}
