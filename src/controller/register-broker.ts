import type { WriteResult } from '../coordinator/coordinator-runtime.ts';
import { FENCING_LEVEL, METADATA_VERSION } from '../metadata/features.ts';
import type { BrokerImage, MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord, RegisterBrokerRecord } from '../metadata/metadata-records.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type BrokerEpoch, brokerEpoch, NO_BROKER_EPOCH } from '../model/ids.ts';
import { checkFeatures, firstRaise, levelsOf } from './feature-levels.ts';
import { hasReplicas, resignLeaderships, takeLeaderships } from './leaderships.ts';

/** How a broker presents itself. */
export interface BrokerRegistration
  extends Omit<BrokerImage, 'brokerEpoch' | 'state' | 'statePosition' | 'servedEpoch'> {
  /**
   * Whether a heartbeat has to bring it into service. If nothing is said it has if the cluster has
   * other brokers; a broker that is alone with its metadata need not wait.
   */
  readonly isFenced?: boolean;
  /** The last broker epoch that its disk knows of, -1 for none. */
  readonly previousBrokerEpoch: BrokerEpoch;
}

/**
 * Registers a new incarnation of a broker under the broker epoch `position`. In the same write it
 * leaves every partition that its predecessor led, or goes on to lead it under a higher leader epoch
 * (DESIGN 4, "a new incarnation keeps no leadership"): followers may hold records of the old epoch
 * that the broker has lost in a power cut, and must be able to tell them from those that it writes
 * anew. Asked again by the same incarnation, it answers the same.
 *
 * @param hasSession whether the active controller still hears of the broker that has this id
 * @throws ApiError INVALID_REQUEST, DUPLICATE_BROKER_REGISTRATION, UNSUPPORTED_VERSION
 */
export function registerBroker(
  image: MetadataImage,
  position: number,
  registration: BrokerRegistration,
  hasSession: boolean,
): WriteResult<MetadataRecord, BrokerEpoch> {
  checkRegistration(registration);
  const { nodeId, incarnationId, features } = registration;
  const known = image.brokers.get(nodeId);
  if (known?.incarnationId === incarnationId) return { records: [], response: known.brokerEpoch };
  if (known !== undefined) checkDirectory(image, known, registration, hasSession);
  const raise = firstRaise(image, nodeId, features);
  const levels = levelsOf(image);
  for (const { name, level } of raise) levels.set(name, level);
  checkFeatures(nodeId, features, levels);
  const epoch = brokerEpoch(position);
  const record = recordOf(image, registration, epoch, levels);
  const records =
    record.state === 'unfenced'
      ? [record, ...takeLeaderships(image, nodeId)]
      : [...resignLeaderships(image, new Set([nodeId])), record];
  return { records: [...raise, ...records], response: epoch };
}

function recordOf(
  image: MetadataImage,
  registration: BrokerRegistration,
  epoch: BrokerEpoch,
  levels: ReadonlyMap<string, number>,
): RegisterBrokerRecord {
  const { isFenced, previousBrokerEpoch: _, ...broker } = registration;
  const { nodeId, directoryId } = broker;
  const start = { brokerEpoch: epoch, statePosition: epoch };
  const record = { type: 'register-broker', ...broker, ...start } as const;
  if (levels.get(METADATA_VERSION)! < FENCING_LEVEL) {
    const plain = { listeners: [], peerAddress: '', features: [] };
    return { ...record, ...plain, state: 'unfenced', servedEpoch: epoch };
  }
  const known = image.brokers.get(nodeId);
  const hasOthers = image.brokers.size > (known === undefined ? 0 : 1);
  if (!(isFenced ?? hasOthers)) return { ...record, state: 'unfenced', servedEpoch: epoch };
  const servedEpoch = known?.directoryId === directoryId ? known.servedEpoch : NO_BROKER_EPOCH;
  return { ...record, state: 'fenced', servedEpoch };
}

/** Refuses to let a disk take the place of one that knows more. */
function checkDirectory(
  image: MetadataImage,
  known: BrokerImage,
  { nodeId, directoryId, previousBrokerEpoch }: BrokerRegistration,
  hasSession: boolean,
): void {
  if (known.directoryId === directoryId) {
    if (previousBrokerEpoch >= known.servedEpoch) return;
    throw new ApiError(
      Errors.INVALID_REQUEST,
      `broker ${nodeId} comes with an older copy of data directory ${directoryId}: it knows of broker epoch ${previousBrokerEpoch}, ` +
        `and has served in epoch ${known.servedEpoch}; start it with the directory as it was last`,
    );
  }
  if (hasSession) {
    throw new ApiError(
      Errors.DUPLICATE_BROKER_REGISTRATION,
      `broker ${nodeId} is alive with data directory ${known.directoryId}, and another one comes under its id ` +
        `with ${directoryId}: give each a node id of its own`,
    );
  }
  if (!hasReplicas(image, nodeId)) return;
  throw new ApiError(
    Errors.INVALID_REQUEST,
    `broker ${nodeId} has partitions in data directory ${known.directoryId} and comes with ` +
      `${directoryId}: start it with the directory it had, or give the new one a node id of its own`,
  );
}

function checkRegistration(registration: BrokerRegistration): void {
  const { nodeId, host, port, rack, incarnationId, directoryId } = registration;
  const { listeners, features, peerAddress } = registration;
  const texts = [host, rack, incarnationId, directoryId, peerAddress];
  for (const { name, host: to, securityProtocol } of listeners) {
    texts.push(name, to, securityProtocol);
  }
  const addresses = [{ host, port }, ...listeners];
  const badPort = addresses.find((each) => !isPort(each.port))?.port;
  const badRange = features.find(({ min, max }) => !isLevel(min) || !isLevel(max) || max < min);
  const names = new Set(listeners.map(({ name }) => name));
  texts.push(...features.map(({ name }) => name));
  const faults: readonly (readonly [isThere: boolean, what: string])[] = [
    [addresses.some((each) => each.host === ''), 'its host is empty'],
    [badPort !== undefined, `its port is ${badPort}, give from 1 to 65535`],
    [names.size < listeners.length, 'it has two listeners of one name'],
    [
      badRange !== undefined,
      `it supports levels ${badRange?.min} to ${badRange?.max} of a feature`,
    ],
    [!texts.every((text) => text.isWellFormed()), 'a text of it is not Unicode'],
  ];
  const broken = faults.find(([isThere]) => isThere)?.[1];
  if (broken !== undefined) {
    throw new ApiError(Errors.INVALID_REQUEST, `broker ${nodeId} cannot register: ${broken}`);
  }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
const isLevel = (level: number): boolean =>
  Number.isInteger(level) && level >= 1 && level <= 32_767;
