import { assert } from '../model/assert.ts';
import { VarveError } from './errors.ts';
import type { ProduceReaction } from './produce-reactions.ts';
import {
  nextEpoch,
  type ProducerBatch,
  type ProducerIdentity,
  sequenceAfter,
} from './producer-batch.ts';

export interface PartitionQueueSettings {
  readonly isIdempotent: boolean;
  readonly lingerMs: number;
  readonly deliveryTimeoutMs: number;
  /** Batches from the oldest without an answer to the newest sent: a broker recognises the last five. */
  readonly maxInFlight: number;
}

/** What a broker answered, or how an attempt ended without an answer. */
export interface Refusal {
  readonly error: VarveError;
  readonly reaction: ProduceReaction;
  readonly mayBeStored: boolean;
  /** Monotonic time in ms before which the partition sends nothing. */
  readonly retryAtMs: number;
}

/** Where a batch was stored. */
export interface StoredAt {
  /** -1 if the broker no longer knows. */
  readonly baseOffset: number;
  /** -1 if the records keep their own times. */
  readonly logAppendTimeMs: number;
}

/** Why a batch may go before it is full or has lingered. */
export interface SendUrgency {
  /** All that is there must go: the producer is flushed or closed. */
  readonly isFlushing: boolean;
  /** Nothing is unanswered at the leader: waiting would only cost time. */
  readonly leaderIsIdle: boolean;
  /** So much is unanswered at the leader that a batch would wait there: here it can grow meanwhile. */
  readonly leaderIsBusy: boolean;
}

/**
 * A broker that has not heard of a producer takes any sequence as its first, and forgets producers in
 * time. So the first batch after so long goes alone, or a second one could be stored before it.
 */
const BROKER_REMEMBERS_MS = 60_000;
const FIRST_CAPACITY_BYTES = 4096;

