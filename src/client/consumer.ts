import { orAbort } from '../env/abortable.ts';
import type { TopicPartition } from '../model/ids.ts';
import { partitionName } from '../model/ids.ts';
import type { ClientEnv } from './client-env.ts';
import type { TopicMetadata } from './cluster-metadata.ts';
import {
  type ConsumerOptions,
  type ConsumerSettings,
  consumerSettings,
  startPosition,
} from './consumer-options.ts';
import {
  BatchPuller,
  type BatchSource,
  type ConsumedBatch,
  RecordPuller,
} from './consumer-pullers.ts';
import { argumentError, closedError } from './errors.ts';
import { Fetcher, type FetcherParts } from './fetcher.ts';
import { partitionIndex, topicName } from './options.ts';
import { PartitionReader, ReaderTable } from './partition-reader.ts';
import { PullIterator } from './pull-iterator.ts';
import { type ConsumerRecord, RecordDecoder } from './record-decoder.ts';
import type { OutputOf, Serialization } from './serializer.ts';

/** Where to go on in a partition. */
export type SeekTarget = TopicPartition &
  (
    | { readonly offset: number; readonly timestampMs?: undefined }
    | { readonly timestampMs: number; readonly offset?: undefined }
  );

/** What a consumer shares with the client it comes from. */
export interface ConsumerParts extends FetcherParts {
  readonly requestTimeoutMs: number;
  readonly onClosed: () => void;
}

/**
 * Reads records, in the order of their offsets within a partition:
 *
 *     for await (const record of consumer) …
 *
 * or batch by batch with `batches()`, which costs less. One loop at a time. Leaving a loop ends the
 * fetching; another loop goes on where the last record was handed out.
 */
