import type { Clock, Timer, Timers } from '../env/ports.ts';
import type { NewRecord } from '../records/record.ts';
import { type ClusterMetadata, partitionKey } from './cluster-metadata.ts';
import { argumentError, VarveError } from './errors.ts';
import { Fifo } from './fifo.ts';
import { partitionIndex } from './options.ts';
import type { Partitioner } from './partitioner.ts';
import type { RecordMetadata } from './producer-batch.ts';
import type { RecordAccumulator, TopicQueues } from './record-accumulator.ts';

export interface AdmissionSettings {
  readonly deliveryTimeoutMs: number;
  readonly bufferBytes: number;
  /** Used instead of the built-in one. */
  readonly partitioner?: Partitioner | undefined;
}

/** A record that waits for its topic, its partition or room. */
interface Waiting {
  readonly topic: string;
  readonly record: NewRecord;
  /** -1 to have one picked. */
  readonly wanted: number;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number;
  readonly promise: Promise<RecordMetadata>;
  readonly resolve: (result: Promise<RecordMetadata>) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls of `send` that may wait at a time; who does not wait for promises must be stopped somewhere. */
const MAX_WAITING = 1_000_000;

/**
 * The way of records into the accumulator. A record waits here, in order, until its topic is known, and
 * the partition if it names one that the topic is not known to have, and while the buffer is full.
 *
 * A topic is asked for when it is first sent to. From then on partitions are picked among those that
 * were known last (`ClusterMetadata.keepFresh`), as Kafka's producer does.
 */
export class Admission {
  readonly #settings: AdmissionSettings;
  readonly #env: { readonly clock: Clock; readonly timers: Timers };
  readonly #metadata: ClusterMetadata;
  readonly #accumulator: RecordAccumulator;
  /** Wait for their topic, by name, or for their partition, by `partitionKey`. */
  readonly #strangers = new Map<string, Waiting[]>();
  /** Wait for room. */
  readonly #blocked = new Fifo<Waiting>();
  #waitingCount = 0;
  #timer: Timer | undefined;

  constructor(
    settings: AdmissionSettings,
    env: { readonly clock: Clock; readonly timers: Timers },
    metadata: ClusterMetadata,
    accumulator: RecordAccumulator,
  ) {
    this.#settings = settings;
    this.#env = env;
    this.#metadata = metadata;
    this.#accumulator = accumulator;
  }

