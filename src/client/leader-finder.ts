import type { Random } from '../env/ports.ts';
import { retryMs } from './backoff.ts';
import {
  type ClusterMetadata,
  isHopeless,
  type PartitionLeader,
  partitionKey,
  type TopicMetadata,
} from './cluster-metadata.ts';
import { VarveError } from './errors.ts';

/** The leader of a partition, or why it is not known. */
export type LeaderSearch =
  | PartitionLeader
  | {
      readonly error: VarveError | undefined;
      /** Waiting longer is of no use. */
      readonly isFinal: boolean;
      /** When to look again at the latest. */
      readonly againAtMs: number;
    };

interface Search {
  readonly partition: number;
  readonly sinceMs: number;
  attempts: number;
  askAtMs: number;
}

/** A search that nobody has asked about for so long is begun anew. */
const STALE_MS = 5000;

/**
 * Looks up leaders, and has the metadata refreshed, with growing pauses, as long as one is missing. A
 * topic that the cluster does not have, and a partition that the topic does not have, are given a few
 * seconds: it may be known here before there.
 */
export class LeaderFinder {
  readonly #env: { readonly random: Random };
  readonly #metadata: ClusterMetadata;
  /** For a partition that its topic lacks by both, else by topic, begun for the first one that was missing. */
  readonly #searches = new Map<string, Search>();

  constructor(env: { readonly random: Random }, metadata: ClusterMetadata) {
    this.#env = env;
    this.#metadata = metadata;
  }

  // Hot path: two look-ups when the leader is known.
  find(topic: string, partition: number, nowMs: number): LeaderSearch {
    const known = this.#metadata.topic(topic);
    const leader = known?.partitions[partition];
    if (leader !== undefined && leader.leaderId >= 0) {
      if (this.#searches.size > 0) this.#found(topic, partition);
      return leader;
    }
    const isLacking = known !== undefined && leader === undefined;
    const key = isLacking ? partitionKey(topic, partition) : topic;
    const search = this.#searchFor(key, partition, nowMs);
    const error =
      this.#metadata.errorOf(topic) ??
      (isLacking && known.askedMs >= search.sinceMs ? noPartition(known, partition) : undefined);
    const isFinal = error !== undefined && isHopeless(error, nowMs - search.sinceMs);
    if (isFinal) this.#searches.delete(key);
    else if (nowMs >= search.askAtMs) this.#ask(topic, search, nowMs);
    return { error, isFinal, againAtMs: search.askAtMs };
  }

  #found(topic: string, partition: number): void {
    this.#searches.delete(partitionKey(topic, partition));
    if (this.#searches.get(topic)?.partition === partition) this.#searches.delete(topic);
  }

  #searchFor(key: string, partition: number, nowMs: number): Search {
    const known = this.#searches.get(key);
    if (known !== undefined && nowMs < known.askAtMs + STALE_MS) return known;
    const search = { partition, sinceMs: nowMs, attempts: 0, askAtMs: nowMs };
    this.#searches.set(key, search);
    return search;
  }

  #ask(topic: string, search: Search, nowMs: number): void {
    search.askAtMs = nowMs + retryMs(search.attempts, this.#env.random);
    search.attempts++;
    void this.#metadata.refresh(topic);
  }
}

function noPartition({ name, partitions }: TopicMetadata, partition: number): VarveError {
  const count = partitions.length;
  return new VarveError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `${name}-${partition} does not exist: topic ${name} has partitions 0 to ${count - 1}, ${count} in all; it may have been made anew with fewer`,
    { retriable: true },
  );
}