export class Consumer<K extends Serialization = 'bytes', V extends Serialization = 'bytes'>
  implements AsyncIterable<ConsumerRecord<OutputOf<K>, OutputOf<V>>>
{
  readonly #settings: ConsumerSettings;
  readonly #env: ClientEnv;
  readonly #parts: ConsumerParts;
  readonly #signal: AbortSignal | undefined;
  readonly #decoder: RecordDecoder<OutputOf<K>, OutputOf<V>>;
  readonly #readers = new ReaderTable();
  readonly #paused = new Set<string>();
  readonly #stops: readonly (() => void)[];
  #start: Promise<void> | undefined;
  #fetcher: Fetcher | undefined;
  #isIterating = false;
  #closed = false;

  constructor(options: ConsumerOptions<K, V>, env: ClientEnv, parts: ConsumerParts) {
    this.#settings = consumerSettings(options, parts);
    this.#env = env;
    this.#parts = parts;
    this.#signal = options.signal;
    this.#decoder = new RecordDecoder(options, this.#settings.maxDecompressedBytes);
    const { metadata } = parts;
    const { subscription } = this.#settings;
    this.#stops = [
      metadata.onChange(() => this.#adoptNewPartitions()),
      metadata.keepFresh(() => subscription.keys()),
      parts.onClosed,
    ];
  }

  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<OutputOf<K>, OutputOf<V>>, undefined> {
    this.#begin();
    return new PullIterator(new RecordPuller(this.#source(), this.#decoder));
  }

  /**
   * The same records, a batch at a time, as producers made them. The position moves past a batch when
   * it is handed out.
   */
  batches(): AsyncIterable<ConsumedBatch<OutputOf<K>, OutputOf<V>>> {
    return {
      [Symbol.asyncIterator]: () => {
        this.#begin();
        return new PullIterator(new BatchPuller(this.#source(), this.#decoder));
      },
    };
  }

  /**
   * Goes on in a partition at an offset, or at the first record of a time or later. When it has
   * resolved, nothing from before is handed out, not even the rest of a batch that is being read.
   */
  async seek(target: SeekTarget): Promise<void> {
    const { offset, timestampMs } = target;
    const position = startPosition(offset === undefined ? { timestampMs } : { offset });
    await this.#started();
    const reader = this.#reader(target);
    const { readCommitted, requestTimeoutMs: timeoutMs } = this.#settings;
    const { offsets } = this.#parts;
    const found = await offsets.find([reader], position, { readCommitted, timeoutMs });
    if (this.#closed) throw closedError('consumer');
    this.#fetcher?.stop(reader);
    reader.moveTo(found[0]!);
    this.#fetcher?.wake();
  }

  /** Hands out nothing more of these partitions until `resume`; what was fetched is dropped. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) {
      this.#paused.add(nameOf(one));
      const reader = this.#readers.get(one.topic, one.partition);
      if (reader === undefined) continue;
      reader.isPaused = true;
      this.#fetcher?.stop(reader);
    }
  }

  /** Goes on with partitions that were paused. */
  resume(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) {
      this.#paused.delete(nameOf(one));
      const reader = this.#readers.get(one.topic, one.partition);
      if (reader !== undefined) reader.isPaused = false;
    }
    this.#fetcher?.wake();
  }

  /** Offset of the record that is handed out next; `undefined` before the first loop has begun. */
  position({ topic, partition }: TopicPartition): number | undefined {
    return this.#readers.get(topic, partition)?.position;
  }

  /** Ends a loop that is running, as if there were no more records, and the streams. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(): void {
    if (this.#closed) throw closedError('consumer');
    if (this.#isIterating) {
      throw argumentError('the consumer is being read already; use one consumer for each loop');
    }
    this.#isIterating = true;
  }

  /** What an iterator reads from. */
  #source(): BatchSource {
    return {
      take: () => {
        this.#signal?.throwIfAborted();
        return this.#fetcher?.buffer.take();
      },
      wait: () => this.#wait(),
      advance: (reader, offset) => this.#fetcher?.buffer.advance(reader, offset),
      end: () => this.#end(),
    };
  }

  /** Waits for something to take; false at the end. */
  async #wait(): Promise<boolean> {
    if (this.#closed) return false;
    const signal = this.#signal;
    signal?.throwIfAborted();
    await orAbort(this.#started(), signal);
    // Meanwhile the loop may have been left, or the consumer closed.
    if (this.#closed || !this.#isIterating) return false;
    this.#fetcher ??= new Fetcher(this.#settings, this.#env, this.#parts, this.#readers);
    if (this.#fetcher.isFinished) return false;
    await orAbort(this.#fetcher.buffer.whenArrived(), signal);
    return !this.#closed && this.#isIterating;
  }

  #end(): void {
    this.#isIterating = false;
    this.#fetcher?.close();
    this.#fetcher = undefined;
  }

  #started(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError('consumer'));
    this.#start ??= this.#findPartitions().catch((error: unknown) => {
      // The next loop tries again.
      this.#start = undefined;
      throw error;
    });
    return this.#start;
  }

  async #findPartitions(): Promise<void> {
    const { subscription, from, untilEnd, readCommitted } = this.#settings;
    const { requestTimeoutMs: timeoutMs } = this.#settings;
    const { metadata, offsets } = this.#parts;
    const signal = this.#signal;
    const names = [...subscription.keys()];
    const topics = await Promise.all(
      names.map((name) => {
        const partition = Math.max(0, ...(subscription.get(name) ?? []));
        return metadata.load(name, { timeoutMs, signal, partition });
      }),
    );
    const partitions = topics.flatMap((topic) =>
      chosenPartitions(topic, subscription.get(topic.name)),
    );
    const options = { readCommitted, timeoutMs, signal };
    // The end comes first: what is written between the two calls is beyond it.
    const ends = untilEnd
      ? await offsets.find(partitions, 'latest', options)
      : partitions.map(() => Number.POSITIVE_INFINITY);
    const starts = await offsets.find(partitions, from, options);
    const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]));
    for (const [at, one] of partitions.entries()) {
      this.#add(one, ids.get(one.topic)!, { position: starts[at]!, endOffset: ends[at]! });
    }
  }

  /** Partitions that a topic got since are read from their beginning. */
  #adoptNewPartitions(): void {
    if (this.#readers.all.length === 0 || this.#settings.untilEnd || this.#closed) return;
    for (const [name, chosen] of this.#settings.subscription) {
      const topic = this.#parts.metadata.topic(name);
      const first = this.#readers.get(name, 0);
      if (chosen !== undefined || topic?.topicId !== first?.topicId) continue;
      for (const partition of topic?.partitions.keys() ?? []) {
        if (this.#readers.get(name, partition) !== undefined) continue;
        const range = { position: 0, endOffset: Number.POSITIVE_INFINITY };
        this.#add({ topic: name, partition }, topic!.topicId, range);
      }
    }
    this.#fetcher?.wake();
  }

  #add(
    place: TopicPartition,
    topicId: string,
    range: { readonly position: number; readonly endOffset: number },
  ): void {
    const reader = new PartitionReader(place, topicId, range);
    reader.isPaused = this.#paused.has(partitionName(place));
    this.#readers.add(reader);
  }

  #reader(place: TopicPartition): PartitionReader {
    const reader = this.#readers.get(place.topic, place.partition);
    if (reader !== undefined) return reader;
    throw argumentError(`${nameOf(place)} is not among the partitions of this consumer`);
  }
}

function chosenPartitions(
  topic: TopicMetadata,
  chosen: readonly number[] | undefined,
): TopicPartition[] {
  const { name, partitions } = topic;
  const wrong = chosen?.find((partition) => partition >= partitions.length);
  if (wrong !== undefined) {
    throw argumentError(`topic ${name} has partitions 0 to ${partitions.length - 1}, not ${wrong}`);
  }
  return [...(chosen ?? partitions.keys())].map((partition) => ({ topic: name, partition }));
}

/** Checks what was given and names it. */
const nameOf = ({ topic, partition }: TopicPartition): string =>
  partitionName({ topic: topicName(topic), partition: partitionIndex(partition, topic) });
