import { type SettingGroup, setting } from '../config/setting.ts';

/** Settings of the quorum. */
export interface QuorumConfig {
  readonly snapshotIntervalEntries: number;
}

export const quorumSettings: SettingGroup<QuorumConfig> = {
  snapshotIntervalEntries: setting.int({
    key: 'metadata.snapshot.interval.entries',
    default: 10_000,
    min: 1,
    doc: 'After this many changes of the metadata a snapshot takes their place on disk. A start reads at most about as many.',
  }),
};
