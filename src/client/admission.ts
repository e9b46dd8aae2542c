import type { Clock, Timer, Timers } from '../env/ports.ts';
import type { NewRecord } from '../records/record.ts';
import {
  type ClusterMetadata,
  partitionKey,
  type TopicMetadata,
  UNKNOWN_TOPIC_PATIENCE_MS,
} from './cluster-metadata.ts';
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
  /** In the order of the calls. */
  readonly serial: number;
  readonly topic: string;
  readonly record: NewRecord;
  /** -1 to have one picked. */
  readonly wanted: number;
  readonly signal: AbortSignal | undefined;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  readonly promise: Promise<RecordMetadata>;
  readonly resolve: (result: Promise<RecordMetadata>) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls of `send` that may wait at a time; who does not wait for promises must be stopped somewhere. */
const MAX_WAITING = 1_000_000;

/**
 * The way of records into the accumulator. A record waits here until its topic is known, and the
 * partition if it names one that the topic is not known to have, and while the buffer is full. What it
 * waited for is known to all records at the same moment, and they go in in the order of their calls.
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
  /** Wait for room, in order. */
  readonly #blocked = new Fifo<Waiting>();
  #serial = 0;
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

  /** Takes over what has become known of topics that are sent to, and lets in who waited for it. */
  refresh(): void {
    for (const topic of this.#accumulator.topics()) {
      const known = this.#metadata.topic(topic.name);
      // A topic made anew may have fewer; what is here for the others is failed by the sender.
      if (known !== undefined) topic.metadata = known;
    }
    const ready: Waiting[][] = [];
    for (const [missing, arrived] of this.#strangers) {
      const { topic, wanted } = arrived[0]!;
      if (this.#missing(this.#accumulator.topic(topic), topic, wanted) !== undefined) continue;
      this.#strangers.delete(missing);
      ready.push(arrived);
    }
    this.#enter(ready.flat());
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
    if (partition >= count) throw noPartition(topic.metadata, partition);
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
    const sinceMs = this.#env.clock.monotonicMs();
    const deadlineMs = sinceMs + this.#settings.deliveryTimeoutMs;
    const serial = ++this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<RecordMetadata>();
    return {
      ...{ serial, topic, record, wanted, signal, sinceMs, deadlineMs },
      ...{ promise, resolve, reject },
    };
  }

  /** What a record has to wait for, as a key of `#strangers`: its topic or its partition. */
  #missing(topic: TopicQueues | undefined, name: string, wanted: number): string | undefined {
    if (topic === undefined) return name;
    const isLacking = wanted >= topic.metadata.partitions.length;
    return isLacking ? partitionKey(name, wanted) : undefined;
  }

  #await(waiting: Waiting, missing: string): void {
    const others = this.#strangers.get(missing);
    if (others === undefined) this.#search(missing, [waiting]);
    else others.push(waiting);
  }

  /** Asks for what records wait for, the first of them longest. */
  #search(missing: string, arrived: Waiting[]): void {
    this.#strangers.set(missing, arrived);
    const { topic: name, wanted, deadlineMs } = arrived[0]!;
    const timeoutMs = Math.max(1, deadlineMs - this.#env.clock.monotonicMs());
    const isPartition = missing !== name;
    this.#metadata.load(name, { timeoutMs, ...(isPartition ? { partition: wanted } : {}) }).then(
      (metadata) => {
        if (this.#strangers.get(missing) !== arrived) return;
        if (!isPartition) this.#learned(metadata, arrived);
        else this.#giveUp(missing, noPartition(metadata, wanted), UNKNOWN_TOPIC_PATIENCE_MS);
      },
      (error: unknown) => {
        if (this.#strangers.get(missing) !== arrived) return;
        this.#giveUp(missing, error, patienceMs(error));
      },
    );
  }

  #learned(metadata: TopicMetadata, arrived: readonly Waiting[]): void {
    this.#strangers.delete(metadata.name);
    const topic = this.#accumulator.addTopic(metadata);
    const ready: Waiting[] = [];
    for (const waiting of arrived) {
      const missing = this.#missing(topic, topic.name, waiting.wanted);
      if (missing === undefined) ready.push(waiting);
      else this.#await(waiting, missing);
    }
    this.#enter(ready);
  }

  /**
   * What records waited for was not learned. Those that came while it was asked for have waited for
   * less time than the first, and go on until they have waited for `patienceMs`, too.
   */
  #giveUp(missing: string, error: unknown, patienceMs: number): void {
    const [first, ...others] = this.#strangers.get(missing)!;
    this.#strangers.delete(missing);
    const nowMs = this.#env.clock.monotonicMs();
    const left: Waiting[] = [];
    const failed = [first!];
    for (const one of others) {
      const untilMs = Math.min(one.deadlineMs, one.sinceMs + patienceMs);
      if (nowMs < untilMs) left.push(one);
      else failed.push(one);
    }
    this.#waitingCount -= failed.length;
    for (const one of failed) one.reject(error);
    if (left.length > 0) this.#search(missing, left);
  }

  /** What these waited for is known. Those that wait for room may have been called later. */
  #enter(arrived: readonly Waiting[]): void {
    if (arrived.length === 0) return;
    const inOrder = [...this.#blocked.toArray(), ...arrived].sort((a, b) => a.serial - b.serial);
    this.#blocked.remove(() => true);
    for (const waiting of inOrder) this.#blocked.push(waiting);
    this.admit();
    // The first may be another one now.
    this.#timer?.cancel();
    this.#expireLater();
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

const noPartition = ({ name, partitions }: TopicMetadata, partition: number): VarveError =>
  argumentError(`topic ${name} has partitions 0 to ${partitions.length - 1}, not ${partition}`);

/** How long the same is asked for again after an error. */
function patienceMs(error: unknown): number {
  if (!VarveError.is(error) || !error.retriable) return 0;
  const isUnknown = error.code === 'UNKNOWN_TOPIC_OR_PARTITION';
  return isUnknown ? UNKNOWN_TOPIC_PATIENCE_MS : Number.POSITIVE_INFINITY;
}
