import { Compression, compress } from '../codec/compression.ts';
import { ByteWriter } from '../codec/writer.ts';
import { assert } from '../model/assert.ts';
import { BATCH_HEADER_BYTES } from './batch-view.ts';
import { type NewRecord, type RecordPlace, recordBytes, writeRecord } from './record.ts';
import { type BatchProducer, sealBatch } from './seal-batch.ts';

export interface BatchBuilderOptions {
  readonly compression: Compression;
  /** Makes the batch idempotent. */
  readonly producer?: BatchProducer;
  /** Needs a producer. */
  readonly isTransactional?: boolean;
}

/**
 * Builds one batch as Kafka's Java client would, byte for byte while it is not compressed. Records
 * carry the producer's time; only a log turns it into append time (`BatchView.setLogAppendTime`).
 * How large a batch may get is the caller's rule: ask `sizeAfter` before `append`.
 */
export class BatchBuilder {
  readonly #options: BatchBuilderOptions;
  readonly #writer = new ByteWriter();
  #recordCount = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;
  #isBuilt = false;

  constructor(options: BatchBuilderOptions) {
    assert(
      options.isTransactional !== true || options.producer !== undefined,
      'a transactional batch has a producer',
    );
    this.#options = options;
    this.#writer.reserve(BATCH_HEADER_BYTES);
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Size of the batch so far if it were not compressed, header included. */
  get estimatedBytes(): number {
    return this.#writer.length;
  }

  /** What `estimatedBytes` would be after appending `record`. */
  sizeAfter(record: NewRecord): number {
    return this.#writer.length + recordBytes(record, this.#placeOf(record));
  }

  append(record: NewRecord): void {
    const { timestampMs } = record;
    assert(!this.#isBuilt, 'a batch that was built takes no more records');
    assert(
      Number.isSafeInteger(timestampMs) && timestampMs >= -1,
      'a timestamp is a safe integer from -1',
    );
    if (this.#recordCount === 0) this.#baseTimestamp = timestampMs;
    this.#maxTimestamp = Math.max(this.#maxTimestamp, timestampMs);
    writeRecord(this.#writer, record, this.#placeOf(record));
    this.#recordCount++;
  }

  /**
   * Compresses the records and writes the header; the builder is done then. What is returned may be
   * a view of a larger buffer. Brokers take batches from offset 0 only and place them themselves.
   */
  build(baseOffset = 0): Uint8Array {
    assert(this.#recordCount > 0, 'a batch that is built has records');
    assert(!this.#isBuilt, 'a batch is built once');
    this.#isBuilt = true;
    const bytes = this.#compressed();
    sealBatch(bytes, {
      baseOffset,
      compression: this.#options.compression,
      isTransactional: this.#options.isTransactional ?? false,
      isControl: false,
      recordCount: this.#recordCount,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producer: this.#options.producer,
    });
    return bytes;
  }

  #placeOf(record: NewRecord): RecordPlace {
    const timestampDelta = this.#recordCount === 0 ? 0 : record.timestampMs - this.#baseTimestamp;
    return { offsetDelta: this.#recordCount, timestampDelta };
  }

  #compressed(): Uint8Array {
    const plain = this.#writer.toBytes();
    const { compression } = this.#options;
    if (compression === Compression.none) return plain;
    const block = compress(compression, plain.subarray(BATCH_HEADER_BYTES));
    const bytes = new Uint8Array(BATCH_HEADER_BYTES + block.length);
    bytes.set(block, BATCH_HEADER_BYTES);
    return bytes;
  }
}
