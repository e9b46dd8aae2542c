import type { TopicPartition } from '../model/ids.ts';
import {
  type FetchedPartition,
  type FetchPosition,
  type FetchRequest,
  type FetchResponse,
  IsolationLevel,
} from '../rpc/log-messages.ts';
import { fetchMethod } from '../rpc/log-service.ts';
import { openStream, type TypedStream, type TypedStreamEvents } from '../rpc/method.ts';
import { type Channel, RpcCode, type RpcStatus } from '../rpc/transport.ts';
import type { PrefetchBudget, PrefetchMember } from './prefetch-budget.ts';

export interface FetchConnectionEvents {
  /** The bytes of its records count as held until `release`. */
  onFetched(connection: FetchConnection, fetched: FetchedPartition): void;
  /** Called once and last. */
  onLost(connection: FetchConnection, status: RpcStatus): void;
}

export interface FetchConnectionSettings {
  readonly readCommitted: boolean;
  /** Shared with the other streams of the consumer. */
  readonly budget: PrefetchBudget;
}

/** So much at least is granted at a time, so that not every batch is followed by a grant. */
const LEAST_GRANT_BYTES = 1024 * 1024;
/** Positions in one request. */
const MAX_POSITIONS = 1000;

/** One `Fetch` stream to a broker, and the bytes it may send ahead of the reader. */
export class FetchConnection implements TypedStreamEvents<FetchResponse>, PrefetchMember {
  readonly nodeId: number;
  readonly #isolationLevel: IsolationLevel;
  readonly #events: FetchConnectionEvents;
  readonly #stream: TypedStream<FetchRequest>;
  #correlationId = 0;
  readonly #budget: PrefetchBudget;
  /** What the broker may still send; below zero after a large batch. */
  #creditBytes = 0;
  /** What it sent and was not released. */
  #heldBytes = 0;
  #hasSpoken = false;
  #isClosed = false;

  constructor(
    nodeId: number,
    settings: FetchConnectionSettings,
    channel: Channel,
    events: FetchConnectionEvents,
  ) {
    this.nodeId = nodeId;
    this.#budget = settings.budget;
    this.#isolationLevel = settings.readCommitted
      ? IsolationLevel.readCommitted
      : IsolationLevel.readUncommitted;
    this.#events = events;
    this.#stream = openStream(channel, fetchMethod, this);
    this.#budget.join(this);
  }

  /** The broker has sent something: it can be reached. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** Lets the broker send more, if it has less than its share and there is something to share. */
  grant(): void {
    const { shareBytes, freeBytes } = this.#budget;
    const missing = shareBytes - this.#creditBytes - this.#heldBytes;
    const least = Math.min(LEAST_GRANT_BYTES, Math.ceil(shareBytes / 2));
    // Granted credit cannot be taken back. So a stream that has nothing gets a little even if others
    // have been given all: those may read partitions to which nothing comes.
    const isDry = this.#creditBytes <= 0 && this.#heldBytes === 0;
    const bytes = Math.max(Math.min(missing, freeBytes), isDry ? least : 0);
    if (this.#isClosed || bytes < least) return;
    this.#creditBytes += bytes;
    this.#budget.take(bytes);
    this.#send({ correlationId: ++this.#correlationId, creditBytes: bytes });
  }

  /** `bytes` of records were handed out or thrown away, also after the stream has ended. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#budget.give(bytes);
  }

  /** Reads partitions from these positions on; returns the correlation ids, in order. */
  begin(positions: readonly FetchPosition[]): number[] {
    const ids: number[] = [];
    for (let at = 0; at < positions.length; at += MAX_POSITIONS) {
      const some = positions.slice(at, at + MAX_POSITIONS);
      const correlationId = ++this.#correlationId;
      this.#send({ correlationId, positions: some });
      for (let i = 0; i < some.length; i++) ids.push(correlationId);
    }
    return ids;
  }

  stop({ topic, partition }: TopicPartition): void {
    this.#send({ correlationId: ++this.#correlationId, stops: [{ topic, partition }] });
  }

  close(): void {
    this.#stream.fail({ code: RpcCode.CANCELLED, message: 'the reader was closed' });
    this.#end();
  }

  onMessage(response: FetchResponse): void {
    this.#hasSpoken = true;
    for (const fetched of response.partitions) {
      // A callback may have closed the stream.
      if (this.#isClosed) return;
      const bytes = fetched.records[0]?.length ?? 0;
      this.#creditBytes -= bytes;
      this.#heldBytes += bytes;
      this.#events.onFetched(this, fetched);
    }
  }

  onDrain(): void {
    // Requests are few and small.
  }

  onEnd(): void {
    // The close follows.
  }

  onClose(status: RpcStatus): void {
    this.#end();
    this.#events.onLost(this, status);
  }

  /** What was granted and not sent is free again. */
  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#budget.leave(this);
    this.#budget.give(this.#creditBytes);
  }

  #send(request: Partial<FetchRequest> & { readonly correlationId: number }): void {
    if (this.#isClosed) return;
    this.#stream.send({
      creditBytes: 0,
      isolationLevel: this.#isolationLevel,
      maxPartitionBytes: 0,
      positions: [],
      stops: [],
      ...request,
    });
  }
}
