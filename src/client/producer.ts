import { orAbort } from '../env/abortable.ts';
import type { RecordHeader } from '../records/record.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Admission } from './admission.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import { argumentError, closedError, VarveError } from './errors.ts';
import { partitionIndex, topicName, wholeNumber } from './options.ts';
import { ProducerBatch, type RecordMetadata } from './producer-batch.ts';
import { ProducerIds } from './producer-ids.ts';
import { type ProducerLimits, type ProducerOptions, producerSettings } from './producer-options.ts';
import { RecordAccumulator } from './record-accumulator.ts';
import { Sender } from './sender.ts';
import {
  type Encoder,
  encoderOf,
  type InputOf,
  type Serialization,
  serializationError,
} from './serializer.ts';
import { TurnClock } from './turn-clock.ts';

/** A record to send. Bytes are copied, but not before there is room: leave them alone until then. */
export interface ProducerRecord<K, V> {
  readonly topic: string;
  /** Records with equal keys go to the same partition; `null` or not given is none. */
  readonly key?: K | null;
  /** `null` is a tombstone: in a compacted topic it deletes what has the same key. */
  readonly value: V | null;
  /** Named values beside the record's own; a string is written as UTF-8. */
  readonly headers?:
    | Readonly<Record<string, Uint8Array | string | null>>
    | readonly OutgoingHeader[];
  /** Goes exactly there. */
  readonly partition?: number;
  /** Ms since 1970; now, if not given. */
  readonly timestampMs?: number;
}

/** For headers whose order counts, or whose names repeat. */
export interface OutgoingHeader {
  readonly key: string;
  readonly value: Uint8Array | string | null;
}

export interface SendOptions {
  /**
   * Gives up waiting. A record that still waits for its topic or for room is not sent then; one that
   * is in a batch may be stored nonetheless.
   */
  readonly signal?: AbortSignal;
}

/** What a producer shares with the client it comes from. */
export interface ProducerParts {
  readonly channels: BrokerChannels;
  readonly metadata: ClusterMetadata;
  readonly logger: Logger;
  readonly limits: ProducerLimits;
  readonly onClosed: () => void;
}

const NO_HEADERS: readonly RecordHeader[] = [];

/**
 * Sends records, in batches. Calls to one partition are stored in the order in which they were made.
 */
export class Producer<K extends Serialization = 'bytes', V extends Serialization = 'bytes'> {
  readonly #clock: TurnClock;
  readonly #encodeKey: Encoder;
  readonly #encodeValue: Encoder;
  readonly #maxRecordBytes: number;
  readonly #accumulator: RecordAccumulator;
  readonly #admission: Admission;
  readonly #sender: Sender;
  readonly #stops: readonly (() => void)[];
  #closing: Promise<void> | undefined;

