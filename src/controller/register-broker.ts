import type { WriteResult } from '../coordinator/coordinator-runtime.ts';
import type { BrokerImage, MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type BrokerEpoch, brokerEpoch, leaderEpoch, type NodeId } from '../model/ids.ts';

/** How a broker presents itself. */
export type BrokerRegistration = Omit<BrokerImage, 'brokerEpoch'>;

/**
 * Registers a new incarnation of a broker under the broker epoch `position`. In the same write the
 * leader epoch of every partition that its predecessor led is raised (DESIGN 4, "a new incarnation
 * keeps no leadership"): followers may hold records of the old epoch that the broker has lost in a
 * power cut, and must be able to tell them from those that it writes anew. Asked again by the same
 * incarnation, it answers the same.
 *
 * @throws ApiError INVALID_REQUEST
 */
export function registerBroker(
  image: MetadataImage,
  position: number,
  registration: BrokerRegistration,
): WriteResult<MetadataRecord, BrokerEpoch> {
  checkRegistration(registration);
  const { nodeId, directoryId, incarnationId } = registration;
  const known = image.brokers.get(nodeId);
  if (known?.incarnationId === incarnationId) return { records: [], response: known.brokerEpoch };
  if (known !== undefined && known.directoryId !== directoryId && hasReplicas(image, nodeId)) {
    throw new ApiError(
      Errors.INVALID_REQUEST,
      `broker ${nodeId} has partitions in data directory ${known.directoryId} and comes with ` +
        `${directoryId}: start it with the directory it had, or give the new one a node id of its own`,
    );
  }
  const epoch = brokerEpoch(position);
  const records: MetadataRecord[] = [
    { type: 'register-broker', ...registration, brokerEpoch: epoch },
  ];
  // All partitions are looked at: a start of a broker is rare, and costs by what it leads anyway.
  for (const { topicId, partitions } of image.topics.values()) {
    for (const [index, partition] of partitions.entries()) {
      if (partition.leader !== nodeId) continue;
      records.push({
        type: 'partition-change',
        topicId,
        index,
        isr: partition.isr,
        leader: nodeId,
        leaderEpoch: leaderEpoch(partition.leaderEpoch + 1),
        partitionEpoch: partition.partitionEpoch + 1,
      });
    }
  }
  return { records, response: epoch };
}

function checkRegistration(registration: BrokerRegistration): void {
  const { nodeId, host, port, rack, incarnationId, directoryId } = registration;
  const broken =
    host === ''
      ? 'its host is empty'
      : !Number.isInteger(port) || port < 1 || port > 65_535
        ? `its port is ${port}, give from 1 to 65535`
        : ![host, rack, incarnationId, directoryId].every((text) => text.isWellFormed())
          ? 'a text of it is not Unicode'
          : null;
  if (broken !== null) {
    throw new ApiError(Errors.INVALID_REQUEST, `broker ${nodeId} cannot register: ${broken}`);
  }
}

function hasReplicas(image: MetadataImage, nodeId: NodeId): boolean {
  for (const { partitions } of image.topics.values()) {
    if (partitions.some(({ replicas }) => replicas.includes(nodeId))) return true;
  }
  return false;
}
