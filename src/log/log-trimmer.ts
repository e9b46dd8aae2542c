import { FileError } from '../env/ports.ts';
import { type Offset, offset, partitionName, type TopicPartition } from '../model/ids.ts';
import { BatchScanner } from './batch-scanner.ts';
import { LogCorruptError } from './disk-health.ts';
import { NO_INDEX } from './durable-marks.ts';
import { addBatches } from './index-files.ts';
import type { LogDisk } from './log-disk.ts';
import type { LogShared } from './log-shared.ts';
import type { LogState } from './log-state.ts';
import { loadProducers, replayProducer } from './producer-files.ts';
import { ProducerStates } from './producer-states.ts';
import { expiryOf } from './retention.ts';
import type { Segment } from './segment.ts';
import { findBatch } from './segment-read.ts';
import { maxTimestampOf } from './time-proof.ts';
import type { TopicLogConfig } from './topic-config.ts';

/**
 * Takes records away from a log: at its start (retention, delete-records) and at its end (a follower
 * that diverged). Everything here runs in the lane of the log, beside no other work on its files.
 */
export class LogTrimmer {
  readonly #topicPartition: TopicPartition;
  readonly #folder: string;
  readonly #shared: LogShared;
  readonly #state: LogState;
  readonly #disk: LogDisk;

  constructor(
    place: { readonly topicPartition: TopicPartition; readonly folder: string },
    shared: LogShared,
    state: LogState,
    disk: LogDisk,
  ) {
    this.#topicPartition = place.topicPartition;
    this.#folder = place.folder;
    this.#shared = shared;
    this.#state = state;
    this.#disk = disk;
  }

  /**
   * Makes `startOffset` the first offset for good, then removes segments wholly before it. The order
   * matters: segments that are missing are damage, unless the marks say that the log starts later.
   */
  async raiseStart(wanted: Offset): Promise<void> {
    const state = this.#state;
    // Since this was decided, a truncation may have begun.
    const startOffset = offset(Math.min(wanted, state.flushedOffset));
    if (startOffset > state.logStartOffset) {
      state.markedStartOffset = startOffset;
      await this.#shared.marks.save();
      state.logStartOffset = startOffset;
      state.epochs.truncateFromStart(startOffset);
    }
    await this.#removeBeforeStart();
  }

