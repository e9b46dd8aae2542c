import { CorruptError } from '../codec/reader.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { type LeaderEpoch, type Offset, offset } from '../model/ids.ts';
import type { BatchView } from '../records/batch-view.ts';
import { refusalOfCorrupt, splitBatches } from '../records/validate-batch.ts';
import { checkFollowedBatches, checkLedBatches } from './append-check.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';
import { admitBatches, type Repetition } from './producer-admission.ts';
import { replayProducer } from './producer-files.ts';
import { encodeProducers, type ProducerSnapshot } from './producer-snapshot.ts';
import { Segment } from './segment.ts';
import type { TopicLogConfig } from './topic-config.ts';

/**
 * Who hands batches to a log. `client` and `coordinator`: this broker leads and gives out offsets; a
 * coordinator may write control batches. `leader`: this broker follows, offsets and epochs stay.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'leader';

export interface Appended {
  readonly ok: true;
  readonly baseOffset: Offset;
  readonly lastOffset: Offset;
  /** -1 unless the topic has LogAppendTime. */
  readonly logAppendTimeMs: number;
  /** The batches were stored before, at these offsets; nothing was appended now. */
  readonly duplicate: boolean;
}

export interface AppendRefused {
  readonly ok: false;
  readonly row: ErrorRow;
  readonly detail: string;
}

export type AppendOutcome = Appended | AppendRefused;

/** Relative offsets and positions in indexes are 32 bits wide. */
const MAX_INT32 = 2 ** 31 - 1;

/** Appends to a log: checks, gives out offsets, and changes the state in memory; nothing is awaited. */
export class LogAppender {
  /** Since producers were saved last. */
  bytesSinceSnapshot = 0;
  readonly #folder: string;
  readonly #shared: LogShared;
  readonly #state: LogState;

  constructor(folder: string, shared: LogShared, state: LogState) {
    this.#folder = folder;
    this.#shared = shared;
    this.#state = state;
  }

  append(
    records: Uint8Array,
    epoch: LeaderEpoch,
    origin: AppendOrigin,
    config: TopicLogConfig,
  ): AppendOutcome {
    let batches: BatchView[];
    try {
      batches = splitBatches(records);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      return { ok: false, ...refusalOfCorrupt(error) };
    }
    if (batches.length === 0) {
      const detail = 'the append has no batch, give at least one';
      return { ok: false, row: Errors.INVALID_RECORD, detail };
    }
    const appending = { records, batches, config };
    return origin === 'leader' ? this.#follow(appending) : this.#lead(appending, epoch, origin);
  }

  /** Begins a new segment. `producers` are those at the end of the one that is closed. */
  closeActive(producers: ProducerSnapshot): void {
    const { active, segments, logEndOffset } = this.#state;
    if (active !== undefined) active.producersAtEnd = producers;
    segments.push(new Segment(this.#folder, logEndOffset));
    this.bytesSinceSnapshot = 0;
  }

  #lead(appending: Appending, epoch: LeaderEpoch, origin: 'client' | 'coordinator'): AppendOutcome {
    const { batches, config } = appending;
    const state = this.#state;
    const nowMs = this.#shared.clock.wallMs();
    const refusal = checkLedBatches(batches, config, origin, nowMs);
    if (refusal !== null) return { ok: false, ...refusal };
    if (epoch < state.epochs.latestEpoch) {
      const detail = `leader epoch ${epoch} is older than ${state.epochs.latestEpoch}, which the log has`;
      return { ok: false, row: Errors.FENCED_LEADER_EPOCH, detail };
    }
    const isAppendTime = config.messageTimestampType === 'LogAppendTime';
    if (isAppendTime) for (const batch of batches) batch.setLogAppendTime(nowMs);
    // Before the batches change the producers: a snapshot stands at the end of a segment.
    const atRoll = this.#snapshotIfRolling(appending);
    const verdict = admitBatches(state.producers, batches, state.logEndOffset, nowMs);
    if (verdict !== null) {
      return 'row' in verdict ? { ok: false, ...verdict } : repeated(verdict, isAppendTime);
    }
    if (atRoll !== null) this.closeActive(atRoll);
    const baseOffset = state.logEndOffset;
    let at = baseOffset;
    for (const batch of batches) {
      batch.assignOffset(at, epoch);
      at = batch.nextOffset;
    }
    state.epochs.learn(epoch, baseOffset);
    this.#add(appending);
    const logAppendTimeMs = isAppendTime ? nowMs : -1;
    return { ok: true, baseOffset, lastOffset: offset(at - 1), logAppendTimeMs, duplicate: false };
  }

  #follow(appending: Appending): AppendOutcome {
    const { batches } = appending;
    const state = this.#state;
    const baseOffset = state.logEndOffset;
    const refusal = checkFollowedBatches(batches, baseOffset, state.epochs.latestEpoch);
    if (refusal !== null) return { ok: false, ...refusal };
    const atRoll = this.#snapshotIfRolling(appending);
    if (atRoll !== null) this.closeActive(atRoll);
    const nowMs = this.#shared.clock.wallMs();
    for (const batch of batches) {
      replayProducer(state.producers, batch, nowMs);
      state.epochs.learn(batch.leaderEpoch, batch.baseOffset);
    }
    this.#add(appending);
    const lastOffset = offset(state.logEndOffset - 1);
    return { ok: true, baseOffset, lastOffset, logAppendTimeMs: -1, duplicate: false };
  }

