import { type SettingGroup, setting } from '../config/setting.ts';

/** Settings of the controller. */
export interface ControllerConfig {
  readonly defaultPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly maxPartitionsPerTopic: number;
  readonly sessionTimeoutMs: number;
}

export const controllerSettings: SettingGroup<ControllerConfig> = {
  defaultPartitions: setting.int({
    key: 'num.partitions',
    default: 1,
    min: 1,
    doc: 'Partitions of a new topic when the request does not say.',
  }),
  defaultReplicationFactor: setting.int({
    key: 'default.replication.factor',
    default: 3,
    min: 1,
    max: 32_767,
    doc: 'Copies of each partition of a new topic when the request does not say; fewer if there are fewer brokers, and one until this version replicates.',
  }),
  maxPartitionsPerTopic: setting.int({
    key: 'max.partitions.per.topic',
    default: 10_000,
    min: 1,
    max: 10_000,
    doc: 'The most partitions that a topic can have.',
  }),
  sessionTimeoutMs: setting.ms({
    key: 'broker.session.timeout.ms',
    default: 9_000,
    min: 100,
    max: 2 ** 31 - 1,
    doc: 'A broker that the active controller has not heard of for this long is fenced: it leads nothing until it is heard of again. Several times broker.heartbeat.interval.ms.',
  }),
};
