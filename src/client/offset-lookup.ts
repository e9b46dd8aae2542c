import type { TopicPartition } from '../model/ids.ts';
import type { OffsetAnswer, OffsetQuery } from '../rpc/admin-messages.ts';
import { adminMethods } from '../rpc/admin-service.ts';
import { type ClusterMetadata, isHopeless } from './cluster-metadata.ts';
import type { StartPosition } from './consumer-options.ts';
import { errorOfMessage } from './errors.ts';
import type { LeaderCalls, Waited } from './leader-calls.ts';

export interface OffsetLookupOptions {
  readonly readCommitted: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the leaders of partitions for offsets, and again for those that have none at the moment or are,
 * for a few seconds, not known.
 */
export class OffsetLookup {
  readonly #leaders: LeaderCalls;
  readonly #metadata: ClusterMetadata;

  constructor(leaders: LeaderCalls, metadata: ClusterMetadata) {
    this.#leaders = leaders;
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
    const { timeoutMs, signal, readCommitted } = options;
    const answers = await this.#leaders.call(
      adminMethods.listOffsets,
      partitions,
      (some) => ({
        partitions: some.map(({ topic, partition }) => ({ topic, partition, ...spec })),
        readCommitted,
      }),
      (answer, waited) => this.#isAnswered(answer, waited),
      { timeoutMs, signal },
    );
    return answers.map(({ offset }) => offset);
  }

  /** False to ask again; throws what asking again does not mend. */
  #isAnswered({ topic, partition, error: message }: OffsetAnswer, waited: Waited): boolean {
    if (message === undefined) return true;
    // Whoever else uses the topic is to learn what this broker knows.
    if (message.retriable) void this.#metadata.refresh(topic);
    const error = errorOfMessage(message, `offset of ${topic}-${partition}`);
    if (waited.isLate || isHopeless(error, waited.waitedMs)) throw error;
    return false;
  }
}