  /** Adds batches that have their offsets to the active segment. */
  #add(appending: Appending): void {
    const { records, batches, config } = appending;
    const state = this.#state;
    if (state.active === undefined)
      state.segments.push(new Segment(this.#folder, state.logEndOffset));
    const segment = state.active!;
    const indexes = segment.indexes!;
    if (segment.isEmpty) segment.firstTimestampMs = batches[0]!.maxTimestamp;
    const baseOffset = state.logEndOffset;
    for (const batch of batches) {
      const { lastOffset, maxTimestamp, sizeInBytes } = batch;
      indexes.add(segment.sizeInBytes, lastOffset, maxTimestamp, config.indexIntervalBytes);
      segment.sizeInBytes += sizeInBytes;
      segment.endOffset = batch.nextOffset;
    }
    segment.queue.push(records);
    state.logEndOffset = segment.endOffset;
    state.tail.append(records, baseOffset, segment.endOffset);
    this.bytesSinceSnapshot += records.length;
    this.#shared.flusher.queued(records.length);
  }

  /** The producers as they are, if the batches must go into a new segment; else `null`. */
  #snapshotIfRolling(appending: Appending): ProducerSnapshot | null {
    return this.#mustRoll(appending) ? encodeProducers(this.#state.producers.all()) : null;
  }

  #mustRoll({ records, batches, config }: Appending): boolean {
    const segment = this.#state.active;
    if (segment === undefined || segment.isEmpty) return false;
    const size = segment.sizeInBytes + records.length;
    const last = batches.at(-1)!;
    let count = 0;
    for (const batch of batches) count += batch.lastOffsetDelta + 1;
    // Kafka's clock for this is the records' own, so that replicas roll at the same place.
    const hasAge = segment.firstTimestampMs >= 0 && last.maxTimestamp >= 0;
    return (
      size > Math.min(config.segmentBytes, MAX_INT32) ||
      (hasAge && last.maxTimestamp - segment.firstTimestampMs > config.segmentMs) ||
      segment.indexes!.isFull(config.segmentIndexBytes) ||
      this.#state.logEndOffset + count - segment.baseOffset > MAX_INT32
    );
  }
}

interface Appending {
  readonly records: Uint8Array;
  readonly batches: readonly BatchView[];
  readonly config: TopicLogConfig;
}

function repeated({ first, last }: Repetition, isAppendTime: boolean): Appended {
  return {
    ok: true,
    baseOffset: first.firstOffset,
    lastOffset: last.lastOffset,
    logAppendTimeMs: isAppendTime ? first.timestampMs : -1,
    duplicate: true,
  };
}
