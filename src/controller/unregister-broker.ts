import type { WriteResult } from '../coordinator/coordinator-runtime.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import { hasReplicas } from './leaderships.ts';

/**
 * Forgets a broker that is gone for good. Not one that holds partitions: what is known of it is what
 * keeps an empty disk from taking its place.
 *
 * @throws ApiError BROKER_ID_NOT_REGISTERED, INVALID_REQUEST
 */
export function unregisterBroker(
  image: MetadataImage,
  nodeId: NodeId,
): WriteResult<MetadataRecord, void> {
  const broker = image.brokers.get(nodeId);
  if (broker === undefined) {
    throw new ApiError(Errors.BROKER_ID_NOT_REGISTERED, `there is no broker ${nodeId}`);
  }
  if (broker.state !== 'fenced') {
    const detail = `broker ${nodeId} is in service; stop it first`;
    throw new ApiError(Errors.INVALID_REQUEST, detail);
  }
  if (hasReplicas(image, nodeId)) {
    const detail = `broker ${nodeId} has partitions; delete their topics first, or start it again`;
    throw new ApiError(Errors.INVALID_REQUEST, detail);
  }
  const { brokerEpoch } = broker;
  return { records: [{ type: 'unregister-broker', nodeId, brokerEpoch }], response: undefined };
}
