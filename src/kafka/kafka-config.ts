import { type SettingGroup, setting } from '../config/setting.ts';

/** Limits of the Kafka door. */
export interface KafkaConfig {
  readonly maxRequestBytes: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly pipelinedRequests: number;
  readonly fetchMaxBytes: number;
  readonly connectionIdleMs: number;
  readonly requestTimeoutMs: number;
  readonly stalledReaderMs: number;
  readonly autoCreateTopics: boolean;
}

export const kafkaSettings: SettingGroup<KafkaConfig> = {
  maxRequestBytes: setting.bytes({
    key: 'socket.request.max.bytes',
    default: 100 * 1024 * 1024,
    min: 1024,
    max: 1024 * 1024 * 1024,
    doc: 'Largest request of a Kafka client. A larger one closes its connection.',
  }),
  maxConnections: setting.int({
    key: 'kafka.max.connections',
    default: 10_000,
    min: 1,
    doc: 'Connections to the Kafka listeners that are open at a time. Further ones are closed as they come.',
  }),
  maxConnectionsPerAddress: setting.int({
    key: 'kafka.max.connections.per.ip',
    default: 10_000,
    min: 1,
    doc: 'The same for connections from one address.',
  }),
  pipelinedRequests: setting.int({
    key: 'kafka.connection.max.requests',
    default: 64,
    min: 1,
    max: 10_000,
    doc: 'Requests that one connection may have unanswered; then it is not read until one is.',
  }),
  fetchMaxBytes: setting.bytes({
    key: 'fetch.max.bytes',
    default: 8 * 1024 * 1024,
    min: 1024,
    max: 1024 * 1024 * 1024,
    doc: 'Most bytes of records in the answer to one Fetch, whatever its client asks for, unless the first batch is larger.',
  }),
  connectionIdleMs: setting.ms({
    key: 'kafka.connections.max.idle.ms',
    default: 600_000,
    min: 100,
    doc: 'A connection of a Kafka client without a request is closed after so long.',
  }),
  requestTimeoutMs: setting.ms({
    key: 'kafka.request.timeout.ms',
    default: 120_000,
    min: 40,
    doc: 'How long a request may take to arrive, from its first byte to its last, and how long it waits for room in queued.max.request.bytes. Then its connection is closed.',
  }),
  stalledReaderMs: setting.ms({
    key: 'kafka.stalled.reader.ms',
    default: 60_000,
    min: 100,
    doc: 'How long an answer may wait for its client to take it. Then the connection is closed.',
  }),
  autoCreateTopics: setting.boolean({
    key: 'auto.create.topics.enable',
    default: false,
    doc: 'Whether a topic that a Kafka client asks for, and that is not there, is made with the defaults.',
  }),
};
