import type { Random } from '../env/ports.ts';
import { backoffMs } from './backoff.ts';
import {
  type ClusterMetadata,
  type PartitionLeader,
  UNKNOWN_TOPIC_PATIENCE_MS,
} from './cluster-metadata.ts';
import type { VarveError } from './errors.ts';

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
 * topic that the cluster does not have is given a few seconds: it may be known here before there.
 */
export class LeaderFinder {
  readonly #env: { readonly random: Random };
  readonly #metadata: ClusterMetadata;
  /** By topic, begun for the first partition that was missing. */
  readonly #searches = new Map<string, Search>();

  constructor(env: { readonly random: Random }, metadata: ClusterMetadata) {
    this.#env = env;
    this.#metadata = metadata;
  }

  // Hot path: two look-ups when the leader is known.
  find(topic: string, partition: number, nowMs: number): LeaderSearch {
    const leader = this.#metadata.topic(topic)?.partitions[partition];
    if (leader !== undefined && leader.leaderId >= 0) {
      const done = this.#searches.size > 0 && this.#searches.get(topic)?.partition === partition;
      if (done) this.#searches.delete(topic);
      return leader;
    }
    const search = this.#searchFor(topic, partition, nowMs);
    const error = this.#metadata.errorOf(topic);
    const isFinal = error !== undefined && isHopeless(error, nowMs - search.sinceMs);
    if (isFinal) this.#searches.delete(topic);
    else if (nowMs >= search.askAtMs) this.#ask(topic, search, nowMs);
    return { error, isFinal, againAtMs: search.askAtMs };
  }

  #searchFor(topic: string, partition: number, nowMs: number): Search {
    const known = this.#searches.get(topic);
    if (known !== undefined && nowMs < known.askAtMs + STALE_MS) return known;
    const search = { partition, sinceMs: nowMs, attempts: 0, askAtMs: nowMs };
    this.#searches.set(topic, search);
    return search;
  }

  #ask(topic: string, search: Search, nowMs: number): void {
    search.askAtMs = nowMs + backoffMs(search.attempts, this.#env.random);
    search.attempts++;
    void this.#metadata.refresh(topic);
  }
}

function isHopeless(error: VarveError, waitedMs: number): boolean {
  if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return waitedMs >= UNKNOWN_TOPIC_PATIENCE_MS;
  return !error.retriable;
}
