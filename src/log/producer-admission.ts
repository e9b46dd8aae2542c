import { Errors } from '../model/errors.ts';
import { type Offset, offsetAfter, type ProducerId } from '../model/ids.ts';
import type { BatchView } from '../records/batch-view.ts';
import { replayProducer } from './producer-files.ts';
import type { ProducerRefusal, ProducerStates, RememberedBatch } from './producer-states.ts';

/** All batches of an append were stored before. */
export interface Repetition {
  readonly first: RememberedBatch;
  readonly last: RememberedBatch;
}

/**
 * Takes the batches of an append, which will begin at `baseOffset`, into the states of their
 * producers: all of them or none. `null` if they are to be appended. An append that mixes repeated
 * and new batches is refused: what was appended together is repeated together.
 */
export function admitBatches(
  states: ProducerStates,
  batches: readonly BatchView[],
  baseOffset: Offset,
  nowMs: number,
): Repetition | ProducerRefusal | null {
  const copies = batches.length > 1 ? states.copyOf(producersOf(batches)) : null;
  let first: RememberedBatch | null = null;
  let last: RememberedBatch | null = null;
  let refusal: ProducerRefusal | null = null;
  let admitted = 0;
  let at = baseOffset;
  for (const batch of batches) {
    const verdict = admitBatch(states, batch, at, nowMs);
    if (verdict === null) {
      admitted++;
    } else if ('row' in verdict) {
      refusal = verdict;
      break;
    } else {
      first ??= verdict;
      last = verdict;
    }
    at = offsetAfter(at, batch.lastOffsetDelta + 1);
  }
  if (refusal === null && first === null) return null;
  if (copies !== null) states.rollBack(copies);
  if (refusal !== null) return refusal;
  if (admitted === 0) return { first: first!, last: last! };
  const detail = 'the append repeats batches and has new ones; repeat what was appended together';
  return { row: Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, detail };
}

function admitBatch(
  states: ProducerStates,
  batch: BatchView,
  at: Offset,
  nowMs: number,
): RememberedBatch | ProducerRefusal | null {
  if (!batch.hasProducer) return null;
  if (batch.isControl) return admitMarker(states, batch, nowMs);
  const verdict = states.check(batch);
  if (verdict === null) states.append(batch, at, offsetAfter(at, batch.lastOffsetDelta), nowMs);
  return verdict;
}

function admitMarker(
  states: ProducerStates,
  batch: BatchView,
  nowMs: number,
): ProducerRefusal | null {
  const epoch = states.get(batch.producerId)?.epoch ?? -1;
  if (batch.producerEpoch < epoch) {
    const detail = `producer ${batch.producerId} has epoch ${epoch} here, the marker has ${batch.producerEpoch}`;
    return { row: Errors.INVALID_PRODUCER_EPOCH, detail };
  }
  replayProducer(states, batch, nowMs);
  return null;
}

function producersOf(batches: readonly BatchView[]): ProducerId[] {
  const ids: ProducerId[] = [];
  for (const batch of batches) if (batch.hasProducer) ids.push(batch.producerId);
  return ids;
}
