import type { BrokerRegistration } from '../../src/controller/register-broker.ts';
import { supportedFeatures } from '../../src/metadata/features.ts';
import type { RegisterBrokerRecord } from '../../src/metadata/metadata-records.ts';
import { brokerEpoch, nodeId } from '../../src/model/ids.ts';

/** Knows of every broker epoch that there can be. */
const NEWEST = brokerEpoch(Number.MAX_SAFE_INTEGER);

/** A broker that need not wait for a heartbeat, whose disk is never an old copy. */
export const registrationOf = (
  id: number,
  incarnationId: string,
  more: Partial<BrokerRegistration> = {},
): BrokerRegistration => ({
  nodeId: nodeId(id),
  incarnationId,
  directoryId: `d${id}`,
  host: 'localhost',
  port: 9095,
  rack: '',
  listeners: [],
  peerAddress: '',
  features: supportedFeatures,
  isFenced: false,
  previousBrokerEpoch: NEWEST,
  ...more,
});

/** A registration as the first version of the program wrote them. */
export const plainRegistration = (
  id: number,
  epoch: number,
  more: Partial<RegisterBrokerRecord> = {},
): RegisterBrokerRecord => ({
  type: 'register-broker',
  nodeId: nodeId(id),
  brokerEpoch: brokerEpoch(epoch),
  incarnationId: `i${epoch}`,
  directoryId: 'd',
  host: 'h',
  port: 1,
  rack: '',
  listeners: [],
  peerAddress: '',
  features: [],
  state: 'unfenced',
  statePosition: epoch,
  servedEpoch: brokerEpoch(epoch),
  ...more,
});
