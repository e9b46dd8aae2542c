import { type ErrorRow, Errors } from '../model/errors.ts';
import { NO_LEADER_EPOCH, type ProducerId, type TopicPartition } from '../model/ids.ts';
import { type PartitionLookup, readerRow } from './partition-lookup.ts';

/** What a partition knows of an idempotent producer; -1 where it knows nothing. */
export interface ProducerDescription {
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  /** Largest timestamp of its last batch. */
  readonly lastTimestampMs: number;
  /** Epoch of the transaction coordinator that wrote its last marker. */
  readonly coordinatorEpoch: number;
  /** Where its open transaction began. */
  readonly currentTxnStartOffset: number;
}

export interface ProducersAnswer {
  readonly row: ErrorRow;
  readonly detail: string;
  /** None on an error. */
  readonly producers: readonly ProducerDescription[];
}

/** The use case of asking who writes to a partition (Kafka's DescribeProducers): its leader answers. */
export function describeProducers(
  lookup: PartitionLookup,
  topicPartition: TopicPartition,
): ProducersAnswer {
  const unclaimed = { topicId: new Uint8Array(0), leaderEpoch: NO_LEADER_EPOCH };
  const found = lookup({ ...topicPartition, ...unclaimed });
  if ('refusal' in found) {
    const { row, detail } = found.refusal;
    return { row: readerRow(row), detail, producers: [] };
  }
  const producers = Array.from(found.partition.log.producers, (state) => {
    const last = state.batches.at(-1);
    return {
      producerId: state.id,
      producerEpoch: state.epoch,
      lastSequence: last?.lastSequence ?? -1,
      lastTimestampMs: last?.timestampMs ?? -1,
      coordinatorEpoch: state.coordinatorEpoch,
      currentTxnStartOffset: state.currentTxnFirstOffset,
    };
  });
  return { row: Errors.NONE, detail: '', producers };
}
