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
        const { offset } = cursor;
        if (offset >= reader.position) return offset < reader.endOffset;
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
    // Hot path: no allocation beside the record and its views.
    const { offset, timestamp: timestampMs, headers, key: keyBytes, value: valueBytes } = cursor;
    let key: unknown = null;
    let value: unknown = null;
    try {
      if (keyBytes !== null) key = this.#decodeKey(keyBytes);
      if (valueBytes !== null) value = this.#decodeValue(valueBytes);
    } catch (error) {
      // The key may still be being checked, and nobody will wait for it.
      if (key instanceof Promise) key.catch(() => {});
      throw unreadable(error, { topic, partition, offset });
    }
    const isLater = key instanceof Promise || value instanceof Promise;
    const record = { topic, partition, offset, timestampMs, key, value, headers };
    return isLater ? whenDecoded<K, V>(record) : (record as ConsumerRecord<K, V>);
  }
}

/** The record when its key and value have been checked. */
async function whenDecoded<K, V>(
  record: ConsumerRecord<unknown, unknown>,
): Promise<ConsumerRecord<K, V>> {
  try {
    const [key, value] = await Promise.all([record.key, record.value]);
    return { ...record, key: key as K | null, value: value as V | null };
  } catch (error) {
    throw unreadable(error, record);
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
