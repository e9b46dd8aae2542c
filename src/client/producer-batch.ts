import { Compression as Codec, type Compression, compress } from '../codec/compression.ts';
import { ByteWriter } from '../codec/writer.ts';
import { assert } from '../model/assert.ts';
import { type ProducerId, producerId } from '../model/ids.ts';
import { BATCH_HEADER_BYTES, BatchView } from '../records/batch-view.ts';
import { type NewRecord, writeRecord } from '../records/record.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import { type BatchProducer, sealBatch } from '../records/seal-batch.ts';
import type { BatchMemory } from './batch-memory.ts';
import type { VarveError } from './errors.ts';

/** Where a record was stored. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 if the record is stored at an offset that the broker no longer knows (a late repetition). */
  readonly offset: number;
  /** Time of the record in ms since 1970: its own, or that of the append if the topic keeps that. */
  readonly timestampMs: number;
}

/** Length, attributes, time, offset, two lengths and a count at their longest. */
const MOST_RECORD_OVERHEAD_BYTES = 40;
/** Two lengths at their longest. */
const MOST_HEADER_OVERHEAD_BYTES = 10;

/** Tells of each record of a batch what became of it; throws for one that failed. */
interface BatchOutcome {
  metadataOf(index: number): RecordMetadata;
}

/** What every batch of a producer shares. */
export interface ProducerBatchContext {
  readonly compression: Compression;
  readonly memory: BatchMemory;
  /** Told once, when the records of the batch are stored or have failed. */
  readonly onSettled: (batch: ProducerBatch) => void;
  /** Told instead when two halves take the place of the batch. */
  readonly onSplit: (batch: ProducerBatch, halves: readonly ProducerBatch[]) => void;
}

export interface ProducerBatchPlace {
  readonly topic: string;
  readonly partition: number;
  /** Monotonic time in ms from which linger and delivery timeout count. */
  readonly createdMs: number;
  /** Rises from batch to batch of a producer; halves of a batch keep its number. */
  readonly serial: number;
}

/** Who sends a batch: an id and an epoch that the broker may remember the batch by. */
export interface ProducerIdentity {
  readonly id: ProducerId;
  readonly epoch: number;
}

/**
 * Records on their way to one partition: written as they will be sent, with the promises of those who
 * wait for them. It is sealed once and sent as often as needed; only its header changes then.
 */