/**
 * The batches of one partition, and the rules by which their records neither repeat nor swap. Pure:
 * it is told the time and what happened.
 *
 *     waiting ──take──▶ sent (in flight ◀─▶ to be sent again) ──▶ settled
 *
 * 1. Batches get their sequences in order, when first sent, and are sent in that order.
 * 2. After any failure nothing is sent until all that is in flight has an answer; then everything
 *    that is left goes again in order with the same sequences.
 * 3. A batch that fails for good leaves a gap in the sequences. What is behind it is numbered anew
 *    under the next epoch, which also makes brokers refuse late copies of the old epoch. A batch that
 *    may be stored is never numbered anew: it fails with OUTCOME_UNKNOWN.
 * 4. So many batches as a broker remembers are sent from the oldest unanswered one on, and no more.
 * 5. Under an epoch of which nothing is acknowledged yet, one batch is in flight.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly #settings: PartitionQueueSettings;
  /** Have a sequence, oldest first. */
  readonly #sent: ProducerBatch[] = [];
  /** Oldest first; only the last may still take records. */
  readonly #waiting: ProducerBatch[] = [];
  #inFlightCount = 0;
  #lastBatchBytes = FIRST_CAPACITY_BYTES;
  /** What is to be done when nothing is in flight any more. */
  #pending: 'nothing' | 'resend' | 'renumber' = 'nothing';
  #identity: ProducerIdentity | undefined;
  #nextSequence = 0;
  /** How many batches were given a sequence. */
  #ordinal = 0;
  /** When a batch of this identity was last stored; in the far past if none was. */
  #storedMs = Number.NEGATIVE_INFINITY;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #attempts = 0;
  #lastError: VarveError | undefined;
  /** An id whose epochs are used up here. */
  #retiredId = -1;

  constructor(topic: string, partition: number, settings: PartitionQueueSettings) {
    this.topic = topic;
    this.partition = partition;
    this.#settings = settings;
  }

  get isEmpty(): boolean {
    return this.#sent.length === 0 && this.#waiting.length === 0;
  }

  /** How often in a row attempts have failed. */
  get attempts(): number {
    return this.#attempts;
  }

  /** How large the batch before was: so much memory the next one is given to begin with. */
  get lastBatchBytes(): number {
    return this.#lastBatchBytes;
  }

  /** True if an id is needed before anything can be sent. */
  get needsIdentity(): boolean {
    return this.#settings.isIdempotent && this.#identity === undefined;
  }

  /** Under which id and epoch batches are sent now. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** The batch that takes records now, if there is one. */
  get open(): ProducerBatch | undefined {
    const last = this.#waiting.at(-1);
    return last === undefined || last.isSealed ? undefined : last;
  }

  add(batch: ProducerBatch): void {
    assert(this.open === undefined, 'a partition has one open batch');
    this.#waiting.push(batch);
  }

  /** Takes an id to send under. False if it has served here before and another one is needed. */
  adopt(identity: ProducerIdentity): boolean {
    assert(
      this.needsIdentity && this.#sent.length === 0,
      'an identity is taken when none is there',
    );
    if (identity.id === this.#retiredId) return false;
    this.#begin(identity);
    return true;
  }

  /** Why nothing can be sent at the moment: told to those who run out of time. */
  blame(error: VarveError): void {
    this.#lastError = error;
  }

  /** The batch to send now, if there is one; `take` says that it is being sent. */
  next(nowMs: number, urgency: SendUrgency): ProducerBatch | undefined {
    if (nowMs < this.#retryAtMs || this.needsIdentity || this.#pending !== 'nothing') {
      return undefined;
    }
    if (this.#inFlightCount < this.#sent.length) {
      const isFull = this.#inFlightCount >= this.#settings.maxInFlight;
      const isAlone = this.#inFlightCount === 0;
      const isNext = isAlone || (!isFull && this.#isRemembered(nowMs));
      return isNext ? this.#sent[this.#inFlightCount] : undefined;
    }
    const first = this.#waiting[0];
    if (first === undefined || !this.#mayPipeline(nowMs)) return undefined;
    const isDue = nowMs >= first.place.createdMs + this.#settings.lingerMs;
    const { isFlushing, leaderIsIdle, leaderIsBusy } = urgency;
    const isReady = first.isSealed || isFlushing || leaderIsIdle || (isDue && !leaderIsBusy);
    return isReady ? first : undefined;
  }

  /** The batch that `next` gave is being sent; its sequence is fixed and it takes no more records. */
  take(batch: ProducerBatch): void {
    if (batch === this.#waiting[0]) {
      this.#waiting.shift();
      batch.seal();
      this.#lastBatchBytes = batch.plainBytes;
      batch.ordinal = this.#ordinal++;
      if (this.#settings.isIdempotent) {
        batch.baseSequence = this.#nextSequence;
        this.#nextSequence = sequenceAfter(this.#nextSequence, batch.recordCount);
      }
      this.#sent.push(batch);
    }
    assert(batch === this.#sent[this.#inFlightCount], 'batches are sent in order');
    batch.isInFlight = true;
    this.#inFlightCount++;
  }

  /** The batch was stored. */
  stored(batch: ProducerBatch, at: StoredAt, nowMs: number): void {
    if (!this.#landed(batch)) return;
    const index = this.#sent.indexOf(batch);
    for (let i = 0; i < index; i++) this.#sent[i]!.wasOvertaken = true;
    this.#sent.splice(index, 1);
    this.#storedMs = nowMs;
    this.#attempts = 0;
    this.#lastError = undefined;
    batch.succeed(at.baseOffset, at.logAppendTimeMs);
    this.#settle();
  }

  /** The batch was not stored, or nobody knows. */
  refused(batch: ProducerBatch, refusal: Refusal): void {
    if (!this.#landed(batch)) return;
    batch.mayBeStored ||= refusal.mayBeStored;
    this.#lastError = refusal.error;
    this.#attempts++;
    this.#retryAtMs = Math.max(this.#retryAtMs, refusal.retryAtMs);
    this.#await('resend');
    switch (refusal.reaction) {
      case 'sequence':
        this.#outOfSequence(batch, refusal.error);
        break;
      case 'split':
        this.#tooLarge(batch, refusal.error);
        break;
      case 'fail':
        this.#giveUp(batch, refusal.error);
        break;
      default:
        break;
    }
    this.#settle();
  }

  /** Gives up what is older than the delivery timeout. Returns when to look again. */
  expire(nowMs: number): number {
    const bornMs = nowMs - this.#settings.deliveryTimeoutMs;
    for (let first = this.#sent[0]; first !== undefined && first.place.createdMs <= bornMs; ) {
      // An answer that still comes is ignored: the batch is settled then.
      if (first.isInFlight) {
        first.mayBeStored = true;
        first.isInFlight = false;
        this.#inFlightCount--;
      }
      this.#giveUp(first, this.#timedOut());
      first = this.#sent[0];
    }
    this.#settle();
    for (let first = this.#waiting[0]; first !== undefined && first.place.createdMs <= bornMs; ) {
      this.#waiting.shift();
      first.fail(this.#timedOut());
      first = this.#waiting[0];
    }
    return this.expiresAtMs;
  }

  /** When the oldest batch is to be given up; infinite if there is none. */
  get expiresAtMs(): number {
    const oldest = this.#sent[0] ?? this.#waiting[0];
    return (oldest?.place.createdMs ?? Number.POSITIVE_INFINITY) + this.#settings.deliveryTimeoutMs;
  }

  /** When `next` may answer otherwise although nothing has happened; infinite if it will not. */
  wakeAtMs(nowMs: number): number {
    if (this.isEmpty || this.#pending !== 'nothing') return Number.POSITIVE_INFINITY;
    if (nowMs < this.#retryAtMs) return this.#retryAtMs;
    const first = this.#waiting[0];
    if (first === undefined || first.isSealed) return Number.POSITIVE_INFINITY;
    const dueMs = first.place.createdMs + this.#settings.lingerMs;
    return nowMs < dueMs ? dueMs : Number.POSITIVE_INFINITY;
  }

  /** Gives up everything; what may be stored is told so. */
  failAll(error: VarveError): void {
    const given = [...this.#sent.splice(0), ...this.#waiting.splice(0)];
    const hadSent = given.some((batch) => batch.baseSequence >= 0);
    this.#inFlightCount = 0;
    for (const batch of given) {
      batch.fail(batch.isInFlight || batch.mayBeStored ? outcomeUnknown(batch, error) : error);
    }
    if (hadSent) this.#renumber();
    this.#pending = 'nothing';
  }

  #mayPipeline(nowMs: number): boolean {
    const oldest = this.#sent[0];
    if (oldest === undefined) return true;
    // Not "how many are unanswered": the broker must still recognise the oldest when it comes again.
    if (this.#ordinal - oldest.ordinal >= this.#settings.maxInFlight) return false;
    return this.#isRemembered(nowMs);
  }

  /** Whether the broker, if it misses a batch, refuses what comes after it. */
  #isRemembered(nowMs: number): boolean {
    return !this.#settings.isIdempotent || nowMs - this.#storedMs < BROKER_REMEMBERS_MS;
  }

  /** False for the answer to a batch that was given up meanwhile. */
  #landed(batch: ProducerBatch): boolean {
    if (batch.isSettled || !batch.isInFlight) return false;
    batch.isInFlight = false;
    this.#inFlightCount--;
    return true;
  }

  #outOfSequence(batch: ProducerBatch, error: VarveError): void {
    // What is behind another batch is refused because that one is missing: it goes again after it.
    if (batch !== this.#sent[0]) return;
    // Stored now, it would come after what was sent later.
    if (batch.wasOvertaken) this.#giveUp(batch, error);
    else this.#await('renumber');
  }

  #tooLarge(batch: ProducerBatch, error: VarveError): void {
    if (batch.recordCount === 1) {
      this.#giveUp(batch, error);
      return;
    }
    this.#sent.splice(this.#sent.indexOf(batch), 1, ...batch.split());
  }

  #giveUp(batch: ProducerBatch, error: VarveError): void {
    this.#sent.splice(this.#sent.indexOf(batch), 1);
    if (this.#settings.isIdempotent) this.#await('renumber');
    batch.fail(batch.mayBeStored ? outcomeUnknown(batch, error) : error);
  }

  #timedOut(): VarveError {
    const { deliveryTimeoutMs } = this.#settings;
    const because = this.#lastError === undefined ? '' : `: ${this.#lastError.message}`;
    return new VarveError(
      'DELIVERY_TIMEOUT',
      `${this.topic}-${this.partition}: not delivered within ${deliveryTimeoutMs} ms (deliveryTimeoutMs)${because}`,
      { cause: this.#lastError, retriable: true },
    );
  }

  #await(step: 'resend' | 'renumber'): void {
    if (this.#pending !== 'renumber') this.#pending = step;
  }

  #settle(): void {
    if (this.#inFlightCount > 0) return;
    if (this.#pending === 'renumber') this.#renumber();
    this.#pending = 'nothing';
  }

  /** Nothing is in flight, and there is a gap in the sequences. */
  #renumber(): void {
    assert(this.#inFlightCount === 0, 'what is in flight keeps its sequence');
    const again: ProducerBatch[] = [];
    for (const batch of this.#sent.splice(0)) {
      // An attempt may have been stored and forgotten by the broker since: nobody can know.
      if (batch.mayBeStored) {
        const cause = this.#lastError ?? this.#timedOut();
        batch.fail(outcomeUnknown(batch, cause));
      } else {
        batch.baseSequence = -1;
        batch.wasOvertaken = false;
        again.push(batch);
      }
    }
    this.#waiting.unshift(...again);
    if (this.#identity === undefined) return;
    const next = nextEpoch(this.#identity);
    if (next === undefined) this.#retiredId = this.#identity.id;
    this.#identity = undefined;
    if (next !== undefined) this.#begin(next);
  }

  #begin(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#nextSequence = 0;
    this.#storedMs = Number.NEGATIVE_INFINITY;
  }
}

function outcomeUnknown(batch: ProducerBatch, cause: VarveError): VarveError {
  const { topic, partition } = batch.place;
  return new VarveError(
    'OUTCOME_UNKNOWN',
    `${batch.recordCount} records for ${topic}-${partition} may or may not be stored: sending them again may store them twice (${cause.message})`,
    { cause },
  );
}
