import type { Broker } from '../broker/broker.ts';
import { ITEM_OVERHEAD_BYTES, type ProduceResult } from '../broker/produce.ts';
import type { Clock, Timer, Timers } from '../env/ports.ts';
import { ApiError, type ErrorRow, Errors } from '../model/errors.ts';
import type { RequiredAcks } from '../replication/partition.ts';
import { rpcStatusOfRow, toErrorMessage } from '../rpc/error-message.ts';
import {
  Acks,
  type ProducedPartition,
  type ProducePartition,
  type ProduceRequest,
  type ProduceResponse,
} from '../rpc/log-messages.ts';
import type { TypedStream, TypedStreamEvents } from '../rpc/method.ts';
import type { GrpcConfig } from './grpc-config.ts';
import { batchOf } from './plain-records.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
/** A client that was refused is read again after so long, even if there is no room yet. */
const HOLD_OFF_MS = 1_000;

/** What is kept of a request until it is answered; not its records, which are the log's now. */
interface Unanswered {
  readonly correlationId: number;
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
  /** What it takes in memory meanwhile. */
  readonly bytes: number;
  /** What it took of the client's credit: plain records take none. */
  readonly creditBytes: number;
}

/**
 * One `Produce` stream. What it holds is bounded: reading pauses while more than the credit is
 * unanswered, while the client does not take its answers, or while the broker has no room.
 */
export class ProduceStream implements TypedStreamEvents<ProduceRequest> {
  readonly #config: GrpcConfig;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #broker: Broker;
  readonly #stream: TypedStream<ProduceResponse>;
  /** What the unanswered requests take in memory, so that many small ones count, too. */
  #unansweredBytes = 0;
  #unansweredRequests = 0;
  #answersWait = false;
  /** While it runs, the client is not read, as it was refused. */
  #holdOffTimer: Timer | undefined;
  #paused = false;
  #ended = false;
  #isStopping = false;
  #closed = false;

  constructor(
    config: GrpcConfig,
    env: { readonly clock: Clock; readonly timers: Timers },
    broker: Broker,
    stream: TypedStream<ProduceResponse>,
  ) {
    this.#config = config;
    this.#clock = env.clock;
    this.#timers = env.timers;
    this.#broker = broker;
    this.#stream = stream;
    this.#send({ correlationId: 0, creditBytes: config.produceCreditBytes, partitions: [] });
  }

