import type { Compression } from '../codec/compression.ts';
import type { Clock, Random } from '../env/ports.ts';
import type { NewRecord } from '../records/record.ts';
import { BatchMemory } from './batch-memory.ts';
import type { TopicMetadata } from './cluster-metadata.ts';
import { PartitionQueue, type PartitionQueueSettings } from './partition-queue.ts';
import { StickyPartitioner } from './partitioner.ts';
import { ProducerBatch, type ProducerBatchContext, type RecordMetadata } from './producer-batch.ts';

export interface RecordAccumulatorSettings extends PartitionQueueSettings {
  readonly compression: Compression;
  /** A batch takes no more records when it would become larger, not compressed, */
  readonly batchBytes: number;
  /** or larger than this, while as many batches of its partition are unanswered as may be. */
  readonly mostBatchBytes: number;
  /** Bytes of all records that are not settled. */
  readonly bufferBytes: number;
}

export interface AccumulatorEvents {
  /** There may be something to send that was not there before. */
  onWork(): void;
  /** A batch was begun that may take more records. */
  onBegun(queue: PartitionQueue): void;
  /** A batch was settled: there is room again. */
  onRoom(): void;
}

/** The queues of one topic. */
export interface TopicQueues {
  readonly name: string;
  /** Replaced when the cluster knows better. */
  metadata: TopicMetadata;
  readonly queues: PartitionQueue[];
  /** How many batches of each partition are not settled. */
  readonly unsettled: number[];
  readonly partitioner: StickyPartitioner;
  readonly hasLeader: (partition: number) => boolean;
  /** These are below those of the settings once a broker has refused a batch as too large. */
  batchBytes: number;
  mostBatchBytes: number;
}

/** However small the batches are that a topic allows, they are not made smaller than this. */
const LEAST_BATCH_BYTES = 1024;

/** All records of a producer that are not settled, by partition, and the memory they take. */
export class RecordAccumulator {
  readonly #settings: RecordAccumulatorSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: AccumulatorEvents;
  readonly #context: ProducerBatchContext;
  readonly #topics = new Map<string, TopicQueues>();
  readonly #unsettled = new Set<ProducerBatch>();
  readonly #flushes = new Set<{ readonly upTo: number; readonly done: () => void }>();
  /** Queues with something in them, those served last at the end. */
  readonly active: Set<PartitionQueue> = new Set();
  #usedBytes = 0;
  #serial = 0;