  constructor(options: ProducerOptions<K, V>, env: ClientEnv, parts: ProducerParts) {
    const settings = producerSettings(options, parts.limits);
    const { partitioner } = options;
    const { channels, metadata, logger } = parts;
    this.#clock = new TurnClock(env);
    this.#encodeKey = encoderOf(options.key ?? 'bytes', 'key');
    this.#encodeValue = encoderOf(options.value ?? 'bytes', 'value');
    this.#maxRecordBytes = Math.min(parts.limits.maxBatchBytes, settings.bufferBytes);
    const wake = (): void => this.#sender.wake();
    const accumulator = new RecordAccumulator(settings, env, {
      onWork: wake,
      onBegun: (queue) => this.#sender.begun(queue),
      onRoom: () => this.#admission.admit(),
    });
    const ids = settings.isIdempotent
      ? new ProducerIds(settings.requestTimeoutMs, env, channels, wake)
      : undefined;
    this.#accumulator = accumulator;
    this.#admission = new Admission({ ...settings, partitioner }, env, metadata, accumulator);
    this.#sender = new Sender(settings, env, { channels, metadata, accumulator, ids, logger });
    this.#stops = [
      metadata.onChange(() => this.#admission.refresh()),
      metadata.keepFresh(() => this.#admission.topics()),
      parts.onClosed,
    ];
  }

  /**
   * Sends one record; the promise tells where it was stored. Waits while the buffer is full. Fails
   * with a `VarveError`, of which only OUTCOME_UNKNOWN leaves open whether the record is stored, or
   * with the reason of the signal.
   */
  send(
    record: ProducerRecord<InputOf<K>, InputOf<V>>,
    options?: SendOptions,
  ): Promise<RecordMetadata> {
    try {
      if (this.#closing !== undefined) throw closedError('producer');
      const signal = options?.signal;
      signal?.throwIfAborted();
      const sent = this.#sendNow(record, signal);
      return signal === undefined ? sent : orAbort(sent, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends records and waits for all. Fails with the first error; the others are sent nonetheless. */
  sendBatch(
    records: readonly ProducerRecord<InputOf<K>, InputOf<V>>[],
    options?: SendOptions,
  ): Promise<RecordMetadata[]> {
    return Promise.all(records.map((record) => this.send(record, options)));
  }

  /** Resolves when every record sent before is stored or has failed; nothing lingers meanwhile. */
  async flush(options?: SendOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    await orAbort(this.#flush(), options?.signal);
  }

  /**
   * Takes no more records, waits for those that are under way (or the signal), and ends the streams.
   * What has no answer by then fails.
   */
  close(options?: SendOptions): Promise<void> {
    this.#closing ??= this.#close(options?.signal);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // Hot path: what is allocated is the record as it will be written, and the promise.
  #sendNow(
    given: ProducerRecord<InputOf<K>, InputOf<V>>,
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata> {
    const topic = topicName(given.topic);
    const { key, value, headers, partition, timestampMs } = given;
    const record = {
      key: key === undefined || key === null ? null : this.#encode('key', topic, key),
      value: value === null ? null : this.#encode('value', topic, value),
      headers: headers === undefined ? NO_HEADERS : headersOf(headers),
      timestampMs: timestampMs === undefined ? this.#clock.wallMs() : timeOf(timestampMs),
    };
    const bytes = ProducerBatch.boundOf(record);
    if (bytes > this.#maxRecordBytes) {
      throw new VarveError(
        'MESSAGE_TOO_LARGE',
        `a record for ${topic} takes ${bytes} bytes; at most ${this.#maxRecordBytes} can be sent (bufferBytes, and grpc.message.max.bytes of the broker)`,
      );
    }
    const wanted = partition === undefined ? -1 : partitionIndex(partition, topic);
    return this.#admission.send(topic, record, wanted, signal);
  }

  #encode(what: 'key' | 'value', topic: string, value: unknown): Uint8Array {
    let bytes: unknown;
    try {
      bytes = what === 'key' ? this.#encodeKey(value) : this.#encodeValue(value);
    } catch (error) {
      throw serializationError(error, `cannot write the ${what} of a record for ${topic}`);
    }
    if (bytes instanceof Uint8Array) return bytes;
    throw new VarveError(
      'SERIALIZATION_FAILED',
      `the serializer of the ${what} gave ${typeof bytes} for ${topic}; it must give a Uint8Array`,
    );
  }

  async #flush(): Promise<void> {
    const waiting = this.#admission.waiting();
    await Promise.all([this.#accumulator.flush(), Promise.allSettled(waiting)]);
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    // Only the signal fails this; what is not done by then fails below.
    await orAbort(this.#flush(), signal).catch(() => {});
    for (const stop of this.#stops) stop();
    const error = closedError('producer');
    this.#admission.close(error);
    await this.#sender.close(error);
  }
}

const timeOf = (timestampMs: number): number =>
  wholeNumber('the timestampMs of a record', timestampMs, { min: 0 });

function headersOf(given: NonNullable<ProducerRecord<never, never>['headers']>): RecordHeader[] {
  const pairs = isList(given)
    ? given
    : Object.entries(given).map(([key, value]) => ({ key, value }));
  return pairs.map(({ key, value }) => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    const isRight = typeof key === 'string' && (bytes === null || bytes instanceof Uint8Array);
    if (isRight) return { key, value: bytes };
    throw argumentError(
      `header ${JSON.stringify(key)} must have a text as its name and a Uint8Array, a string or null as its value`,
    );
  });
}

/** `Array.isArray` does not tell the compiler of arrays that cannot be written to. */
const isList = <T>(
  value: Readonly<Record<string, unknown>> | readonly T[],
): value is readonly T[] => Array.isArray(value);
