import type { Broker } from '../broker/broker.ts';
import type { FetchedRecords, FetchSession } from '../broker/fetch-session.ts';
import { CorruptError } from '../codec/reader.ts';
import type { Timers } from '../env/ports.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { rpcStatusOfRow, toErrorMessage } from '../rpc/error-message.ts';
import type {
  FetchedPartition,
  FetchRequest,
  FetchResponse,
  PlainRecord,
} from '../rpc/log-messages.ts';
import type { TypedStream, TypedStreamEvents } from '../rpc/method.ts';
import type { GrpcConfig } from './grpc-config.ts';
import { recordsOf } from './plain-records.ts';
import { StalledReader } from './stalled-reader.ts';

const DEFAULT_PARTITION_BYTES = 1024 * 1024;

/** One `Fetch` stream: a fetch session whose sink is the stream. */
export class FetchStream implements TypedStreamEvents<FetchRequest> {
  readonly #config: GrpcConfig;
  readonly #stream: TypedStream<FetchResponse>;
  readonly #session: FetchSession;
  readonly #stall: StalledReader;
  /** Whether records leave one by one instead of in batches; undefined until the first request. */
  #plain: boolean | undefined;
  #ended = false;
  #closed = false;

  constructor(
    config: GrpcConfig,
    timers: Timers,
    broker: Broker,
    stream: TypedStream<FetchResponse>,
  ) {
    this.#config = config;
    this.#stream = stream;
    this.#stall = new StalledReader(config.stalledReaderMs, timers, () =>
      this.#fail(
        Errors.SLOW_READER,
        `the client granted credit but read nothing for ${config.stalledReaderMs} ms (grpc.stalled.reader.ms)`,
      ),
    );
    this.#session = broker.openFetch(config.fetchCreditBytes, {
      send: (fetched) => this.#send(fetched),
    });
  }

  onMessage(request: FetchRequest): void {
    if (this.#closed) return;
    this.#plain ??= request.plainRecords === true;
    if (request.creditBytes < 0 || request.maxPartitionBytes < 0) {
      this.#fail(
        Errors.INVALID_REQUEST,
        `credit ${request.creditBytes} and max_partition_bytes ${request.maxPartitionBytes} must not be below 0`,
      );
      return;
    }
    if (request.positions.length > 0 && request.correlationId <= 0) {
      this.#fail(Errors.INVALID_REQUEST, `correlation id ${request.correlationId} is not above 0`);
      return;
    }
    for (const { topic, partition } of request.stops) this.#session.end(topic, partition);
    for (const position of request.positions) {
      this.#session.begin({
        topic: position.topic,
        partition: position.partition,
        topicId: position.topicId,
        leaderEpoch: position.leaderEpoch,
        offset: position.offset,
        correlationId: request.correlationId,
        maxBytes: request.maxPartitionBytes || DEFAULT_PARTITION_BYTES,
      });
    }
    if (this.#session.size > this.#config.fetchPartitions) {
      this.#fail(
        Errors.REQUEST_TOO_LARGE,
        `the stream reads ${this.#session.size} partitions; at most ${this.#config.fetchPartitions} (grpc.fetch.partitions)`,
      );
      return;
    }
    if (request.creditBytes > 0) this.#session.grant(request.creditBytes);
  }

  onDrain(): void {
    this.#stall.moving();
    this.#session.drained();
  }

  /** The client will ask for nothing more, but still gets what it granted credit for. */
  onEnd(): void {
    this.#ended = true;
    this.#endWhenSpent();
  }

  /** The broker stops; a reader finds another one, or this one again. */
  shutdown(): void {
    this.#fail(Errors.BROKER_STOPPING, Errors.BROKER_STOPPING.message);
  }

  onClose(): void {
    this.#closed = true;
    this.#stall.moving();
    this.#session.close();
  }

  #send(fetched: readonly FetchedRecords[]): boolean {
    if (this.#closed) return true;
    const partitions = fetched.map((each) => message(each, this.#plain === true));
    for (const { topic, partition, error } of partitions) {
      // What cannot be read will not be read by trying on.
      if (error !== undefined) this.#session.end(topic, partition);
    }
    const keepsUp = this.#stream.send({ partitions });
    if (!keepsUp) this.#stall.stalled();
    this.#endWhenSpent();
    return keepsUp;
  }

  #endWhenSpent(): void {
    if (!this.#ended || this.#closed || this.#session.creditBytes > 0) return;
    this.onClose();
    this.#stream.end();
  }

  #fail(row: ErrorRow, detail: string): void {
    if (this.#closed) return;
    this.onClose();
    this.#stream.fail(rpcStatusOfRow(row, detail));
  }
}

/** Most bytes that one batch may come to when its records are sent one by one. */
const MAX_PLAIN_BYTES = 64 * 1024 * 1024;

const NO_RECORDS: readonly PlainRecord[] = [];

function message(fetched: FetchedRecords, plain: boolean): FetchedPartition {
  let { row, detail, batches } = fetched;
  let plainRecords = NO_RECORDS;
  if (plain && batches.length > 0) {
    try {
      plainRecords = recordsOf(batches, fetched.fromOffset, MAX_PLAIN_BYTES);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      row = Errors.CORRUPT_MESSAGE;
      detail = `the records of ${fetched.topic}-${fetched.partition} from ${fetched.fromOffset} on cannot be read: ${error.message}`;
    }
    batches = [];
  }
  return {
    topic: fetched.topic,
    partition: fetched.partition,
    correlationId: fetched.correlationId,
    error: row === Errors.NONE ? undefined : toErrorMessage(row, detail),
    highWatermark: fetched.marks?.highWatermark ?? -1,
    lastStableOffset: fetched.marks?.lastStableOffset ?? -1,
    logStartOffset: fetched.marks?.logStartOffset ?? -1,
    records: batches,
    plainRecords,
  };
}
