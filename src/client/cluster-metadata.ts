import { delay, orAbort } from '../env/abortable.ts';
import type { Timer } from '../env/ports.ts';
import type { TopicDescription } from '../rpc/admin-messages.ts';
import { adminMethods } from '../rpc/admin-service.ts';
import { retryMs } from './backoff.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import { closedError, errorOfMessage, VarveError } from './errors.ts';

/** Who leads a partition, as far as is known; a leader of -1 is none. */
export interface PartitionLeader {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** What is known of a topic. */
export interface TopicMetadata {
  readonly name: string;
  readonly topicId: string;
  /** The same id as 16 bytes. */
  readonly topicIdBytes: Uint8Array;
  /** By index. */
  readonly partitions: readonly PartitionLeader[];
  /** Monotonic time in ms at which the cluster was asked for this: what changed later is not in it. */
  readonly askedMs: number;
}

export interface LoadOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** A partition that the topic should have: waited for a few seconds if it lacks it. */
  readonly partition?: number;
}

export interface ClusterMetadataSettings {
  readonly requestTimeoutMs: number;
  /** A topic that is used is asked for again after this time, to learn of new partitions. */
  readonly maxAgeMs: number;
}

/** How long a topic or partition may be unknown before that is told: it may just have been made. */
export const UNKNOWN_TOPIC_PATIENCE_MS: number = 3000;
/** A broker that does not answer so soon is passed over: any other can answer as well. */
const ATTEMPT_TIMEOUT_MS = 5000;

/**
 * Which topics there are and who leads their partitions. It is asked for when a topic is first used,
 * and again when an answer of a broker shows that it is old; one call at a time.
 */
export class ClusterMetadata {
  readonly #settings: ClusterMetadataSettings;
  readonly #env: ClientEnv;
  readonly #channels: BrokerChannels;
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #errors = new Map<string, VarveError>();
  readonly #listeners = new Set<() => void>();
  readonly #wanted = new Set<string>();
  #refreshing: Promise<void> | undefined;
  #closed = false;