export class ProducerBatch {
  readonly place: ProducerBatchPlace;
  readonly #context: ProducerBatchContext;
  readonly #writer: ByteWriter;
  readonly #timestamps: number[] = [];
  /** The promise of a record is made of this one: that costs less than one of its own would. */
  readonly #settled = Promise.withResolvers<BatchOutcome>();
  /**
   * One reaction for all of them, instead of a closure each: reactions of a promise run in the order in
   * which they were added, so its n-th call is for the n-th record.
   */
  readonly #tellNext = (outcome: BatchOutcome): RecordMetadata =>
    outcome.metadataOf(this.#toldCount++);
  #toldCount = 0;
  #maxTimestamp = -1;
  #sealed: Uint8Array | undefined;
  #isSettled = false;
  /** What the header says now, once there is one. */
  #identity: ProducerIdentity | undefined;
  #hasHeader = false;
  /** Of its first record; -1 before it has one. */
  baseSequence = -1;
  /** Which batch of its partition it was to be given a sequence. */
  ordinal = -1;
  isInFlight = false;
  /** An attempt ended without an answer that says it was not stored. */
  mayBeStored = false;
  /** A later batch of the partition was stored before this one. */
  wasOvertaken = false;

  /** @param capacity bytes to begin with; more are taken as records come */
  constructor(place: ProducerBatchPlace, capacity: number, context: ProducerBatchContext) {
    this.place = place;
    this.#context = context;
    this.#writer = new ByteWriter(context.memory.take(Math.max(capacity, BATCH_HEADER_BYTES)));
    this.#writer.reserve(BATCH_HEADER_BYTES);
  }

  get recordCount(): number {
    return this.#timestamps.length;
  }

  /** Bytes written so far, not compressed. */
  get plainBytes(): number {
    return this.#writer.length;
  }

  /** Bytes that will be sent, as far as is known before the batch is sealed. */
  get sizeInBytes(): number {
    return (this.#sealed ?? this.#writer).length;
  }

  get isSealed(): boolean {
    return this.#sealed !== undefined;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** What `plainBytes` grows by, at most. */
  static boundOf({ key, value, headers }: NewRecord): number {
    let bytes = MOST_RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    if (headers !== undefined) {
      for (const header of headers) {
        bytes += MOST_HEADER_OVERHEAD_BYTES + header.key.length * 3 + (header.value?.length ?? 0);
      }
    }
    return bytes;
  }

  // Hot path: the record is written at once, and nothing of it is kept but its time.
  append(record: NewRecord): Promise<RecordMetadata> {
    this.#write(record);
    return this.#settled.promise.then(this.#tellNext);
  }

  /** No more records: compresses what is there. */
  seal(): void {
    if (this.#sealed !== undefined) return;
    const plain = this.#writer.toBytes();
    if (this.#context.compression === Codec.none) {
      this.#sealed = plain;
      return;
    }
    const block = compress(this.#context.compression, plain.subarray(BATCH_HEADER_BYTES));
    const bytes = new Uint8Array(BATCH_HEADER_BYTES + block.length);
    bytes.set(block, BATCH_HEADER_BYTES);
    this.#sealed = bytes;
  }

  /**
   * The whole batch; `undefined` for a producer that is not idempotent. The bytes stay ours: copy them
   * before the batch is settled, its memory is used again then.
   */
  bytesFor(identity: ProducerIdentity | undefined): Uint8Array {
    assert(!this.#isSettled, 'a batch that is settled has no bytes');
    this.seal();
    const bytes = this.#sealed!;
    if (identity === this.#identity && this.#hasHeader) return bytes;
    const producer: BatchProducer | undefined =
      identity === undefined ? undefined : { ...identity, baseSequence: this.baseSequence };
    sealBatch(bytes, {
      baseOffset: 0,
      compression: this.#context.compression,
      isTransactional: false,
      isControl: false,
      recordCount: this.recordCount,
      baseTimestamp: this.#timestamps[0]!,
      maxTimestamp: this.#maxTimestamp,
      producer,
    });
    this.#identity = identity;
    this.#hasHeader = true;
    return bytes;
  }

  /** @param logAppendTimeMs -1 if the records keep their own times */
  succeed(baseOffset: number, logAppendTimeMs: number): void {
    assert(!this.#isSettled, 'a batch is settled once');
    this.#isSettled = true;
    const { topic, partition } = this.place;
    const timestamps = this.#timestamps;
    this.#settled.resolve({
      metadataOf: (index) => ({
        topic,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + index,
        timestampMs: logAppendTimeMs < 0 ? timestamps[index]! : logAppendTimeMs,
      }),
    });
    this.#end();
  }

  fail(error: VarveError): void {
    assert(!this.#isSettled, 'a batch is settled once');
    this.#isSettled = true;
    this.#settled.reject(error);
    this.#end();
  }

  /**
   * Two batches with the halves of the records and of the sequences; this one is done then. Its
   * records keep their promises.
   */
  split(): [first: ProducerBatch, second: ProducerBatch] {
    assert(this.recordCount > 1, 'a batch of one record cannot be split');
    const plain = this.#writer.toBytes();
    sealBatch(plain, {
      baseOffset: 0,
      compression: Codec.none,
      isTransactional: false,
      isControl: false,
      recordCount: this.recordCount,
      baseTimestamp: this.#timestamps[0]!,
      maxTimestamp: this.#maxTimestamp,
      producer: undefined,
    });
    const cursor = new RecordCursor(new BatchView(plain, 0), { maxDecompressedBytes: 0 });
    const middle = this.recordCount >>> 1;
    const first = this.#take(cursor, 0, middle);
    const second = this.#take(cursor, middle, this.recordCount);
    this.#isSettled = true;
    void Promise.allSettled([first.#settled.promise, second.#settled.promise]).then(
      ([one, other]) =>
        this.#settled.resolve({
          metadataOf: (index) =>
            index < middle
              ? settledOutcome(one).metadataOf(index)
              : settledOutcome(other).metadataOf(index - middle),
        }),
    );
    this.#context.onSplit(this, [first, second]);
    return [first, second];
  }

  #end(): void {
    this.#context.memory.give(this.#writer.memory);
    this.#context.onSettled(this);
  }

  #write(record: NewRecord): void {
    const count = this.#timestamps.length;
    const timestampDelta = count === 0 ? 0 : record.timestampMs - this.#timestamps[0]!;
    writeRecord(this.#writer, record, { offsetDelta: count, timestampDelta });
    if (record.timestampMs > this.#maxTimestamp) this.#maxTimestamp = record.timestampMs;
    this.#timestamps.push(record.timestampMs);
  }

  #take(cursor: RecordCursor, start: number, end: number): ProducerBatch {
    const half = new ProducerBatch(this.place, this.#writer.length >>> 1, this.#context);
    for (let i = start; i < end; i++) {
      assert(cursor.advance(), 'a batch has as many records as were written');
      const { key, value, headers } = cursor;
      half.#write({ key, value, headers, timestampMs: this.#timestamps[i]! });
    }
    half.seal();
    half.mayBeStored = this.mayBeStored;
    half.wasOvertaken = this.wasOvertaken;
    half.ordinal = this.ordinal;
    if (this.baseSequence >= 0) half.baseSequence = sequenceAfter(this.baseSequence, start);
    return half;
  }
}

function settledOutcome(result: PromiseSettledResult<BatchOutcome>): BatchOutcome {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** The sequence `count` steps on; after 2^31-1 comes 0. */
export const sequenceAfter = (sequence: number, count: number): number =>
  (sequence + count) % 0x8000_0000;

/** The identity of the next epoch; `undefined` if there is none and a new id is needed. */
export const nextEpoch = ({ id, epoch }: ProducerIdentity): ProducerIdentity | undefined =>
  epoch < 0x7fff ? { id: producerId(id), epoch: epoch + 1 } : undefined;
