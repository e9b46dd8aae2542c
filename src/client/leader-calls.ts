import { delay } from '../env/abortable.ts';
import type { TopicPartition } from '../model/ids.ts';
import type { Method } from '../rpc/method.ts';
import { retryMs } from './backoff.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import { VarveError } from './errors.ts';

export interface LeaderCallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** When an answer came. */
export interface Waited {
  readonly waitedMs: number;
  /** There is no time to ask again. */
  readonly isLate: boolean;
}

type PartitionsMethod<Request, Answer> = Method<
  Request,
  { readonly partitions: readonly Answer[] }
>;

/** A node that does not answer so soon may lead no more: the cluster is asked who does. */
const ATTEMPT_TIMEOUT_MS = 5000;

/**
 * Calls that only the leaders of partitions can answer: each is asked for its own, and any broker for
 * those whose leader is not known here.
 */
export class LeaderCalls {
  readonly #env: ClientEnv;
  readonly #channels: BrokerChannels;
  readonly #metadata: ClusterMetadata;

  constructor(env: ClientEnv, channels: BrokerChannels, metadata: ClusterMetadata) {
    this.#env = env;
    this.#channels = channels;
    this.#metadata = metadata;
  }

  /**
   * The answers in the order of `items`; what `isFinal` refuses is asked again, of who leads by then.
   * Fails as a call to any broker does, and with what `isFinal` throws.
   */
  async call<Item extends TopicPartition, Request, Answer extends object>(
    method: PartitionsMethod<Request, Answer>,
    items: readonly Item[],
    requestOf: (items: readonly Item[]) => Request,
    isFinal: (answer: Answer, waited: Waited) => boolean,
    { timeoutMs, signal }: LeaderCallOptions,
  ): Promise<Answer[]> {
    const { clock, timers, random } = this.#env;
    const startMs = clock.monotonicMs();
    const deadlineMs = startMs + timeoutMs;
    const answers: Answer[] = [];
    let left = items.map((_, at) => at);
    for (let attempt = 0; ; attempt++) {
      const options = { timeoutMs: Math.max(1, deadlineMs - clock.monotonicMs()), signal };
      const asked = left.map((at) => items[at]!);
      const found = await this.#round(method, asked, requestOf, options);
      const waitMs = retryMs(attempt, random);
      const nowMs = clock.monotonicMs();
      const waited = { waitedMs: nowMs - startMs, isLate: nowMs + waitMs >= deadlineMs };
      const again: number[] = [];
      for (const [i, at] of left.entries()) {
        const answer = found[i]!;
        if (VarveError.is(answer)) {
          if (waited.isLate || !answer.retriable) throw answer;
          again.push(at);
        } else if (isFinal(answer, waited)) answers[at] = answer;
        else again.push(at);
      }
      if (again.length === 0) return answers;
      for (const at of again) void this.#metadata.refresh(items[at]!.topic);
      await delay(waitMs, timers, signal);
      left = again;
    }
  }

  /** Asks all leaders at once; an item has its answer, or the failure of the call that it was in. */
  async #round<Item extends TopicPartition, Request, Answer extends object>(
    method: PartitionsMethod<Request, Answer>,
    items: readonly Item[],
    requestOf: (items: readonly Item[]) => Request,
    options: LeaderCallOptions,
  ): Promise<(Answer | VarveError)[]> {
    const found: (Answer | VarveError)[] = [];
    const byLeader = Map.groupBy(items.keys(), (at) => this.#leaderOf(items[at]!));
    const calls = [...byLeader].map(async ([leaderId, places]) => {
      const request = requestOf(places.map((at) => items[at]!));
      const answer = await this.#one(method, leaderId, request, options);
      for (const [i, at] of places.entries()) {
        found[at] = VarveError.is(answer) ? answer : answer.partitions[i]!;
      }
    });
    await Promise.all(calls);
    return found;
  }

  async #one<Request, Response>(
    method: Method<Request, Response>,
    leaderId: number | undefined,
    request: Request,
    options: LeaderCallOptions,
  ): Promise<Response | VarveError> {
    if (leaderId === undefined) return await this.#channels.callAny(method, request, options);
    const timeoutMs = Math.min(options.timeoutMs, ATTEMPT_TIMEOUT_MS);
    try {
      return await this.#channels.callNode(leaderId, method, request, { ...options, timeoutMs });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (VarveError.is(error)) return error;
      throw error;
    }
  }

  /** `undefined` if it is not known, or not how to reach it. */
  #leaderOf({ topic, partition }: TopicPartition): number | undefined {
    const leaderId = this.#metadata.topic(topic)?.partitions[partition]?.leaderId ?? -1;
    return this.#channels.channelOf(leaderId) === undefined ? undefined : leaderId;
  }
}
