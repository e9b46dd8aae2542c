import type { WriteResult } from '../coordinator/coordinator-runtime.ts';
import { FENCING_LEVEL } from '../metadata/features.ts';
import { type BrokerImage, type MetadataImage, metadataVersion } from '../metadata/image.ts';
import type { BrokerState, MetadataRecord } from '../metadata/metadata-records.ts';
import type { NodeId } from '../model/ids.ts';
import { resignLeaderships, takeLeaderships } from './leaderships.ts';

/**
 * Takes brokers out of service that are not heard of any more, and moves what they lead. Who is not
 * registered, or fenced already, is passed over; the answer names the others. At level 1 of the
 * metadata nobody can be fenced.
 */
export function fenceBrokers(
  image: MetadataImage,
  ids: readonly NodeId[],
): WriteResult<MetadataRecord, NodeId[]> {
  const brokers = canFence(image)
    ? [...new Set(ids)].flatMap((id) => image.brokers.get(id) ?? [])
    : [];
  const unfenced = brokers.filter(({ state }) => state !== 'fenced');
  return {
    records: recordsOfState(image, unfenced, 'fenced'),
    response: unfenced.map(({ nodeId }) => nodeId),
  };
}

export const canFence = (image: MetadataImage): boolean => metadataVersion(image) >= FENCING_LEVEL;

/**
 * What it takes to bring brokers, none of them in it yet, into a state. At no record of it a broker
 * leads that is out of service.
 */
export function recordsOfState(
  image: MetadataImage,
  brokers: readonly BrokerImage[],
  state: BrokerState,
): MetadataRecord[] {
  if (brokers.length === 0) return [];
  const changes = brokers.map(
    ({ nodeId, brokerEpoch }): MetadataRecord => ({
      ...{ type: 'broker-change', nodeId, brokerEpoch, state },
    }),
  );
  if (state === 'unfenced') {
    return [...changes, ...brokers.flatMap(({ nodeId }) => takeLeaderships(image, nodeId))];
  }
  const gone = new Set(brokers.map(({ nodeId }) => nodeId));
  return [...resignLeaderships(image, gone), ...changes];
}
