import type { ListenOptions } from '../../src/rpc/transport.ts';

/** Limits of a listener that no test reaches by accident. */
export const roomyListener: ListenOptions = {
  maxMessageBytes: 16 * 1024 * 1024,
  maxStreamsPerConnection: 100,
  maxConnections: 1000,
  maxConnectionsPerAddress: 1000,
  handshakeTimeoutMs: 60_000,
  connectionIdleMs: 600_000,
  messageTimeoutMs: 600_000,
  stalledReaderMs: 600_000,
  memory: { tryHold: () => true, hold: () => true, give: () => {} },
  onRefused: () => {},
};
