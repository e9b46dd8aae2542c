import type { Broker } from '../broker/broker.ts';
import type { FetchedRecords, FetchSession } from '../broker/fetch-session.ts';
import { CorruptError } from '../codec/reader.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { NO_LEADER_EPOCH } from '../model/ids.ts';
import { rpcStatusOfRow, toErrorMessage } from '../rpc/error-message.ts';
import {
  type FetchedPartition,
  type FetchRequest,
  type FetchResponse,
  IsolationLevel,
} from '../rpc/log-messages.ts';
import type { TypedStream, TypedStreamEvents } from '../rpc/method.ts';
import type { GrpcConfig } from './grpc-config.ts';
import { portionsOf } from './plain-records.ts';

const DEFAULT_PARTITION_BYTES = 1024 * 1024;
/** Answers of one turn share a message of at most this, unless one read is larger (DESIGN D5). */
const MESSAGE_BYTES = 1024 * 1024;

/** A batch that comes to more is refused: the client reads it in another form. */
const plainLimits = { batchBytes: 64 * 1024 * 1024, portionBytes: MESSAGE_BYTES };

/** One `Fetch` stream: a fetch session whose sink is the stream. */
export class FetchStream implements TypedStreamEvents<FetchRequest> {
  readonly #config: GrpcConfig;
  readonly #stream: TypedStream<FetchResponse>;
  readonly #broker: Broker;
  /** Missing until the first request, which says in which form records leave. */
  #session: FetchSession | undefined;
  #plain = false;
  #closed = false;

  constructor(config: GrpcConfig, broker: Broker, stream: TypedStream<FetchResponse>) {
    this.#config = config;
    this.#stream = stream;
    this.#broker = broker;
  }

  onMessage(request: FetchRequest): void {
    if (this.#closed) return;
    const broken = whatIsBroken(request);
    if (broken !== null) {
      this.#fail(Errors.INVALID_REQUEST, broken);
      return;
    }
    this.#session ??= this.#open(request.plainRecords === true);
    const session = this.#session;
    for (const { topic, partition } of request.stops) session.end(topic, partition);
    for (const position of request.positions) {
      session.begin({
        topic: position.topic,
        partition: position.partition,
        topicId: position.topicId,
        leaderEpoch: Math.max(position.leaderEpoch, NO_LEADER_EPOCH),
        offset: position.offset,
        correlationId: request.correlationId,
        // One batch at a time is decoded: a small one can come to very much.
        maxBytes: this.#plain ? 1 : request.maxPartitionBytes || DEFAULT_PARTITION_BYTES,
      });
    }
    if (session.size > this.#config.fetchPartitions) {
      this.#fail(
        Errors.REQUEST_TOO_LARGE,
        `the stream reads ${session.size} partitions; at most ${this.#config.fetchPartitions} (grpc.fetch.partitions)`,
      );
      return;
    }
    if (request.creditBytes > 0) session.grant(request.creditBytes);
  }

  onDrain(): void {
    if (this.#closed) return;
    this.#stream.resume();
    this.#session?.drained();
  }

  /** The client will ask for nothing more, but still gets what it granted credit for. */
  onEnd(): void {
    if (this.#session === undefined) this.#end();
    else this.#session.finish();
  }

  /** The broker stops; a reader finds another one, or this one again. */
  shutdown(): void {
    this.#fail(Errors.BROKER_STOPPING, Errors.BROKER_STOPPING.message);
  }

  onClose(): void {
    this.#closed = true;
    this.#session?.close();
  }

  #open(plain: boolean): FetchSession {
    this.#plain = plain;
    const limits = {
      creditBytes: this.#config.fetchCreditBytes,
      // Each batch leaves before the next is decoded.
      messageBytes: plain ? 1 : MESSAGE_BYTES,
    };
    return this.#broker.openFetch(limits, {
      send: (fetched) => this.#send(fetched),
      end: () => this.#end(),
      failed: (error) => {
        this.#broker.reportUnexpected('fetch', error);
        this.#fail(Errors.UNKNOWN_SERVER_ERROR, Errors.UNKNOWN_SERVER_ERROR.message);
      },
    });
  }

  #send(fetched: readonly FetchedRecords[]): boolean {
    let keepsUp = true;
    if (!this.#plain) keepsUp = this.#sendBatches(fetched);
    else for (const each of fetched) keepsUp = this.#sendPlain(each);
    if (keepsUp) return true;
    // Also refusals wait in memory: nothing more is asked for until the client reads on.
    this.#stream.pause();
    return false;
  }

  #sendBatches(fetched: readonly FetchedRecords[]): boolean {
    return this.#stream.sendShared({ partitions: fetched.map(inBatches) }, () => {
      for (const { release } of fetched) release?.();
    });
  }

  /** Sends plain records, in as many messages as keep each of them small. */
  #sendPlain(fetched: FetchedRecords): boolean {
    const { topic, partition, correlationId, batches, fromOffset } = fetched;
    const bare = inBatches({ ...fetched, batches: [] });
    let keepsUp = true;
    try {
      for (const plainRecords of portionsOf(batches, fromOffset, plainLimits)) {
        keepsUp = this.#stream.send({ partitions: [{ ...bare, plainRecords }] });
      }
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      const row = Errors.CORRUPT_MESSAGE;
      const detail = `the records of ${topic}-${partition} from ${fromOffset} on cannot be read: ${error.message}`;
      const refusal = inBatches({ ...fetched, row, detail, marks: null, batches: [] });
      keepsUp = this.#stream.send({ partitions: [refusal] });
      // Trying on would not help; meanwhile the client may have moved elsewhere, which is left alone.
      this.#session?.end(topic, partition, correlationId);
    }
    return keepsUp;
  }

  #end(): void {
    if (this.#closed) return;
    this.onClose();
    this.#stream.end();
  }

  #fail(row: ErrorRow, detail: string): void {
    if (this.#closed) return;
    this.onClose();
    this.#stream.fail(rpcStatusOfRow(row, detail));
  }
}

/** What a client can see of itself to be wrong with a request; null for nothing. */
function whatIsBroken(request: FetchRequest): string | null {
  const { creditBytes, maxPartitionBytes, correlationId, isolationLevel, positions } = request;
  if (creditBytes < 0 || maxPartitionBytes < 0) {
    return `credit ${creditBytes} and max_partition_bytes ${maxPartitionBytes} must not be below 0`;
  }
  if (positions.length > 0 && correlationId <= 0) {
    return `correlation id ${correlationId} is not above 0`;
  }
  // One of a newer version may promise more than this broker keeps.
  if (isolationLevel < 0 || isolationLevel > IsolationLevel.readCommitted) {
    return `isolation level ${isolationLevel} is not known; the highest is ${IsolationLevel.readCommitted}`;
  }
  return null;
}

function inBatches(fetched: FetchedRecords): FetchedPartition {
  const { topic, partition, correlationId, row, detail, marks, batches } = fetched;
  return {
    topic,
    partition,
    correlationId,
    error: row === Errors.NONE ? undefined : toErrorMessage(row, detail),
    highWatermark: marks?.highWatermark ?? -1,
    lastStableOffset: marks?.lastStableOffset ?? -1,
    logStartOffset: marks?.logStartOffset ?? -1,
    records: batches,
  };
}
