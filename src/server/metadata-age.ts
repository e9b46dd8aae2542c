import type { Log } from '../log/log.ts';
import type { MetadataImage } from '../metadata/image.ts';
import { partitionName } from '../model/ids.ts';

/**
 * Refuses metadata that is older than the logs: a restored copy of half a data directory. With it
 * leader epochs would fall, and producer ids be handed out again. (Ids themselves tell nothing:
 * clients may choose their own.)
 */
export function checkMetadataAge(image: MetadataImage, logs: Iterable<Log>): void {
  for (const { topicPartition, topicId, leaderEpochs } of logs) {
    const known = image.topics.get(topicId)?.partitions[topicPartition.partition];
    const epoch = known?.leaderEpoch ?? -1;
    if (leaderEpochs.latestEpoch <= epoch) continue;
    throw new Error(
      `the metadata is older than the log of ${partitionName(topicPartition)}: that has leader epoch ${leaderEpochs.latestEpoch}, the metadata knows ${epoch}; restore metadata/ and hard-state together with the logs, from one copy of the folder; if the log was copied in from another cluster, run varve log adopt`,
    );
  }
}
