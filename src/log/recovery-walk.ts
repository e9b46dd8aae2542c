import { CorruptError } from '../codec/reader.ts';
import type { File } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import type { Offset } from '../model/ids.ts';
import { BATCH_HEADER_BYTES, BatchField, type BatchView } from '../records/batch-view.ts';
import { BatchScanner } from './batch-scanner.ts';
import type { LogMark } from './durable-marks.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import { replayProducer } from './producer-files.ts';
import type { ProducerStates } from './producer-states.ts';
import type { Segment } from './segment.ts';

/** What the walk leans on and what it fills in. */
export interface WalkContext {
  readonly mark: LogMark | undefined;
  readonly intervalBytes: number;
  readonly nowMs: number;
  readonly replayFrom: Offset;
  readonly logStartOffset: Offset;
  readonly epochs: LeaderEpochs;
  readonly producers: ProducerStates;
  /** Called for every chunk with how many bytes of it were checked. */
  readonly onScanned: (bytes: number) => void;
}

/**
 * One walk through a segment during recovery: checks every batch against the one before, the mark
 * and the leader epochs, fills in indexes, epochs and producers, and writes again what lies above
 * the mark. It stops at the first thing that is wrong and judges nothing.
 */
export class RecoveryWalk {
  /** Bytes from here on are above the mark; infinite if the whole segment is below it. */
  readonly rewriteFrom: number;
  readonly #segment: Segment;
  readonly #file: File;
  readonly #context: WalkContext;
  #position = 0;
  #nextOffset: Offset;
  #problem: string | null = null;
  /** The chunk before, on its way to the disk. */
  #writing: Promise<void> = Promise.resolve();

  constructor(segment: Segment, file: File, context: WalkContext) {
    this.#segment = segment;
    this.#file = file;
    this.#context = context;
    this.#nextOffset = segment.baseOffset;
    const { mark } = context;
    if (mark === undefined || segment.baseOffset > mark.segmentBase) this.rewriteFrom = 0;
    else if (segment.baseOffset === mark.segmentBase) this.rewriteFrom = mark.position;
    else this.rewriteFrom = Number.POSITIVE_INFINITY;
  }

  /** End of what is sound. */
  get position(): number {
    return this.#position;
  }

  get nextOffset(): Offset {
    return this.#nextOffset;
  }

  /** What is at `position` that should not be there; `null` if the segment is sound. */
  get problem(): string | null {
    return this.#problem;
  }

  /** @param from 0, or the position of a batch that the indexes of the segment have an entry of */
  async run(from: number): Promise<void> {
    const scanner = new BatchScanner(this.#file, { from, to: this.#segment.sizeInBytes });
    this.#position = from;
    let isFirst = from > 0;
    try {
      while (this.#problem === null && (await scanner.fill())) {
        const chunkPosition = this.#position;
        for (let batch = scanner.next(); batch !== null; batch = scanner.next()) {
          this.#problem = this.#problemOf(batch, scanner.position, isFirst);
          if (this.#problem !== null) break;
          isFirst = false;
          this.#take(batch);
          this.#position = scanner.position;
        }
        this.#context.onScanned(this.#position - chunkPosition);
        // One chunk is written while the next is read and checked.
        await this.#writing;
        this.#writing = this.#rewrite(scanner, chunkPosition);
        // It is awaited, in any case; until then it may fail unseen.
        this.#writing.catch(() => {});
      }
    } finally {
      await this.#writing;
    }
    this.#problem ??= scanner.problem;
  }

  /** Largest timestamp of the first batch of a segment. */
  static async firstTimestamp(file: File): Promise<number> {
    const header = await file.read(0, BATCH_HEADER_BYTES);
    assert(header.length === BATCH_HEADER_BYTES, 'a segment that is not empty has a batch');
    const view = new DataView(header.buffer, header.byteOffset);
    const at = BatchField.maxTimestamp;
    return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
  }

  #problemOf(batch: BatchView, end: number, isFirst: boolean): string | null {
    const { mark, epochs, logStartOffset } = this.#context;
    const { baseOffset, nextOffset } = batch;
    if (isFirst) {
      if (this.#segment.indexes?.agreesWith(this.#position, batch.lastOffset) !== true) {
        return `a batch from ${baseOffset} that the index knows otherwise`;
      }
    } else if (baseOffset !== this.#nextOffset) {
      return `a batch from offset ${baseOffset} where ${this.#nextOffset} is next`;
    }
    if (this.#position < this.rewriteFrom && end >= this.rewriteFrom) {
      if (end !== this.rewriteFrom || nextOffset !== mark?.endOffset) {
        return `a batch that ends at byte ${end} before offset ${nextOffset} does not fit the mark at byte ${this.rewriteFrom}, offset ${mark?.endOffset}`;
      }
    }
    if (this.#position < this.rewriteFrom) {
      const known = epochs.epochAt(batch.lastOffset);
      if (batch.lastOffset >= logStartOffset && known !== batch.leaderEpoch) {
        return `a batch of leader epoch ${batch.leaderEpoch} where ${known} is known`;
      }
    } else if (batch.leaderEpoch < epochs.latestEpoch) {
      return `a batch of leader epoch ${batch.leaderEpoch} after one of ${epochs.latestEpoch}`;
    }
    return this.#replay(batch);
  }

  #replay(batch: BatchView): string | null {
    const { replayFrom, producers, nowMs } = this.#context;
    if (batch.baseOffset < replayFrom) return null;
    try {
      replayProducer(producers, batch, nowMs);
      return null;
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      return error.message;
    }
  }

  #take(batch: BatchView): void {
    const { epochs, intervalBytes, logStartOffset } = this.#context;
    const { indexes } = this.#segment;
    indexes?.add(this.#position, batch.lastOffset, batch.maxTimestamp, intervalBytes);
    // Epochs of records that are deleted stay forgotten.
    if (batch.lastOffset >= logStartOffset) epochs.learn(batch.leaderEpoch, batch.baseOffset);
    this.#nextOffset = batch.nextOffset;
  }

  /** Writes the sound bytes of the chunk that lie above the mark to where they are. */
  async #rewrite(scanner: BatchScanner, chunkPosition: number): Promise<void> {
    const from = Math.max(chunkPosition, this.rewriteFrom);
    if (from >= this.#position) return;
    const bytes = scanner.scannedFrom(from).subarray(0, this.#position - from);
    await this.#file.write(from, [bytes]);
  }
}
