import { type ErrorRow, Errors } from '../model/errors.ts';
import { type Offset, offset, type ProducerId } from '../model/ids.ts';

/** How many batches of a producer can be recognised when they come again (Kafka's limit). */
const REMEMBERED_BATCHES = 5;
const MAX_SEQUENCE = 2 ** 31 - 1;

/** A batch of an idempotent producer that was appended. */
export interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstOffset: Offset;
  readonly lastOffset: Offset;
  /** Largest timestamp in the batch. */
  readonly timestampMs: number;
}

/** What a partition knows of an idempotent producer. */
export interface ProducerState {
  readonly id: ProducerId;
  epoch: number;
  /** The newest batches of `epoch`, oldest first; none after only a marker. */
  batches: RememberedBatch[];
  /** Epoch of the transaction coordinator that wrote the last marker; -1 if there was none. */
  coordinatorEpoch: number;
  /** Where the transaction began that is open; -1 if none is. */
  currentTxnFirstOffset: number;
  /**
   * Wall clock time at which this broker last appended for it, for expiry. The producer's own
   * timestamps would let old data that is copied in forget its producer at once.
   */
  lastAppendMs: number;
}

/** The header fields of a batch that the rules look at. */
export interface ProducerBatch {
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly maxTimestamp: number;
  readonly isTransactional: boolean;
}

/** A batch must not be appended, and why. */
export interface ProducerRefusal {
  readonly row: ErrorRow;
  readonly detail: string;
}

/**
 * Idempotent producers of one partition, by Kafka's rules (ProducerStateManager): a repeated batch
 * among the last five is recognised, a gap and an older repetition are refused, a newer producer
 * epoch fences the older one and starts at sequence 0. The state is a fold of the log.
 */
export class ProducerStates {
  readonly #limit: number;
  readonly #states = new Map<ProducerId, ProducerState>();

  /** @param limit how many producers are remembered at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#states.size;
  }

  get(id: ProducerId): ProducerState | undefined {
    return this.#states.get(id);
  }

  all(): Iterable<ProducerState> {
    return this.#states.values();
  }

  /**
   * Judges a batch that a client wants to append: `null` if it may be, the remembered batch if it
   * is a repetition.
   */
  check(batch: ProducerBatch): RememberedBatch | ProducerRefusal | null {
    const state = this.#states.get(batch.producerId);
    if (state === undefined) return this.#checkUnknown();
    if (batch.producerEpoch < state.epoch) {
      const detail = `producer ${state.id} has epoch ${state.epoch} here, the batch has ${batch.producerEpoch}`;
      return { row: Errors.INVALID_PRODUCER_EPOCH, detail };
    }
    if (batch.producerEpoch > state.epoch) {
      if (batch.baseSequence === 0) return null;
      const detail = `producer ${state.id} begins epoch ${batch.producerEpoch} with sequence ${batch.baseSequence}, it must begin with 0`;
      return { row: Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, detail };
    }
    for (const known of state.batches) {
      if (known.firstSequence === batch.baseSequence && known.lastSequence === batch.lastSequence) {
        return known;
      }
    }
    const last = state.batches.at(-1)?.lastSequence ?? -1;
    const expected = last === MAX_SEQUENCE ? 0 : last + 1;
    if (batch.baseSequence !== expected) {
      const detail = `producer ${state.id} sent sequence ${batch.baseSequence}, the next is ${expected}`;
      return { row: Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, detail };
    }
    if (state.currentTxnFirstOffset >= 0 && !batch.isTransactional) {
      const detail = `producer ${state.id} has an open transaction, the batch is not part of one`;
      return { row: Errors.INVALID_TXN_STATE, detail };
    }
    return null;
  }

  /** Takes in a batch of records that is appended: by a leader after `check`, else from the log. */
  append(batch: ProducerBatch, firstOffset: Offset, lastOffset: Offset, nowMs: number): void {
    const state = this.#open(batch.producerId, batch.producerEpoch, nowMs);
    state.batches.push({
      firstSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      firstOffset,
      lastOffset,
      timestampMs: batch.maxTimestamp,
    });
    if (state.batches.length > REMEMBERED_BATCHES) state.batches.shift();
    if (batch.isTransactional && state.currentTxnFirstOffset < 0) {
      state.currentTxnFirstOffset = firstOffset;
    }
  }

  /** Takes in a transaction marker: it ends what is open. */
  appendMarker(
    batch: { readonly producerId: ProducerId; readonly producerEpoch: number },
    coordinatorEpoch: number,
    nowMs: number,
  ): void {
    const state = this.#open(batch.producerId, batch.producerEpoch, nowMs);
    state.currentTxnFirstOffset = -1;
    state.coordinatorEpoch = coordinatorEpoch;
  }

  /** Puts a state in place that was saved before. */
  restore(state: ProducerState): void {
    this.#states.set(state.id, state);
  }

  /** Copies of the states of some producers, for `rollBack`. */
  copyOf(ids: readonly ProducerId[]): ReadonlyMap<ProducerId, ProducerState | undefined> {
    const copies = new Map<ProducerId, ProducerState | undefined>();
    for (const id of ids) {
      const state = this.#states.get(id);
      copies.set(id, state === undefined ? undefined : { ...state, batches: [...state.batches] });
    }
    return copies;
  }

  /** Puts back what `copyOf` copied. */
  rollBack(copies: ReadonlyMap<ProducerId, ProducerState | undefined>): void {
    for (const [id, state] of copies) {
      if (state === undefined) this.#states.delete(id);
      else this.#states.set(id, state);
    }
  }

  /** Forgets producers without an open transaction that have appended nothing since `beforeMs`. */
  expire(beforeMs: number): void {
    for (const [id, state] of this.#states) {
      if (state.lastAppendMs < beforeMs && state.currentTxnFirstOffset < 0) this.#states.delete(id);
    }
  }

  /** An unknown producer may begin with any sequence: its state may have expired. */
  #checkUnknown(): ProducerRefusal | null {
    if (this.#states.size < this.#limit) return null;
    const detail = `the partition remembers ${this.#limit} producers, as many as it may; retry when some have expired`;
    return { row: Errors.BROKER_OVERLOADED, detail };
  }

  #open(id: ProducerId, epoch: number, nowMs: number): ProducerState {
    let state = this.#states.get(id);
    if (state === undefined) {
      state = {
        id,
        epoch,
        batches: [],
        coordinatorEpoch: -1,
        currentTxnFirstOffset: -1,
        lastAppendMs: nowMs,
      };
      this.#states.set(id, state);
    } else if (epoch !== state.epoch) {
      state.epoch = epoch;
      state.batches = [];
    }
    state.lastAppendMs = nowMs;
    return state;
  }
}

/** The sequence `delta` steps before `sequence`; after 2^31-1 comes 0. */
export function sequenceBefore(sequence: number, delta: number): number {
  return sequence >= delta ? sequence - delta : sequence + (MAX_SEQUENCE + 1) - delta;
}

/** The offset of the first record of a batch. */
export const firstOffsetOf = (lastOffset: number, delta: number): Offset =>
  offset(lastOffset - delta);
