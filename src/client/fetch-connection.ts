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

export interface FetchConnectionEvents {
  /** The bytes of its records count as held until `release`. */
  onFetched(connection: FetchConnection, fetched: FetchedPartition): void;
  /** Called once and last. */
  onLost(connection: FetchConnection, status: RpcStatus): void;
}

/** So much at least is granted at a time, so that not every batch is followed by a grant. */
const LEAST_GRANT_BYTES = 1024 * 1024;
/** Positions in one request. */
const MAX_POSITIONS = 1000;

/** One `Fetch` stream to a broker, and the bytes it may send ahead of the reader. */
export class FetchConnection implements TypedStreamEvents<FetchResponse> {
  readonly nodeId: number;
  readonly #isolationLevel: IsolationLevel;
  readonly #events: FetchConnectionEvents;
  readonly #stream: TypedStream<FetchRequest>;
  #correlationId = 0;
  #windowBytes = 0;
  /** Granted, less what was released: what the broker may send and what is held here, together. */
  #outstandingBytes = 0;
  #hasSpoken = false;
  #isClosed = false;

  constructor(
    nodeId: number,
    readCommitted: boolean,
    channel: Channel,
    events: FetchConnectionEvents,
  ) {
    this.nodeId = nodeId;
    this.#isolationLevel = readCommitted
      ? IsolationLevel.readCommitted
      : IsolationLevel.readUncommitted;
    this.#events = events;
    this.#stream = openStream(channel, fetchMethod, this);
  }

  /** The broker has sent something: it can be reached. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** How much may be fetched ahead over this stream, from now on. */
  setWindow(bytes: number): void {
    this.#windowBytes = bytes;
    this.#grant();
  }

  /** `bytes` of records were handed out or thrown away. */
  release(bytes: number): void {
    this.#outstandingBytes -= bytes;
    this.#grant();
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
    this.#isClosed = true;
    this.#stream.fail({ code: RpcCode.CANCELLED, message: 'the reader was closed' });
  }

  onMessage(response: FetchResponse): void {
    this.#hasSpoken = true;
    for (const fetched of response.partitions) {
      // A callback may have closed the stream.
      if (!this.#isClosed) this.#events.onFetched(this, fetched);
    }
  }

  onDrain(): void {
    // Requests are few and small.
  }

  onEnd(): void {
    // The close follows.
  }

  onClose(status: RpcStatus): void {
    this.#isClosed = true;
    this.#events.onLost(this, status);
  }

  #grant(): void {
    const creditBytes = this.#windowBytes - this.#outstandingBytes;
    const least = Math.min(LEAST_GRANT_BYTES, Math.ceil(this.#windowBytes / 2));
    if (creditBytes < least || creditBytes <= 0) return;
    this.#outstandingBytes += creditBytes;
    this.#send({ correlationId: ++this.#correlationId, creditBytes });
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