  /** Where the log starts when retention has its way. Reads indexes; throws nothing. */
  async expiredBefore(
    config: TopicLogConfig,
    nowMs: number | null,
    highWatermark: Offset,
  ): Promise<Offset> {
    const state = this.#state;
    const limits = nowMs === null ? { ...config, retentionMs: -1 } : config;
    let totalBytes = state.sizeInBytes;
    let startOffset = state.logStartOffset;
    try {
      for (const segment of [...state.segments]) {
        if (segment.isEmpty || segment.endOffset > highWatermark) break;
        const maxTimestampMs = await this.#maxTimestamp(segment, config.indexIntervalBytes);
        const candidate = { sizeInBytes: segment.sizeInBytes, maxTimestampMs };
        const reason = expiryOf(candidate, totalBytes, limits, nowMs ?? 0);
        // The active segment is never deleted for its size.
        if (reason === null || (reason === 'size' && segment === state.active)) break;
        totalBytes -= segment.sizeInBytes;
        startOffset = offset(Math.max(startOffset, segment.endOffset));
      }
    } catch (error) {
      if (!(error instanceof LogCorruptError || error instanceof FileError)) throw error;
      const partition = partitionName(this.#topicPartition);
      this.#shared.reporter.error({ partition, err: error }, 'retention cannot read a log');
    }
    return startOffset;
  }

  /**
   * Cuts the log before the batch that holds `target` and returns where it ends now. Each step is
   * durable before the next, so that a crash at any point leaves a log that is whole: the marks come
   * down first, then segments go from the last one back, then the file is cut.
   */
  async cutEnd(target: Offset, intervalBytes: number): Promise<Offset> {
    const { marks, readers } = this.#shared;
    const state = this.#state;
    const segment = state.segmentOf(target);
    const { cut, indexes } = await readers.use(segment, intervalBytes, async (open) => {
      const found = await findBatch(open, segment, target);
      // Entries at and after the cut go; the batches before it tell the largest timestamp again.
      open.indexes.truncateTo(found.position, found.baseOffset);
      const end = { position: found.position, offset: found.baseOffset };
      const { damages } = await addBatches(open.indexes, open.file, end, intervalBytes);
      const [damage] = damages;
      if (damage !== undefined) {
        const { position, problem } = damage;
        throw new LogCorruptError(`${segment.path('.log')} at byte ${position}: ${problem}`);
      }
      return { cut: found, indexes: open.indexes };
    });
    segment.isFinished = false;
    segment.indexes = indexes;
    segment.savedOffsetEntries = Math.min(segment.savedOffsetEntries, indexes.offsets.count);
    segment.savedTimeEntries = Math.min(segment.savedTimeEntries, indexes.times.count);
    segment.indexMark = NO_INDEX;
    const { position, baseOffset: endOffset } = cut;
    // Together with the durable end: the marks tell of the epochs below it.
    state.epochs.truncateFromEnd(endOffset);
    const isMarkedBeyond = state.durable !== null && state.durable.endOffset > endOffset;
    if (isMarkedBeyond) {
      state.durable = { endOffset, segmentBase: segment.baseOffset, position };
    }
    if (state.logStartOffset > endOffset) {
      // The log started inside the batch that goes. It starts where it ends then, as in Kafka; the
      // leader says where it is to start.
      state.logStartOffset = endOffset;
      state.markedStartOffset = endOffset;
    }
    // Also if they end below the cut: they may tell of segments that were finished beyond it.
    if (state.durable !== null) await marks.save();
    while (state.active !== segment) {
      const last = state.segments.pop()!;
      await readers.forget(last);
      await this.#disk.remove(last, { sync: true });
    }
    await readers.forget(segment);
    await this.#disk.cut(segment, position, endOffset);
    if (position === 0) segment.firstTimestampMs = -1;
    await this.#replayProducers(endOffset, intervalBytes);
    return endOffset;
  }

  async #removeBeforeStart(): Promise<void> {
    const { marks, readers, reporter } = this.#shared;
    const state = this.#state;
    const removed = this.#takeBeforeStart();
    if (removed.length === 0) return;
    const first = state.segments[0]!.baseOffset;
    if (state.durable !== null && state.durable.segmentBase < first) {
      state.durable = { endOffset: first, segmentBase: first, position: 0 };
    }
    // The marks on disk may still lean on a segment that goes.
    await marks.save();
    for (const segment of removed) {
      await readers.forget(segment);
      await this.#disk.remove(segment, { sync: false });
      const { baseOffset, endOffset, sizeInBytes: bytes } = segment;
      const partition = partitionName(this.#topicPartition);
      reporter.info({ partition, baseOffset, endOffset, bytes }, 'deleted a segment');
    }
  }

  /** Takes segments that end before the log start, oldest first, out of the list. */
  #takeBeforeStart(): Segment[] {
    const { segments, logStartOffset } = this.#state;
    let count = 0;
    // What is not finished or named yet is left for the next time.
    while (
      count + 1 < segments.length &&
      segments[count + 1]!.baseOffset <= logStartOffset &&
      segments[count]!.isFinished &&
      segments[count + 1]!.isNamed
    ) {
      count++;
    }
    return segments.splice(0, count);
  }

  async #maxTimestamp(segment: Segment, intervalBytes: number): Promise<number> {
    const { readers, files } = this.#shared;
    const known =
      segment.indexes?.maxTimestampMs ??
      (await readers.use(segment, intervalBytes, (open) => maxTimestampOf(open, segment)));
    if (known >= 0) return known;
    const stat = await files.stat(segment.path('.log'));
    // Not written yet: as young as can be.
    return stat?.modifiedMs ?? Number.MAX_SAFE_INTEGER;
  }

  /** Makes the producers anew: what they sent after the cut is forgotten. */
  async #replayProducers(endOffset: Offset, intervalBytes: number): Promise<void> {
    const state = this.#state;
    const { config, files, reporter, readers, clock } = this.#shared;
    const states = new ProducerStates(config.producerIdsMax);
    const range = { from: state.segments[0]!.baseOffset, to: endOffset };
    const from = await loadProducers(files, this.#folder, range, { states, reporter });
    const nowMs = clock.wallMs();
    for (const segment of state.segments) {
      if (segment.endOffset <= from) continue;
      await readers.use(segment, intervalBytes, async (open) => {
        const { position } = await findBatch(open, segment, from);
        const scanner = new BatchScanner(open.file, { from: position, to: segment.sizeInBytes });
        while (await scanner.fill()) {
          for (let batch = scanner.next(); batch !== null; batch = scanner.next()) {
            if (batch.baseOffset >= from) replayProducer(states, batch, nowMs);
          }
        }
        if (scanner.problem !== null) {
          throw new LogCorruptError(
            `${segment.path('.log')} at byte ${scanner.position}: ${scanner.problem}`,
          );
        }
      });
    }
    state.producers = states;
  }
}