  constructor(
    settings: RecordAccumulatorSettings,
    env: { readonly clock: Clock; readonly random: Random },
    events: AccumulatorEvents,
  ) {
    this.#settings = settings;
    this.#clock = env.clock;
    this.#random = env.random;
    this.#events = events;
    this.#context = {
      compression: settings.compression,
      memory: new BatchMemory(settings.bufferBytes),
      onSettled: (batch) => this.#settled(batch),
      onSplit: (batch, halves) => this.#split(batch, halves),
    };
  }

  /** Bytes that records which are not settled take. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** True while somebody waits for all to be sent. */
  get isFlushing(): boolean {
    return this.#flushes.size > 0;
  }

  topic(name: string): TopicQueues | undefined {
    return this.#topics.get(name);
  }

  topics(): Iterable<TopicQueues> {
    return this.#topics.values();
  }

  addTopic(metadata: TopicMetadata): TopicQueues {
    const topic: TopicQueues = {
      name: metadata.name,
      metadata,
      queues: [],
      unsettled: [],
      partitioner: new StickyPartitioner(this.#random),
      hasLeader: (partition) => topic.metadata.partitions[partition]!.leaderId >= 0,
      batchBytes: this.#settings.batchBytes,
      mostBatchBytes: this.#settings.mostBatchBytes,
    };
    this.#topics.set(topic.name, topic);
    return topic;
  }

  /**
   * Takes a record in, or answers `undefined` if the buffer is full.
   *
   * Hot path: one look at the topic, one at the batch; the clock only for a new batch.
   *
   * @param wanted the partition, or -1 to have one picked
   */
  append(
    topic: TopicQueues,
    record: NewRecord,
    wanted: number,
  ): Promise<RecordMetadata> | undefined {
    const bound = ProducerBatch.boundOf(record);
    if (this.#usedBytes > 0 && this.#usedBytes + bound > this.#settings.bufferBytes) {
      return undefined;
    }
    let partition = wanted >= 0 ? wanted : this.#pick(topic, record.key);
    // A record that may go to any partition rather goes to another one than into a larger batch.
    const isFree = wanted < 0 && record.key === null && topic.metadata.partitions.length > 1;
    let batch = this.#openBatch(topic, partition, bound, isFree);
    if (batch === undefined) {
      if (wanted < 0) partition = this.#pick(topic, record.key);
      batch = this.#openBatch(topic, partition, bound, isFree) ?? this.#newBatch(topic, partition);
    }
    const before = batch.plainBytes;
    const promise = batch.append(record);
    this.#usedBytes += batch.plainBytes - before;
    return promise;
  }

  /** The batch is being sent. */
  take(queue: PartitionQueue, batch: ProducerBatch): void {
    if (!batch.isSealed) this.#topics.get(queue.topic)!.partitioner.batchClosed(queue.partition);
    queue.take(batch);
    this.active.delete(queue);
    this.active.add(queue);
  }

  /** Resolves when every record that is here now is settled; until then nothing lingers. */
  flush(): Promise<void> {
    if (this.#unsettled.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushes.add({ upTo: this.#serial, done: resolve });
      this.#events.onWork();
    });
  }

  #pick(topic: TopicQueues, key: Uint8Array | null): number {
    return topic.partitioner.pick(key, topic.metadata.partitions.length, topic.hasLeader);
  }

  /** The open batch if it has room; closes it if it has none. */
  #openBatch(
    topic: TopicQueues,
    partition: number,
    bytes: number,
    isFree: boolean,
  ): ProducerBatch | undefined {
    const open = topic.queues[partition]?.open;
    if (open === undefined) return undefined;
    const size = open.plainBytes + bytes;
    if (size <= topic.batchBytes) return open;
    // It could not be sent now: more records in it cost nothing, and without them the broker would soon
    // have too little to do, as it is sent so many batches and no more.
    const mayGrow = !isFree && !this.#mayBeSent(topic, partition);
    if (mayGrow && size <= topic.mostBatchBytes) return open;
    this.#close(topic, open);
    return undefined;
  }

  /** Whether so few batches are unanswered that the open one is next. */
  #mayBeSent(topic: TopicQueues, partition: number): boolean {
    return topic.unsettled[partition]! <= this.#settings.maxInFlight;
  }

  #close(topic: TopicQueues, batch: ProducerBatch): void {
    batch.seal();
    topic.partitioner.batchClosed(batch.place.partition);
    this.#events.onWork();
  }

  #newBatch(topic: TopicQueues, partition: number): ProducerBatch {
    topic.queues[partition] ??= new PartitionQueue(topic.name, partition, this.#settings);
    const queue = topic.queues[partition];
    const createdMs = this.#clock.monotonicMs();
    const serial = ++this.#serial;
    const place = { topic: topic.name, partition, createdMs, serial };
    // A little more, as batches that are not filled differ in size.
    const capacity = queue.lastBatchBytes + (queue.lastBatchBytes >>> 2);
    const batch = new ProducerBatch(place, capacity, this.#context);
    this.#unsettled.add(batch);
    topic.unsettled[partition] = (topic.unsettled[partition] ?? 0) + 1;
    this.#usedBytes += batch.plainBytes;
    queue.add(batch);
    this.active.add(queue);
    this.#events.onBegun(queue);
    return batch;
  }

  #settled(batch: ProducerBatch): void {
    this.#unsettled.delete(batch);
    this.#usedBytes -= batch.plainBytes;
    const topic = this.#topics.get(batch.place.topic)!;
    const { partition } = batch.place;
    topic.unsettled[partition]!--;
    const open = topic.queues[partition]!.open;
    if (open !== undefined && open.plainBytes > topic.batchBytes) {
      if (this.#mayBeSent(topic, partition)) this.#close(topic, open);
    }
    if (this.#flushes.size > 0) this.#endFlushes();
    this.#events.onRoom();
  }

  #split(batch: ProducerBatch, halves: readonly ProducerBatch[]): void {
    this.#unsettled.delete(batch);
    this.#usedBytes -= batch.plainBytes;
    for (const half of halves) {
      this.#unsettled.add(half);
      this.#usedBytes += half.plainBytes;
    }
    const topic = this.#topics.get(batch.place.topic)!;
    topic.unsettled[batch.place.partition]! += halves.length - 1;
    const halfBytes = Math.max(LEAST_BATCH_BYTES, batch.plainBytes >>> 1);
    topic.batchBytes = Math.min(topic.batchBytes, halfBytes);
    topic.mostBatchBytes = Math.min(topic.mostBatchBytes, halfBytes);
  }

  #endFlushes(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { place } of this.#unsettled) oldest = Math.min(oldest, place.serial);
    for (const flush of this.#flushes) {
      if (flush.upTo >= oldest) continue;
      this.#flushes.delete(flush);
      flush.done();
    }
  }
}
