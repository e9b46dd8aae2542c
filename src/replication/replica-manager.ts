import type { Clock, Timer, Timers } from '../env/ports.ts';
import type { Log } from '../log/log.ts';
import type { ErrorRow } from '../model/errors.ts';
import { Partition } from './partition.ts';

/** How often all who wait are looked through for passed deadlines, in ms: an answer is at most so late. */
const EXPIRY_INTERVAL_MS = 500;

/** The partitions that this broker holds a replica of. */
export class ReplicaManager {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** By topic name, then by partition index: no key is built on the way of a request. */
  readonly #partitions = new Map<string, (Partition | undefined)[]>();
  #expiry: Timer | undefined;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Begins to watch deadlines. */
  start(): void {
    this.#expiry = this.#timers.after(EXPIRY_INTERVAL_MS, () => {
      const nowMs = this.#clock.monotonicMs();
      for (const partition of this.partitions()) partition.expire(nowMs);
      this.start();
    });
  }

  /** The replica of a partition, if this broker has one. */
  partition(topic: string, index: number): Partition | undefined {
    return this.#partitions.get(topic)?.[index];
  }

  *partitions(): Iterable<Partition> {
    for (const ofTopic of this.#partitions.values()) {
      for (const partition of ofTopic) if (partition !== undefined) yield partition;
    }
  }

  /** Takes a replica into service, not yet as a leader. */
  add(log: Log): Partition {
    const partition = new Partition(log);
    const { topic, partition: index } = log.topicPartition;
    const ofTopic = this.#partitions.get(topic) ?? [];
    ofTopic[index] = partition;
    this.#partitions.set(topic, ofTopic);
    return partition;
  }

  /** Takes all replicas of a topic out of service; who waits for them is told `row`. */
  removeTopic(topic: string, row: ErrorRow): void {
    const ofTopic = this.#partitions.get(topic) ?? [];
    this.#partitions.delete(topic);
    for (const partition of ofTopic) partition?.resign(row);
  }

  /** Resigns from every partition: the broker stops, or its disk is out of service. */
  stop(row: ErrorRow): void {
    this.#expiry?.cancel();
    for (const partition of this.partitions()) partition.resign(row);
    this.#partitions.clear();
  }
}
