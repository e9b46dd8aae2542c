import type { Timers } from '../../src/env/ports.ts';
import { type ErrorRow, Errors } from '../../src/model/errors.ts';
import { toErrorMessage } from '../../src/rpc/error-message.ts';
import type { FetchPosition, FetchRequest, FetchResponse } from '../../src/rpc/log-messages.ts';
import type { TypedStream } from '../../src/rpc/method.ts';
import { FakePartition } from './fake-broker-partition.ts';

/** What a fetch stream needs of its broker. */
export interface FetchHost {
  readonly fetchLatencyMs: number;
  /** The partition, or why it cannot be read. */
  open(position: FetchPosition, nodeId: number): FakePartition | ErrorRow;
}

interface FakeReader {
  readonly position: FetchPosition;
  readonly correlationId: number;
  readonly partition: FakePartition;
  nextOffset: number;
}

/** One fetch stream: sends a batch at a time while there is credit. */
export class FakeFetch {
  readonly #cluster: FetchHost;
  readonly #nodeId: number;
  readonly #stream: TypedStream<FetchResponse>;
  readonly #timers: Timers;
  readonly #readers = new Map<string, FakeReader>();
  readonly #outbox: FetchResponse[] = [];
  readonly #wake = (): void => this.#pumpSoon();
  #creditBytes = 0;
  #isDue = false;
  #closed = false;

  constructor(
    cluster: FetchHost,
    nodeId: number,
    stream: TypedStream<FetchResponse>,
    timers: Timers,
  ) {
    this.#cluster = cluster;
    this.#nodeId = nodeId;
    this.#stream = stream;
    this.#timers = timers;
  }

  onRequest(request: FetchRequest): void {
    this.#creditBytes += request.creditBytes;
    for (const { topic, partition } of request.stops) this.#readers.delete(`${topic}-${partition}`);
    for (const position of request.positions) this.#begin(position, request.correlationId);
    this.#pumpSoon();
  }

  close(): void {
    this.#closed = true;
    for (const { partition } of this.#readers.values()) partition.watchers.delete(this.#wake);
  }

  #begin(position: FetchPosition, correlationId: number): void {
    const { topic, partition } = position;
    const found = this.#cluster.open(position, this.#nodeId);
    if (!(found instanceof FakePartition)) {
      this.#send(position, correlationId, [], found);
      return;
    }
    const isInside = position.offset >= found.logStartOffset && position.offset <= found.nextOffset;
    if (!isInside) {
      this.#send(position, correlationId, [], Errors.OFFSET_OUT_OF_RANGE);
      return;
    }
    found.watchers.add(this.#wake);
    const reader = { position, correlationId, partition: found, nextOffset: position.offset };
    this.#readers.set(`${topic}-${partition}`, reader);
    this.#send(position, correlationId, []);
  }

  #pumpSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.nextTurn(() => {
      this.#isDue = false;
      if (!this.#closed) this.#pump();
    });
  }

  #pump(): void {
    let hasMore = true;
    while (hasMore && this.#creditBytes > 0) {
      hasMore = false;
      for (const reader of this.#readers.values()) {
        if (this.#creditBytes <= 0) return;
        const batch = reader.partition.batches.find((one) => one.nextOffset > reader.nextOffset);
        if (batch === undefined) continue;
        hasMore = true;
        reader.nextOffset = batch.nextOffset;
        this.#creditBytes -= batch.sizeInBytes;
        this.#send(reader.position, reader.correlationId, [batch.bytes]);
      }
    }
  }

  #send(
    { topic, partition }: FetchPosition,
    correlationId: number,
    records: readonly Uint8Array[],
    row?: ErrorRow,
  ): void {
    const found = this.#readers.get(`${topic}-${partition}`)?.partition;
    const highWatermark = row === undefined ? (found?.nextOffset ?? 0) : -1;
    this.#outbox.push({
      partitions: [
        {
          topic,
          partition,
          correlationId,
          error: row === undefined ? undefined : toErrorMessage(row),
          highWatermark,
          lastStableOffset: highWatermark,
          logStartOffset: row === undefined ? (found?.logStartOffset ?? 0) : -1,
          records,
        },
      ],
    });
    // Each event sends the oldest, which keeps them in order however late a timer is.
    const deliver = (): void => {
      const oldest = this.#outbox.shift();
      if (oldest !== undefined && !this.#closed) this.#stream.send(oldest);
    };
    const { fetchLatencyMs } = this.#cluster;
    if (fetchLatencyMs === 0) deliver();
    else this.#timers.after(fetchLatencyMs, deliver);
  }
}
