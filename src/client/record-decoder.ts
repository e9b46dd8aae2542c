import type { BatchView } from '../records/batch-view.ts';
import type { RecordHeader } from '../records/record.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import { VarveError } from './errors.ts';
import { corruption } from './fetch-buffer.ts';
import type { PartitionReader } from './partition-reader.ts';
import { type Decoder, decoderOf, type Serialization, serializationError } from './serializer.ts';

/** A record that was read. */
export interface ConsumerRecord<K = Uint8Array, V = Uint8Array> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Ms since 1970; -1 if the record has no time. */
  readonly timestampMs: number;
  /** `null` if the record has none. As bytes it is a view: who keeps it keeps its whole message. */
  readonly key: K | null;
  /** `null` is a tombstone. As bytes it is a view: who keeps it keeps its whole message. */
  readonly value: V | null;
  readonly headers: readonly RecordHeader[];
}

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

/** Turns the records of batches into what the program reads. */
export class RecordDecoder<K, V> {
  readonly #decodeKey: Decoder;
  readonly #decodeValue: Decoder;
  readonly #maxDecompressedBytes: number;

  constructor(
    options: { readonly key?: Serialization; readonly value?: Serialization },
    maxDecompressedBytes: number,
  ) {
    this.#decodeKey = decoderOf(options.key ?? 'bytes', 'key');
    this.#decodeValue = decoderOf(options.value ?? 'bytes', 'value');
    this.#maxDecompressedBytes = maxDecompressedBytes;
  }

  /** Walks a batch; throws `VarveError`. */
  cursorOf(batch: BatchView, reader: PartitionReader): RecordCursor {
    try {
      return new RecordCursor(batch, { maxDecompressedBytes: this.#maxDecompressedBytes });
    } catch (error) {
      throw corruption(error, reader);
    }
  }

  /**
   * Moves on to the next record that is wanted: not before the reader's position, nor at or beyond its
   * end. False if the batch has no more.
   */
  advance(cursor: RecordCursor, reader: PartitionReader): boolean {
    try {
      while (cursor.advance()) {
        if (cursor.offset >= reader.position) return cursor.offset < reader.endOffset;
      }
      return false;
    } catch (error) {
      throw corruption(error, reader);
    }
  }

  /** The record that the cursor is at; a promise if a schema checks asynchronously. */
  decode(
    cursor: RecordCursor,
    { topic, partition }: PartitionReader,
  ): ConsumerRecord<K, V> | Promise<ConsumerRecord<K, V>> {
    const { offset, timestamp: timestampMs, headers } = cursor;
    const place = { topic, partition, offset };
    let key: unknown;
    let value: unknown;
    try {
      key = cursor.key === null ? null : this.#decodeKey(cursor.key);
      value = cursor.value === null ? null : this.#decodeValue(cursor.value);
    } catch (error) {
      // The key may still be being checked, and nobody will wait for it.
      if (key instanceof Promise) key.catch(() => {});
      throw unreadable(error, place);
    }
    const make = (k: unknown, v: unknown): ConsumerRecord<K, V> => ({
      topic,
      partition,
      offset,
      timestampMs,
      key: k as K | null,
      value: v as V | null,
      headers: headers.length === 0 ? NO_HEADERS : headers,
    });
    if (!(key instanceof Promise || value instanceof Promise)) return make(key, value);
    return Promise.all([key, value]).then(
      ([k, v]) => make(k, v),
      (error: unknown) => {
        throw unreadable(error, place);
      },
    );
  }
}

type Place = { readonly topic: string; readonly partition: number; readonly offset: number };

function unreadable(cause: unknown, record: Place): VarveError {
  const { topic, partition, offset } = record;
  const { code, message } = serializationError(
    cause,
    `the record at offset ${offset} of ${topic}-${partition} cannot be read; seek past it to leave it out`,
  );
  return new VarveError(code, message, { cause, record });
}
