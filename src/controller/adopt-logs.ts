import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import { assert } from '../model/assert.ts';
import { type LeaderEpoch, type ProducerId, producerId, type TopicId } from '../model/ids.ts';

/** What logs tell that were written under the metadata of another cluster. */
export interface AdoptedLogs {
  /** The latest leader epoch in each. */
  readonly epochs: readonly {
    readonly topicId: TopicId;
    readonly partition: number;
    readonly leaderEpoch: LeaderEpoch;
  }[];
  /** The largest that has written to any of them; -1 for none. */
  readonly largestProducerId: ProducerId;
}

/** Brokers of Kafka take producer ids in blocks of so many; those of a block may turn up later. */
const PRODUCER_ID_BLOCK = 1000;

/**
 * Plans that the metadata are no older than the logs: epochs of leaders do not fall, and no producer id
 * is handed out that the logs know, as its first batches would be taken for repetitions.
 */
export function adoptLogs(
  image: MetadataImage,
  { epochs, largestProducerId }: AdoptedLogs,
): { readonly records: readonly MetadataRecord[]; readonly response: undefined } {
  const records: MetadataRecord[] = [];
  for (const { topicId, partition: index, leaderEpoch } of epochs) {
    const partition = image.topics.get(topicId)?.partitions[index];
    assert(partition !== undefined, 'a log that is adopted is of a partition that exists');
    if (leaderEpoch <= partition.leaderEpoch) continue;
    const { isr, leader, partitionEpoch } = partition;
    records.push({
      ...{ type: 'partition-change', topicId, index, isr, leader, leaderEpoch },
      partitionEpoch: partitionEpoch + 1,
    });
  }
  const next = (Math.floor(largestProducerId / PRODUCER_ID_BLOCK) + 1) * PRODUCER_ID_BLOCK;
  if (largestProducerId >= image.nextProducerId) {
    records.push({ type: 'producer-ids', nextProducerId: producerId(next) });
  }
  return { records, response: undefined };
}
