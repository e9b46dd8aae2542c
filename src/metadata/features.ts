import type { FeatureRange, MetadataRecord } from './metadata-records.ts';

/**
 * What the records of the metadata can say. A level counts once it is in the metadata itself, and from
 * then on only brokers are let in that know it; before that, nothing of it is written.
 *
 * 1. One broker, which is never fenced. Metadata that name no level are of this one.
 * 2. Brokers are fenced, change their state and are forgotten; their registration says where Kafka's
 *    clients and other nodes find them, and which features they know.
 */
export const METADATA_VERSION = 'metadata.version';

/** The level at which brokers can be fenced. */
export const FENCING_LEVEL = 2;

/** What this version of the program can work with. */
export const supportedFeatures: readonly FeatureRange[] = [
  { name: METADATA_VERSION, min: 1, max: 2 },
];

/** The range of a feature; nothing is said of features that are not known. */
export const rangeOf = (
  features: readonly FeatureRange[],
  name: string,
): FeatureRange | undefined => features.find((each) => each.name === name);

export const includesLevel = (range: FeatureRange | undefined, level: number): boolean =>
  range !== undefined && level >= range.min && level <= range.max;

/** The first level at which a record can be written. */
export function levelOf(record: MetadataRecord): number {
  switch (record.type) {
    case 'register-broker':
      return isPlainRegistration(record) ? 1 : FENCING_LEVEL;
    case 'broker-change':
    case 'unregister-broker':
      return FENCING_LEVEL;
    default:
      return 1;
  }
}

/** Whether a registration says no more than those of level 1 did. */
export const isPlainRegistration = (
  record: Extract<MetadataRecord, { readonly type: 'register-broker' }>,
): boolean =>
  record.listeners.length === 0 &&
  record.peerAddress === '' &&
  record.features.length === 0 &&
  record.state === 'unfenced' &&
  record.statePosition === record.brokerEpoch &&
  record.servedEpoch === record.brokerEpoch;
