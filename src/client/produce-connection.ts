import type { Clock, Timer, Timers } from '../env/ports.ts';
import { Credit } from '../rpc/credit.ts';
import type {
  Acks,
  ProducedPartition,
  ProduceRequest,
  ProduceResponse,
} from '../rpc/log-messages.ts';
import { produceMethod } from '../rpc/log-service.ts';
import { openStream, type TypedStream, type TypedStreamEvents } from '../rpc/method.ts';
import { type Channel, RpcCode, type RpcStatus } from '../rpc/transport.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerBatch } from './producer-batch.ts';

export interface ProduceConnectionSettings {
  readonly acks: Acks;
  readonly maxInFlight: number;
  readonly requestTimeoutMs: number;
}

/** A batch on its way, and where it came from. */
export interface ProduceEntry {
  readonly queue: PartitionQueue;
  readonly batch: ProducerBatch;
  readonly topicId: Uint8Array;
}

export interface ProduceConnectionEvents {
  /** One answer an entry, in order. */
  onAnswer(entries: readonly ProduceEntry[], answers: readonly ProducedPartition[]): void;
  /** More can be sent than before. */
  onRoom(): void;
  /** Called once and last, with what has no answer and will get none. */
  onLost(unanswered: readonly ProduceEntry[], status: RpcStatus): void;
}

interface InFlight {
  readonly entries: readonly ProduceEntry[];
  readonly sentMs: number;
}

/** How much longer than a broker, which was told the time, we wait for its answer. */
const GRACE_MS = 5000;
/** How long the broker may take to end a stream that we have ended. */
const CLOSE_PATIENCE_MS = 1000;

/** One `Produce` stream to the leader of some partitions. */
export class ProduceConnection implements TypedStreamEvents<ProduceResponse> {
  readonly #settings: ProduceConnectionSettings;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #events: ProduceConnectionEvents;
  readonly #stream: TypedStream<ProduceRequest>;
  /** By correlation id, oldest first. */
  readonly #inFlight = new Map<number, InFlight>();
  readonly #credit = new Credit();
  readonly #openedMs: number;
  readonly #closed = Promise.withResolvers<void>();
  #correlationId = 0;
  #isWelcomed = false;
  #mayWrite = true;
  #isClosing = false;
  #watch: Timer | undefined;

  constructor(
    settings: ProduceConnectionSettings,
    env: { readonly clock: Clock; readonly timers: Timers },
    channel: Channel,
    events: ProduceConnectionEvents,
  ) {
    this.#settings = settings;
    this.#clock = env.clock;
    this.#timers = env.timers;
    this.#events = events;
    this.#openedMs = env.clock.monotonicMs();
    this.#stream = openStream(channel, produceMethod, this);
    this.#keepWatch();
  }

  /** True if nothing is unanswered. */
  get isIdle(): boolean {
    return this.#inFlight.size === 0;
  }

  /** True if one request is being stored and another waits behind it. */
  get isBusy(): boolean {
    return this.#inFlight.size >= 2;
  }

  /** The broker has spoken: it can be reached. */
  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  /** Whether a request of so many batches with so many bytes may be sent now. */
  hasRoomFor(batches: number, bytes: number): boolean {
    if (!this.#isWelcomed || !this.#mayWrite || this.#isClosing) return false;
    if (this.#inFlight.size >= this.#settings.maxInFlight) return false;
    // A batch larger than all the credit there can be goes alone, instead of never.
    const isAlone = this.#inFlight.size === 0 && batches === 1;
    return isAlone || bytes <= this.#credit.availableBytes;
  }

  send(entries: readonly ProduceEntry[]): void {
    const correlationId = ++this.#correlationId;
    const partitions = entries.map(({ queue, batch, topicId }) => ({
      topic: queue.topic,
      partition: queue.partition,
      topicId,
      records: batch.bytesFor(queue.identity),
    }));
    for (const { records } of partitions) this.#credit.spend(records.length);
    this.#inFlight.set(correlationId, { entries, sentMs: this.#clock.monotonicMs() });
    const { acks, requestTimeoutMs: timeoutMs } = this.#settings;
    this.#mayWrite = this.#stream.send({ correlationId, acks, timeoutMs, partitions });
    this.#keepWatch();
  }

  /** Ends the stream when all is answered, or the broker does not end it in time. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#endWhenIdle();
    const cut = this.#timers.after(CLOSE_PATIENCE_MS, () => void this.abort());
    await this.#closed.promise;
    cut.cancel();
  }

  /** Ends the stream now. */
  abort(): Promise<void> {
    this.#stream.fail({ code: RpcCode.CANCELLED, message: 'the producer was closed' });
    return this.#closed.promise;
  }

  onMessage(response: ProduceResponse): void {
    this.#isWelcomed = true;
    if (response.creditBytes > 0) this.#credit.grant(response.creditBytes);
    if (response.correlationId !== 0) this.#answered(response);
    this.#events.onRoom();
    this.#endWhenIdle();
  }

  onDrain(): void {
    this.#mayWrite = true;
    this.#events.onRoom();
  }

  onEnd(): void {
    // The close follows.
  }

  onClose(status: RpcStatus): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    const unanswered = [...this.#inFlight.values()].flatMap(({ entries }) => entries);
    this.#inFlight.clear();
    this.#isClosing = true;
    this.#closed.resolve();
    this.#events.onLost(unanswered, status);
  }

  #answered(response: ProduceResponse): void {
    const { correlationId, partitions } = response;
    const request = this.#inFlight.get(correlationId);
    if (request === undefined || !isAnswerTo(request.entries, partitions)) {
      const message = `the broker's answer ${correlationId} fits no request`;
      this.#stream.fail({ code: RpcCode.INTERNAL, message });
      return;
    }
    this.#inFlight.delete(correlationId);
    this.#events.onAnswer(request.entries, partitions);
  }

  #endWhenIdle(): void {
    if (this.#isClosing && this.#inFlight.size === 0) this.#stream.end();
  }

  /** One timer for the oldest request, or for the broker's first word. */
  #keepWatch(): void {
    if (this.#watch !== undefined) return;
    const sinceMs = this.#waitingSinceMs();
    if (sinceMs === undefined) return;
    const dueMs = sinceMs + this.#settings.requestTimeoutMs + GRACE_MS;
    this.#watch = this.#timers.after(dueMs - this.#clock.monotonicMs(), () => {
      this.#watch = undefined;
      const oldestMs = this.#waitingSinceMs();
      // What was waited for may have come, and something else be waited for now.
      if (oldestMs !== undefined && oldestMs <= sinceMs) this.#timedOut();
      else this.#keepWatch();
    });
  }

  #waitingSinceMs(): number | undefined {
    if (!this.#isWelcomed) return this.#openedMs;
    for (const { sentMs } of this.#inFlight.values()) return sentMs;
    return undefined;
  }

  #timedOut(): void {
    const { requestTimeoutMs } = this.#settings;
    const message = `no answer within ${requestTimeoutMs + GRACE_MS} ms`;
    this.#stream.fail({ code: RpcCode.DEADLINE_EXCEEDED, message });
  }
}

function isAnswerTo(
  entries: readonly ProduceEntry[],
  answers: readonly ProducedPartition[],
): boolean {
  return (
    answers.length === entries.length &&
    answers.every(
      ({ topic, partition }, at) =>
        topic === entries[at]!.queue.topic && partition === entries[at]!.queue.partition,
    )
  );
}
