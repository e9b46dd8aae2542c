import { type SettingGroup, setting } from '../config/setting.ts';

/** Limits and defaults of the use cases. */
export interface BrokerConfig {
  readonly requestMemoryBytes: number;
  readonly deleteTopicEnabled: boolean;
  readonly heartbeatIntervalMs: number;
}

export const brokerSettings: SettingGroup<BrokerConfig> = {
  requestMemoryBytes: setting.bytes({
    key: 'queued.max.request.bytes',
    default: 256 * 1024 * 1024,
    min: 1024 * 1024,
    doc: 'What all requests and answers may take in memory at a time: arriving, being worked on, waiting to be sent, and 16 KiB for each call that is open. Beyond it produce requests are refused with BROKER_OVERLOADED; a quarter beyond it streams that bring more are ended with it, half beyond it those whose clients have left an answer unread longest.',
  }),
  deleteTopicEnabled: setting.boolean({
    key: 'delete.topic.enable',
    default: true,
    doc: 'Whether topics can be deleted.',
  }),
  heartbeatIntervalMs: setting.ms({
    key: 'broker.heartbeat.interval.ms',
    default: 2_000,
    min: 10,
    max: 2 ** 31 - 1,
    doc: 'How often a broker of a cluster of several tells the active controller that it is there.',
  }),
};