  /**
   * Takes a record in. Throws what can be told at once.
   *
   * Hot path: straight into the batch when the topic is known and there is room.
   *
   * @param wanted the partition, or -1 to have one picked
   */
  send(
    name: string,
    record: NewRecord,
    wanted: number,
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata> {
    const topic = this.#accumulator.topic(name);
    const missing = this.#missing(topic, name, wanted);
    if (topic !== undefined && missing === undefined && this.#blocked.size === 0) {
      const sent = this.#append(topic, record, wanted);
      if (sent !== undefined) return sent;
    }
    const waiting = this.#newWaiting(name, record, wanted, signal);
    if (missing === undefined) this.#block(waiting);
    else this.#await(waiting, missing);
    return waiting.promise;
  }

  /** The promises of all records that wait. */
  waiting(): Promise<RecordMetadata>[] {
    const strangers = [...this.#strangers.values()].flat();
    return [...strangers, ...this.#blocked.toArray()].map(({ promise }) => promise);
  }

  /** The topics that are sent to. */
  topics(): string[] {
    return [...this.#accumulator.topics()].map(({ name }) => name);
  }

  /** There is room again. */
  admit(): void {
    for (let first = this.#blocked.peek(); first !== undefined; first = this.#blocked.peek()) {
      if (!this.#tryAdmit(first)) break;
      this.#blocked.shift();
      this.#waitingCount--;
    }
  }

  /** Takes over what has become known of topics that are sent to. */
  refresh(): void {
    for (const topic of this.#accumulator.topics()) {
      const known = this.#metadata.topic(topic.name);
      // A topic made anew may have fewer; what is here for the others is failed by the sender.
      if (known !== undefined) topic.metadata = known;
    }
  }

  /** Fails all that waits. */
  close(error: VarveError): void {
    this.#timer?.cancel();
    for (const waiting of [...[...this.#strangers.values()].flat(), ...this.#blocked.toArray()]) {
      waiting.reject(error);
    }
    this.#strangers.clear();
    this.#blocked.remove(() => true);
  }

  /** `undefined` if the buffer is full. */
  #append(
    topic: TopicQueues,
    record: NewRecord,
    wanted: number,
  ): Promise<RecordMetadata> | undefined {
    const partition = wanted >= 0 ? wanted : this.#choose(topic, record.key);
    const count = topic.metadata.partitions.length;
    if (partition >= count) {
      throw argumentError(`topic ${topic.name} has partitions 0 to ${count - 1}, not ${partition}`);
    }
    return this.#accumulator.append(topic, record, partition);
  }

  /** What the caller's partitioner says; -1 if there is none. */
  #choose(topic: TopicQueues, key: Uint8Array | null): number {
    const { partitioner } = this.#settings;
    if (partitioner === undefined) return -1;
    const chosen = partitioner(topic.name, key, topic.metadata.partitions.length);
    return partitionIndex(chosen, topic.name);
  }

  #newWaiting(
    topic: string,
    record: NewRecord,
    wanted: number,
    signal: AbortSignal | undefined,
  ): Waiting {
    if (this.#waitingCount >= MAX_WAITING) {
      throw new VarveError(
        'BUFFER_FULL',
        `${MAX_WAITING} calls of send() wait already for room in the buffer (bufferBytes); await some of them before sending more`,
        { retriable: true },
      );
    }
    this.#waitingCount++;
    const deadlineMs = this.#env.clock.monotonicMs() + this.#settings.deliveryTimeoutMs;
    const { promise, resolve, reject } = Promise.withResolvers<RecordMetadata>();
    return { topic, record, wanted, signal, deadlineMs, promise, resolve, reject };
  }

  /** What a record has to wait for, as a key of `#strangers`: its topic or its partition. */
  #missing(topic: TopicQueues | undefined, name: string, wanted: number): string | undefined {
    if (topic === undefined) return name;
    const isLacking = wanted >= topic.metadata.partitions.length;
    if (!isLacking && (wanted < 0 || this.#strangers.size === 0)) return undefined;
    const key = partitionKey(name, wanted);
    // The partition may be known already, and those who waited for it still be on their way.
    return isLacking || this.#strangers.has(key) ? key : undefined;
  }

  #await(waiting: Waiting, missing: string): void {
    const others = this.#strangers.get(missing);
    if (others !== undefined) {
      others.push(waiting);
      return;
    }
    const arrived: Waiting[] = [waiting];
    this.#strangers.set(missing, arrived);
    const { topic: name, wanted, deadlineMs } = waiting;
    const timeoutMs = Math.max(1, deadlineMs - this.#env.clock.monotonicMs());
    const isPartition = missing !== name;
    this.#metadata.load(name, { timeoutMs, ...(isPartition ? { partition: wanted } : {}) }).then(
      (metadata) => {
        if (this.#strangers.get(missing) !== arrived) return;
        this.#strangers.delete(missing);
        const topic = this.#accumulator.topic(name) ?? this.#accumulator.addTopic(metadata);
        for (const one of arrived) this.#known(topic, one, isPartition);
      },
      (error: unknown) => {
        if (this.#strangers.get(missing) !== arrived) return;
        this.#strangers.delete(missing);
        this.#waitingCount -= arrived.length;
        for (const one of arrived) one.reject(error);
      },
    );
  }

  /** What a record waited for is known. @param isLast it has waited for its partition, too */
  #known(topic: TopicQueues, waiting: Waiting, isLast: boolean): void {
    const missing = isLast ? undefined : this.#missing(topic, topic.name, waiting.wanted);
    if (missing !== undefined) this.#await(waiting, missing);
    else if (this.#blocked.size > 0 || !this.#tryAdmit(waiting)) this.#block(waiting);
    else this.#waitingCount--;
  }

  #block(waiting: Waiting): void {
    this.#blocked.push(waiting);
    if (this.#timer === undefined) this.#expireLater();
  }

  /** False if there is no room. */
  #tryAdmit(waiting: Waiting): boolean {
    try {
      waiting.signal?.throwIfAborted();
      const topic = this.#accumulator.topic(waiting.topic)!;
      const sent = this.#append(topic, waiting.record, waiting.wanted);
      if (sent === undefined) return false;
      waiting.resolve(sent);
    } catch (error) {
      waiting.reject(error);
    }
    return true;
  }

  /** One timer for the oldest: they wait in order and all as long. */
  #expireLater(): void {
    const first = this.#blocked.peek();
    this.#timer = undefined;
    if (first === undefined) return;
    const leftMs = first.deadlineMs - this.#env.clock.monotonicMs();
    this.#timer = this.#env.timers.after(Math.max(0, leftMs), () => {
      this.#expire();
      this.#expireLater();
    });
  }

  #expire(): void {
    const nowMs = this.#env.clock.monotonicMs();
    const { deliveryTimeoutMs, bufferBytes } = this.#settings;
    for (let first = this.#blocked.peek(); first !== undefined; first = this.#blocked.peek()) {
      if (first.deadlineMs > nowMs) return;
      this.#blocked.shift();
      this.#waitingCount--;
      const message = `no room for a record to ${first.topic} within ${deliveryTimeoutMs} ms: ${bufferBytes} bytes (bufferBytes) wait to be delivered`;
      first.reject(new VarveError('BUFFER_FULL', message, { retriable: true }));
    }
  }
}
