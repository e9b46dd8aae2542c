import { Compression } from '../../src/codec/compression.ts';
import { nodeEnv } from '../../src/env/node-env.ts';
import { Errors } from '../../src/model/errors.ts';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import { Credit } from '../../src/rpc/credit.ts';
import { GrpcTransport } from '../../src/rpc/grpc-transport.ts';
import { Acks, type ProduceResponse } from '../../src/rpc/log-messages.ts';
import { produceMethod } from '../../src/rpc/log-service.ts';
import { openStream, type TypedStream } from '../../src/rpc/method.ts';
import type { Channel } from '../../src/rpc/transport.ts';

export const RECORDS_PER_BATCH = 16;
const RECORD_BYTES = 1024;
/** Bytes of record values in a request. */
export const BATCH_BYTES: number = RECORDS_PER_BATCH * RECORD_BYTES;

/** What became of the requests of a phase. */
export interface Phase {
  /** Requests that were due. */
  offered: number;
  acknowledged: number;
  /** Answered BROKER_OVERLOADED. */
  refused: number;
  /** Not sent, as there was no credit, or the connection took no more. */
  shed: number;
  /** From the moment each was due, in ms. */
  readonly acknowledgedMs: number[];
  readonly refusedMs: number[];
}

const newPhase = (): Phase => ({
  offered: 0,
  acknowledged: 0,
  refused: 0,
  shed: 0,
  acknowledgedMs: [],
  refusedMs: [],
});

/**
 * Produce streams, one a connection and partition, that send what they are told and never again. They
 * keep to the credit that they are granted, as every client should, or do not care. A request is one
 * batch, made beforehand, so that to offer costs less than to take.
 */
export class OfferedLoad {
  /** Base offsets that were acknowledged, by partition. */
  readonly acknowledged: Set<number>[] = [];
  readonly #channels: Channel[] = [];
  readonly #lanes: Lane[] = [];
  #phase: Phase = newPhase();
  /** Whether no more is sent than there is credit for. */
  keepsToCredit = true;
  #failure: Error | undefined;
  #nextLane = 0;

  constructor(address: string, topic: string, partitions: number) {
    const env = nodeEnv();
    const transport = new GrpcTransport({ onUnexpectedError: (error) => this.#fail(error) }, env);
    for (let partition = 0; partition < partitions; partition++) {
      const channel = transport.connect(address, { maxMessageBytes: 16 * 1024 * 1024 });
      const offsets = new Set<number>();
      this.#channels.push(channel);
      this.acknowledged.push(offsets);
      this.#lanes.push(
        new Lane(channel, { topic, partition }, offsets, {
          phase: () => this.#phase,
          keepsToCredit: () => this.keepsToCredit,
          fail: (error) => this.#fail(error),
        }),
      );
    }
  }

  /** Keeps `depth` requests a stream unanswered. */
  async closedLoop(depth: number, ms: number): Promise<Phase> {
    const phase = this.#begin();
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      for (const lane of this.#lanes) {
        while (lane.unanswered < depth && lane.isOpen) this.#offer(lane, performance.now());
      }
      await turn();
    }
    return await this.#end(phase);
  }

  /** Sends at a rate, whatever the answers. */
  async openLoop(perSecond: number, ms: number): Promise<Phase> {
    const phase = this.#begin();
    const startMs = performance.now();
    for (let due = 0; ; ) {
      const elapsedMs = performance.now() - startMs;
      if (elapsedMs >= ms) break;
      for (; due < (elapsedMs / 1_000) * perSecond; due++) {
        this.#nextLane = (this.#nextLane + 1) % this.#lanes.length;
        this.#offer(this.#lanes[this.#nextLane]!, startMs + (due / perSecond) * 1_000);
      }
      await turn();
    }
    return await this.#end(phase);
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) await channel.close();
  }

  #begin(): Phase {
    this.#phase = newPhase();
    return this.#phase;
  }

  /** What is acknowledged after the phase counts for what is kept, not for the phase. */
  async #end(phase: Phase): Promise<Phase> {
    this.#phase = newPhase();
    const lateMs = performance.now() + DRAIN_MS;
    while (this.#lanes.some(({ unanswered }) => unanswered > 0)) {
      if (performance.now() > lateMs) throw new Error('requests are not answered');
      await turn();
    }
    return phase;
  }

  #offer(lane: Lane, dueMs: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#phase.offered++;
    if (lane.isOpen) lane.send(dueMs);
    else this.#phase.shed++;
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }
}

const DRAIN_MS = 60_000;

/** The event loop has polled for I/O. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface LaneOwner {
  phase(): Phase;
  keepsToCredit(): boolean;
  fail(error: unknown): void;
}

/** One stream. */
class Lane {
  readonly #place: { readonly topic: string; readonly partition: number };
  readonly #offsets: Set<number>;
  readonly #owner: LaneOwner;
  readonly #stream: TypedStream<Parameters<typeof produceMethod.request.encode>[0]>;
  readonly #records = makeBatch();
  /** When each unanswered request was due. */
  readonly #due = new Map<number, number>();
  readonly #credit = new Credit();
  #sent = 0;
  #takes = false;

  constructor(
    channel: Channel,
    place: { readonly topic: string; readonly partition: number },
    offsets: Set<number>,
    owner: LaneOwner,
  ) {
    this.#place = place;
    this.#offsets = offsets;
    this.#owner = owner;
    this.#stream = openStream(channel, produceMethod, {
      onMessage: (response) => this.#answered(response),
      onDrain: () => {
        this.#takes = true;
      },
      onEnd: () => {},
      onClose: ({ message }) => owner.fail(new Error(`a stream has ended: ${message}`)),
    });
  }

  /** A request may be sent. */
  get isOpen(): boolean {
    if (!this.#takes) return false;
    return !this.#owner.keepsToCredit() || this.#credit.availableBytes >= this.#records.length;
  }

  get unanswered(): number {
    return this.#due.size;
  }

  send(dueMs: number): void {
    const correlationId = ++this.#sent;
    this.#due.set(correlationId, dueMs);
    this.#credit.spend(this.#records.length);
    this.#takes = this.#stream.send({
      correlationId,
      acks: Acks.all,
      timeoutMs: 30_000,
      partitions: [{ ...this.#place, topicId: new Uint8Array(0), records: this.#records }],
    });
  }

  #answered({ correlationId, creditBytes, partitions }: ProduceResponse): void {
    this.#credit.grant(creditBytes);
    const [answer] = partitions;
    // The first message only grants credit.
    if (answer === undefined) {
      this.#takes = true;
      return;
    }
    const phase = this.#owner.phase();
    const ms = performance.now() - this.#due.get(correlationId)!;
    this.#due.delete(correlationId);
    if (answer.error === undefined) {
      this.#offsets.add(answer.baseOffset);
      phase.acknowledged++;
      phase.acknowledgedMs.push(ms);
    } else if (answer.error.code === Errors.BROKER_OVERLOADED.code) {
      phase.refused++;
      phase.refusedMs.push(ms);
    } else {
      this.#owner.fail(new Error(`a batch was refused: ${JSON.stringify(answer.error)}`));
    }
  }
}

function makeBatch(): Uint8Array {
  const batch = new BatchBuilder({ compression: Compression.none });
  const value = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let i = 0; i < RECORDS_PER_BATCH; i++) {
    batch.append({ key: null, value, headers: [], timestampMs: 1_700_000_000_000 });
  }
  return batch.build();
}