  onMessage(request: ProduceRequest): void {
    if (this.#closed) return;
    const acks = requiredAcks(request.acks);
    if (acks === undefined) {
      this.#fail(Errors.INVALID_REQUIRED_ACKS, `acks is ${request.acks}; ACKS_ALL or ACKS_LEADER`);
      return;
    }
    if (request.correlationId <= 0 || request.timeoutMs < 0) {
      this.#fail(
        Errors.INVALID_REQUEST,
        `correlation id ${request.correlationId} and timeout ${request.timeoutMs} ms: the first must be above 0, the second not below`,
      );
      return;
    }
    const twice = firstTwice(request.partitions);
    if (twice !== undefined) {
      const detail = `${twice.topic}-${twice.partition} stands twice in a request; put its batches into one entry`;
      this.#fail(Errors.INVALID_REQUEST, detail);
      return;
    }
    let items: readonly ProducePartition[];
    try {
      items = this.#inBatches(request.partitions);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#fail(error.row, error.message);
      return;
    }
    const unanswered = unansweredOf(request, items);
    this.#unansweredBytes += unanswered.bytes;
    this.#unansweredRequests++;
    this.#regulate();
    const timeoutMs = request.timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : request.timeoutMs;
    this.#broker.produce(items, { acks, timeoutMs }).then(
      (results) => this.#answer(unanswered, results),
      (error: unknown) => {
        this.#broker.reportUnexpected('produce', error);
        this.#fail(Errors.UNKNOWN_SERVER_ERROR, Errors.UNKNOWN_SERVER_ERROR.message);
      },
    );
  }

  onDrain(): void {
    this.#answersWait = false;
    this.#regulate();
  }

  onEnd(): void {
    this.#ended = true;
    this.#endWhenAnswered();
  }

  /** The broker stops: nothing more is read, and the stream ends when all that was is answered. */
  shutdown(): void {
    this.#isStopping = true;
    this.#regulate();
    this.#endWhenAnswered();
  }

  onClose(): void {
    this.#closed = true;
    this.#endHoldOff();
  }

  #answer(request: Unanswered, results: readonly ProduceResult[]): void {
    this.#unansweredBytes -= request.bytes;
    this.#unansweredRequests--;
    if (this.#closed) return;
    const { correlationId, creditBytes } = request;
    const partitions = request.partitions.map(({ topic, partition }, at) =>
      produced(topic, partition, results[at]!),
    );
    this.#send({ correlationId, creditBytes, partitions });
    if (results.some(({ row }) => row === Errors.BROKER_OVERLOADED)) this.#holdOff();
    this.#regulate();
    this.#endWhenAnswered();
  }

  /**
   * Reads nothing from a client that was refused until there is room. A request that is refused was
   * received and decoded first, which takes the time that others needed to be stored
   * (`npm run stress -- --overload` shows it).
   */
  #holdOff(): void {
    if (this.#holdOffTimer !== undefined) return;
    this.#holdOffTimer = this.#timers.after(HOLD_OFF_MS, this.#goOn);
    this.#broker.memory.whenRoom(this.#goOn);
  }

  #endHoldOff(): void {
    this.#holdOffTimer?.cancel();
    this.#holdOffTimer = undefined;
    this.#broker.memory.stopWaiting(this.#goOn);
  }

  readonly #goOn = (): void => {
    this.#endHoldOff();
    this.#regulate();
  };

  /** The partitions with batches made of those that came as plain records. Throws `ApiError`. */
  #inBatches(partitions: readonly ProducePartition[]): readonly ProducePartition[] {
    if (partitions.every(({ plainRecords = [] }) => plainRecords.length === 0)) return partitions;
    return partitions.map((item) => {
      const { plainRecords = [] } = item;
      if (plainRecords.length === 0) return item;
      if (item.records.length > 0) {
        const detail = `${item.topic}-${item.partition} has both records and plain_records; one of them is right`;
        throw new ApiError(Errors.INVALID_REQUEST, detail);
      }
      return { ...item, records: batchOf(plainRecords, this.#clock.wallMs()) };
    });
  }

  #send(response: ProduceResponse): void {
    if (!this.#stream.send(response)) this.#answersWait = true;
  }

  /** Reads on only while what is unanswered, in either sense, stays small. */
  #regulate(): void {
    const mustPause =
      this.#isStopping ||
      this.#holdOffTimer !== undefined ||
      this.#answersWait ||
      this.#unansweredBytes >= this.#config.produceCreditBytes;
    if (mustPause === this.#paused || this.#closed) return;
    this.#paused = mustPause;
    if (mustPause) this.#stream.pause();
    else this.#stream.resume();
  }

  #endWhenAnswered(): void {
    if (this.#unansweredRequests > 0 || this.#closed) return;
    if (this.#ended) this.#stream.end();
    else if (this.#isStopping) this.#fail(Errors.BROKER_STOPPING, Errors.BROKER_STOPPING.message);
  }

  #fail(row: ErrorRow, detail: string): void {
    if (this.#closed) return;
    this.onClose();
    this.#stream.fail(rpcStatusOfRow(row, detail));
  }
}

function unansweredOf(request: ProduceRequest, items: readonly ProducePartition[]): Unanswered {
  let bytes = 0;
  let creditBytes = 0;
  for (const item of items) bytes += item.records.length + ITEM_OVERHEAD_BYTES;
  for (const { records } of request.partitions) creditBytes += records.length;
  const partitions = items.map(({ topic, partition }) => ({ topic, partition }));
  return { correlationId: request.correlationId, partitions, bytes, creditBytes };
}

/** An entry whose partition had one before: in which order both would be appended is not defined. */
function firstTwice(partitions: readonly ProducePartition[]): ProducePartition | undefined {
  if (partitions.length < 2) return undefined;
  const seen = new Map<string, Set<number>>();
  for (const entry of partitions) {
    const ofTopic = seen.get(entry.topic);
    if (ofTopic === undefined) seen.set(entry.topic, new Set([entry.partition]));
    else if (ofTopic.has(entry.partition)) return entry;
    else ofTopic.add(entry.partition);
  }
  return undefined;
}

function requiredAcks(acks: Acks): RequiredAcks | undefined {
  if (acks === Acks.all || acks === Acks.unspecified) return 'all';
  return acks === Acks.leader ? 'leader' : undefined;
}

function produced(topic: string, partition: number, result: ProduceResult): ProducedPartition {
  return {
    topic,
    partition,
    error: result.row === Errors.NONE ? undefined : toErrorMessage(result.row, result.detail),
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    leaderId: result.leaderId,
    leaderEpoch: result.leaderEpoch,
  };
}
