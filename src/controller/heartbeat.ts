import type { WriteResult } from '../coordinator/coordinator-runtime.ts';
import type { BrokerImage, MetadataImage } from '../metadata/image.ts';
import type { BrokerState, MetadataRecord } from '../metadata/metadata-records.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { BrokerEpoch, NodeId } from '../model/ids.ts';
import { canFence, recordsOfState } from './fence-brokers.ts';

/** A sign of life of a broker, and what it wants. */
export interface BrokerHeartbeat {
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  /** Every record of the metadata below it is on the disk of the broker, and carried out. */
  readonly currentPosition: number;
  /** It cannot serve, for example because its disk is out of service. */
  readonly wantsFence: boolean;
  /** It is to stop: what it leads is to move first. */
  readonly wantsShutdown: boolean;
}

export interface HeartbeatAnswer {
  readonly isFenced: boolean;
  /** It knows of its registration, and of the last change of its state. */
  readonly isCaughtUp: boolean;
  /** Whoever wants to stop may; else it asks again. */
  readonly shouldShutdown: boolean;
}

/**
 * Brings a broker into service once it knows of its registration, so that its disk has its epoch and it
 * leads nothing under an old one; and out of it, if it asks for that. Once it was fenced it has to know
 * of that, too: it has let go of what it led, and no message from before brings it back, perhaps after
 * it has stopped.
 *
 * @throws ApiError STALE_BROKER_EPOCH if another incarnation has registered, or the broker was forgotten
 */
export function heartbeat(
  image: MetadataImage,
  beat: BrokerHeartbeat,
): WriteResult<MetadataRecord, HeartbeatAnswer> {
  const { nodeId, brokerEpoch, currentPosition } = beat;
  const broker = image.brokers.get(nodeId);
  if (broker?.brokerEpoch !== brokerEpoch) {
    const known = broker === undefined ? 'it is not registered' : `it is ${broker.brokerEpoch}`;
    throw new ApiError(
      Errors.STALE_BROKER_EPOCH,
      `broker ${nodeId} comes with broker epoch ${brokerEpoch}, ${known}; it has to register anew`,
    );
  }
  const isCaughtUp = currentPosition > broker.statePosition;
  const { state, records } = canFence(image)
    ? nextState(image, broker, beat, isCaughtUp)
    : { state: broker.state, records: [] };
  const isFenced = state === 'fenced';
  const shouldShutdown = beat.wantsShutdown && (isFenced || !canFence(image));
  return { records, response: { isFenced, isCaughtUp, shouldShutdown } };
}

interface StateChange {
  readonly state: BrokerState;
  readonly records: readonly MetadataRecord[];
}

function nextState(
  image: MetadataImage,
  broker: BrokerImage,
  { wantsFence, wantsShutdown }: BrokerHeartbeat,
  isCaughtUp: boolean,
): StateChange {
  const { state } = broker;
  if (wantsShutdown && state === 'unfenced') return shutdown(image, broker);
  if (wantsShutdown || wantsFence) return changed(image, broker, 'fenced');
  return state === 'fenced' && isCaughtUp
    ? changed(image, broker, 'unfenced')
    : { state, records: [] };
}

/** Those who lead from now on have until the next heartbeat to learn of it; clients find the broker meanwhile. */
function shutdown(image: MetadataImage, broker: BrokerImage): StateChange {
  const leaving = changed(image, broker, 'shutting-down');
  const isHandedOver = leaving.records.some(
    (record) => record.type === 'partition-change' && record.leader !== null,
  );
  return isHandedOver ? leaving : changed(image, broker, 'fenced');
}

const changed = (image: MetadataImage, broker: BrokerImage, state: BrokerState): StateChange => ({
  state,
  records: broker.state === state ? [] : recordsOfState(image, [broker], state),
});
