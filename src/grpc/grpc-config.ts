import { type SettingGroup, setting } from '../config/setting.ts';

/** Limits of the gRPC door. */
export interface GrpcConfig {
  readonly maxMessageBytes: number;
  readonly maxStreamsPerConnection: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly handshakeTimeoutMs: number;
  readonly connectionIdleMs: number;
  readonly messageTimeoutMs: number;
  readonly produceCreditBytes: number;
  readonly fetchCreditBytes: number;
  readonly fetchPartitions: number;
  readonly stalledReaderMs: number;
  readonly reflectionEnabled: boolean;
}

export const grpcSettings: SettingGroup<GrpcConfig> = {
  maxMessageBytes: setting.bytes({
    key: 'grpc.message.max.bytes',
    default: 16 * 1024 * 1024,
    min: 64 * 1024,
    max: 1024 * 1024 * 1024,
    doc: 'Largest gRPC message that is accepted, also after it is decompressed. A larger one ends its call with REQUEST_TOO_LARGE.',
  }),
  maxStreamsPerConnection: setting.int({
    key: 'grpc.connection.max.streams',
    default: 100,
    min: 1,
    max: 1_000_000,
    doc: 'Calls and streams that one connection may hold open at a time.',
  }),
  maxConnections: setting.int({
    key: 'max.connections',
    default: 4096,
    min: 1,
    doc: 'Connections to the gRPC listener that are open at a time. Further ones are closed as they come; the log and varve_peers_refused_total tell.',
  }),
  maxConnectionsPerAddress: setting.int({
    key: 'max.connections.per.ip',
    default: 1024,
    min: 1,
    doc: 'The same for connections from one address.',
  }),
  handshakeTimeoutMs: setting.ms({
    key: 'grpc.handshake.timeout.ms',
    default: 10_000,
    min: 10,
    doc: 'A connection that has not done its handshakes, TLS and HTTP/2, after so long is closed.',
  }),
  connectionIdleMs: setting.ms({
    key: 'connections.max.idle.ms',
    default: 600_000,
    min: 100,
    doc: 'A connection without a call or stream is closed after so long.',
  }),
  messageTimeoutMs: setting.ms({
    key: 'grpc.message.timeout.ms',
    default: 120_000,
    min: 40,
    doc: 'How long a message may take to arrive, from its first byte to its last; time in which the broker does not read does not count. Then its call ends with REQUEST_TIMED_OUT.',
  }),
  produceCreditBytes: setting.bytes({
    key: 'grpc.produce.credit.bytes',
    default: 8 * 1024 * 1024,
    min: 64 * 1024,
    doc: 'What one Produce stream may have unanswered, in memory, before the broker stops reading it; also the credit that its client begins with. All streams together, divided by the rate, are how long an answer takes under overload.',
  }),
  fetchCreditBytes: setting.bytes({
    key: 'grpc.fetch.credit.bytes',
    default: 64 * 1024 * 1024,
    min: 64 * 1024,
    doc: 'Most credit a Fetch stream can hold; what a client grants beyond it is not kept.',
  }),
  fetchPartitions: setting.int({
    key: 'grpc.fetch.partitions',
    default: 10_000,
    min: 1,
    doc: 'Partitions that one Fetch stream may read at a time.',
  }),
  stalledReaderMs: setting.ms({
    key: 'grpc.stalled.reader.ms',
    default: 60_000,
    min: 100,
    doc: 'How long a message may wait for its client to take it. Then its stream is ended with SLOW_READER, however little waits.',
  }),
  reflectionEnabled: setting.boolean({
    key: 'grpc.reflection.enable',
    default: true,
    doc: 'Whether the standard reflection service tells clients about the API.',
  }),
};
