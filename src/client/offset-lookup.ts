import type { TopicPartition } from '../model/ids.ts';
import type { OffsetAnswer, OffsetQuery } from '../rpc/admin-messages.ts';
import { adminMethods } from '../rpc/admin-service.ts';
import { backoffMs, delay } from './backoff.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import { type ClusterMetadata, isHopeless } from './cluster-metadata.ts';
import type { StartPosition } from './consumer-options.ts';
import { errorOfMessage } from './errors.ts';

export interface OffsetLookupOptions {
  readonly readCommitted: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks for offsets of partitions, and again for those that have no leader at the moment or are, for a
 * few seconds, not known.
 */
export class OffsetLookup {
  readonly #env: ClientEnv;
  readonly #channels: BrokerChannels;
  readonly #metadata: ClusterMetadata;

  constructor(env: ClientEnv, channels: BrokerChannels, metadata: ClusterMetadata) {
    this.#env = env;
    this.#channels = channels;
    this.#metadata = metadata;
  }

  /** The offsets at which to begin, in the order of the partitions. */
  async find(
    partitions: readonly TopicPartition[],
    from: StartPosition,
    options: OffsetLookupOptions,
  ): Promise<number[]> {
    if (typeof from === 'object' && 'offset' in from) return partitions.map(() => from.offset);
    const spec =
      typeof from === 'object' ? { timestampMs: from.timestampMs } : { [from]: true as const };
    const offsets = await this.#ask(partitions, spec, options);
    // No record is as late as the time asked for: begin with the next one that comes.
    const missing = partitions.filter((_, at) => offsets[at]! < 0);
    if (missing.length === 0) return offsets;
    const latest = await this.#ask(missing, { latest: true }, options);
    let next = 0;
    return offsets.map((offset) => (offset < 0 ? latest[next++]! : offset));
  }

  async #ask(
    partitions: readonly TopicPartition[],
    spec: Omit<OffsetQuery, 'topic' | 'partition'>,
    options: OffsetLookupOptions,
  ): Promise<number[]> {
    const { clock, timers, random } = this.#env;
    const { timeoutMs, signal, readCommitted } = options;
    const startMs = clock.monotonicMs();
    const deadlineMs = startMs + timeoutMs;
    const offsets = partitions.map(() => -1);
    let left = partitions.map((_, at) => at);
    for (let attempt = 0; left.length > 0; attempt++) {
      const answer = await this.#channels.callAny(
        adminMethods.listOffsets,
        {
          partitions: left.map((at) => {
            const { topic, partition } = partitions[at]!;
            return { topic, partition, ...spec };
          }),
          readCommitted,
        },
        { timeoutMs: Math.max(1, deadlineMs - clock.monotonicMs()), signal },
      );
      const again: number[] = [];
      const waitMs = backoffMs(attempt, random);
      const nowMs = clock.monotonicMs();
      const waited = { waitedMs: nowMs - startMs, isLate: nowMs + waitMs >= deadlineMs };
      for (const [i, at] of left.entries()) {
        if (this.#isAnswered(answer.partitions[i]!, waited))
          offsets[at] = answer.partitions[i]!.offset;
        else again.push(at);
      }
      left = again;
      if (left.length > 0) await delay(waitMs, timers, signal);
    }
    return offsets;
  }

  /** False to ask again; throws what asking again does not mend. */
  #isAnswered(
    { topic, partition, error: message }: OffsetAnswer,
    waited: { readonly waitedMs: number; readonly isLate: boolean },
  ): boolean {
    if (message === undefined) return true;
    // Whoever else uses the topic is to learn what this broker knows.
    if (message.retriable) void this.#metadata.refresh(topic);
    const error = errorOfMessage(message, `offset of ${topic}-${partition}`);
    if (waited.isLate || isHopeless(error, waited.waitedMs)) throw error;
    return false;
  }
}
