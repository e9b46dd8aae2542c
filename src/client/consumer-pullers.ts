import type { RecordCursor } from '../records/record-cursor.ts';
import type { FetchedBatch } from './fetch-buffer.ts';
import type { PartitionReader } from './partition-reader.ts';
import type { Puller } from './pull-iterator.ts';
import type { ConsumerRecord, RecordDecoder } from './record-decoder.ts';

/** What a loop over a consumer reads from. */
export interface BatchSource {
  /** The next batch, `undefined` if none is here. May throw. */
  take(): FetchedBatch | undefined;
  /** As in `Puller`. */
  wait(): Promise<boolean>;
  /** Records below `offset` were handed out. */
  advance(reader: PartitionReader, offset: number): void;
  /** As in `Puller`. */
  end(): void;
}

/** The records of one batch that are wanted. */
export interface ConsumedBatch<K = Uint8Array, V = Uint8Array> {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumerRecord<K, V>[];
  /** The position of the partition after this batch. */
  readonly nextOffset: number;
}

interface Current extends FetchedBatch {
  readonly cursor: RecordCursor;
  /** Of the reader, when the batch was taken. */
  readonly generation: number;
}

/** Pulls record after record. */
export class RecordPuller<K, V> implements Puller<ConsumerRecord<K, V>> {
  readonly #source: BatchSource;
  readonly #decoder: RecordDecoder<K, V>;
  #current: Current | undefined;

  constructor(source: BatchSource, decoder: RecordDecoder<K, V>) {
    this.#source = source;
    this.#decoder = decoder;
  }

  pull(): ConsumerRecord<K, V> | undefined | Promise<ConsumerRecord<K, V> | undefined> {
    for (;;) {
      const current = this.#current ?? this.#takeBatch();
      if (current === undefined) return undefined;
      const { reader, batch, cursor, generation } = current;
      // A seek or a pause drops the rest of the batch.
      const isStale = reader.generation !== generation;
      if (!isStale && this.#decoder.advance(cursor, reader)) {
        const record = this.#decoder.decode(cursor, reader);
        if (record instanceof Promise) return this.#whenDecoded(record, current);
        this.#source.advance(reader, record.offset + 1);
        return record;
      }
      this.#current = undefined;
      if (!isStale) this.#source.advance(reader, batch.nextOffset);
    }
  }

  wait(): Promise<boolean> {
    return this.#source.wait();
  }

  end(): void {
    this.#current = undefined;
    this.#source.end();
  }

  #takeBatch(): Current | undefined {
    const taken = this.#source.take();
    if (taken === undefined) return undefined;
    const { reader, batch } = taken;
    const cursor = this.#decoder.cursorOf(batch, reader);
    this.#current = { reader, batch, cursor, generation: reader.generation };
    return this.#current;
  }

  async #whenDecoded(
    decoding: Promise<ConsumerRecord<K, V>>,
    { reader, generation }: Current,
  ): Promise<ConsumerRecord<K, V> | undefined> {
    const record = await decoding;
    // A seek meanwhile means that this record is no longer wanted.
    if (reader.generation !== generation) return undefined;
    this.#source.advance(reader, record.offset + 1);
    return record;
  }
}

/** Pulls batch after batch. */
export class BatchPuller<K, V> implements Puller<ConsumedBatch<K, V>> {
  readonly #source: BatchSource;
  readonly #decoder: RecordDecoder<K, V>;

  constructor(source: BatchSource, decoder: RecordDecoder<K, V>) {
    this.#source = source;
    this.#decoder = decoder;
  }

  pull(): ConsumedBatch<K, V> | undefined | Promise<ConsumedBatch<K, V> | undefined> {
    for (let taken = this.#source.take(); taken !== undefined; taken = this.#source.take()) {
      const { reader, batch } = taken;
      const cursor = this.#decoder.cursorOf(batch, reader);
      const records: ConsumerRecord<K, V>[] = [];
      const promises: Promise<ConsumerRecord<K, V>>[] = [];
      try {
        while (this.#decoder.advance(cursor, reader)) {
          const record = this.#decoder.decode(cursor, reader);
          if (record instanceof Promise) promises.push(record);
          else records.push(record);
        }
      } catch (error) {
        // The records before it are still being checked, and nobody will wait for them.
        void Promise.allSettled(promises);
        throw error;
      }
      if (promises.length > 0) return this.#whenDecoded(taken, records, promises);
      const handedOut = this.#handOut(taken, records);
      if (handedOut !== undefined) return handedOut;
    }
    return undefined;
  }

  wait(): Promise<boolean> {
    return this.#source.wait();
  }

  end(): void {
    this.#source.end();
  }

  /** `undefined` if nothing in the batch is wanted. */
  #handOut(
    { reader, batch }: FetchedBatch,
    records: readonly ConsumerRecord<K, V>[],
  ): ConsumedBatch<K, V> | undefined {
    const { topic, partition } = reader;
    const nextOffset = Math.min(batch.nextOffset, reader.endOffset);
    this.#source.advance(reader, nextOffset);
    return records.length === 0 ? undefined : { topic, partition, records, nextOffset };
  }

  async #whenDecoded(
    taken: FetchedBatch,
    decoded: readonly ConsumerRecord<K, V>[],
    promises: readonly Promise<ConsumerRecord<K, V>>[],
  ): Promise<ConsumedBatch<K, V> | undefined> {
    const { generation } = taken.reader;
    const records = [...decoded, ...(await Promise.all(promises))];
    // A seek meanwhile means that this batch is no longer wanted.
    if (taken.reader.generation !== generation) return undefined;
    return this.#handOut(
      taken,
      records.sort((a, b) => a.offset - b.offset),
    );
  }
}
