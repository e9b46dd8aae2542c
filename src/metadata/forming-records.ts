import { supportedFeatures } from './features.ts';
import { METADATA_FORMAT, type MetadataRecord } from './metadata-records.ts';

/** The first records of a new cluster, one entry of the log: it begins with the newest of all features. */
export const formingRecords = (clusterId: string, directoryId: string): MetadataRecord[] => [
  { type: 'cluster', format: METADATA_FORMAT, clusterId, directoryId },
  ...supportedFeatures.map(
    ({ name, max }): MetadataRecord => ({ type: 'feature-level', name, level: max }),
  ),
];