  constructor(settings: ClusterMetadataSettings, env: ClientEnv, channels: BrokerChannels) {
    this.#settings = settings;
    this.#env = env;
    this.#channels = channels;
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** Why a topic is not known, or can no longer be found. */
  errorOf(name: string): VarveError | undefined {
    return this.#errors.get(name);
  }

  /** Calls `listener` after each answer, and after each call that failed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks for a topic again, soon, and never fails: who needs the topic looks again and waits. */
  refresh(name: string): Promise<void> {
    this.#wanted.add(name);
    this.#refreshing ??= this.#run();
    return this.#refreshing;
  }

  /**
   * The topic as it is now: it is asked for in any case, since what is known of it may be older than
   * who begins to use it. Fails when the cluster says for a few seconds that there is none, and at
   * once with an error that does not pass.
   */
  async load(name: string, options: LoadOptions): Promise<TopicMetadata> {
    const { signal, partition = 0 } = options;
    const startMs = this.#env.clock.monotonicMs();
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      if (this.#closed) throw closedError('client');
      await orAbort(this.refresh(name), signal);
      const waitedMs = this.#env.clock.monotonicMs() - startMs;
      const isLate = waitedMs >= options.timeoutMs;
      const error = this.#errors.get(name);
      const known = error === undefined ? this.#topics.get(name) : undefined;
      const isWhole = known !== undefined && partition < known.partitions.length;
      if (known !== undefined && (isWhole || isLate || waitedMs >= UNKNOWN_TOPIC_PATIENCE_MS)) {
        return known;
      }
      if (error !== undefined && isHopeless(error, waitedMs)) throw error;
      if (isLate) throw error ?? notLearned(name, options.timeoutMs);
      await delay(retryMs(attempt, this.#env.random), this.#env.timers, signal);
    }
  }

  /** A broker said who leads a partition now. False if that is no news or cannot be used. */
  learnLeader(name: string, partition: number, leader: PartitionLeader): boolean {
    const known = this.#topics.get(name);
    const before = known?.partitions[partition];
    if (known === undefined || before === undefined) return false;
    if (leader.leaderEpoch <= before.leaderEpoch) return false;
    if (this.#channels.channelOf(leader.leaderId) === undefined) return false;
    const partitions = known.partitions.with(partition, leader);
    this.#topics.set(name, { ...known, partitions });
    return true;
  }

  /** Keeps topics fresh that are in use; returns how to stop that. */
  keepFresh(names: () => Iterable<string>): () => void {
    const again = (): Timer => {
      const next = this.#env.timers.after(this.#settings.maxAgeMs, () => {
        for (const name of names()) void this.refresh(name);
        timer = again();
      });
      // A client that is only kept open lets the process end.
      next.unref();
      return next;
    };
    let timer = again();
    return () => timer.cancel();
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
  }

  async #run(): Promise<void> {
    // What is wanted while a call is under way goes into the next: its answer may be too old for it.
    while (this.#wanted.size > 0 && !this.#closed) await this.#ask();
    // At once: who wants something a moment later begins anew.
    this.#refreshing = undefined;
  }

  async #ask(): Promise<void> {
    // Who asks at the same time shares a call.
    await Promise.resolve();
    const askedMs = this.#env.clock.monotonicMs();
    const names = [...this.#wanted];
    this.#wanted.clear();
    try {
      const answer = await this.#channels.callAny(
        adminMethods.describeTopics,
        { names },
        { timeoutMs: this.#settings.requestTimeoutMs, attemptTimeoutMs: ATTEMPT_TIMEOUT_MS },
      );
      this.#channels.learn(answer.brokers);
      for (const topic of answer.topics) this.#take(topic, askedMs);
    } catch (error) {
      for (const name of names) this.#errors.set(name, asVarveError(error, name));
    }
    for (const listener of this.#listeners) listener();
  }

  #take(topic: TopicDescription, askedMs: number): void {
    const { name, topicId } = topic;
    if (topic.error !== undefined) {
      this.#topics.delete(name);
      this.#errors.set(name, describeError(topic));
      return;
    }
    this.#errors.delete(name);
    const before = this.#topics.get(name);
    const same = before?.topicId === topicId ? before : undefined;
    // A broker that lags behind may know less than another has told us already.
    const told = topic.partitions.map(({ partition, leaderId, leaderEpoch }) => {
      const known = same?.partitions[partition];
      const isOlder = known !== undefined && leaderEpoch < known.leaderEpoch;
      return isOlder ? known : { leaderId, leaderEpoch };
    });
    // One and the same topic never has fewer partitions than before.
    const partitions = [...told, ...(same?.partitions.slice(told.length) ?? [])];
    const topicIdBytes = same?.topicIdBytes ?? new Uint8Array(Buffer.from(topicId, 'base64url'));
    this.#topics.set(name, { name, topicId, topicIdBytes, partitions, askedMs });
  }
}

/** A partition in a map that holds topics by their names, too: none is named like this. */
export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`;

/** Whether waiting longer is of no use. */
export function isHopeless(error: VarveError, waitedMs: number): boolean {
  if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return waitedMs >= UNKNOWN_TOPIC_PATIENCE_MS;
  return !error.retriable;
}

function describeError(topic: TopicDescription): VarveError {
  const error = errorOfMessage(topic.error!, `topic ${topic.name}`);
  if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') return error;
  return new VarveError(
    error.code,
    `topic ${JSON.stringify(topic.name)} does not exist in this cluster; make it with admin().createTopic, or check the name`,
    { retriable: true },
  );
}

function asVarveError(error: unknown, name: string): VarveError {
  if (VarveError.is(error)) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new VarveError('UNKNOWN_SERVER_ERROR', `topic ${name}: ${text}`, { cause: error });
}

function notLearned(name: string, timeoutMs: number): VarveError {
  return new VarveError(
    'REQUEST_TIMED_OUT',
    `nothing was learned of topic ${name} within ${timeoutMs} ms`,
    { retriable: true },
  );
}
