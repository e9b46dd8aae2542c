import { type SettingGroup, setting } from '../config/setting.ts';

/** Limits and defaults of the use cases. */
export interface BrokerConfig {
  readonly requestMemoryBytes: number;
  readonly deleteTopicEnabled: boolean;
}

export const brokerSettings: SettingGroup<BrokerConfig> = {
  requestMemoryBytes: setting.bytes({
    key: 'queued.max.request.bytes',
    default: 256 * 1024 * 1024,
    min: 1024 * 1024,
    doc: 'What the produce requests that the broker works on at a time may take in memory; beyond it they are refused with BROKER_OVERLOADED.',
  }),
  deleteTopicEnabled: setting.boolean({
    key: 'delete.topic.enable',
    default: true,
    doc: 'Whether topics can be deleted.',
  }),
};
