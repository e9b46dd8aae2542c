import { useNativeCrc32c } from '../codec/crc32c.ts';
import { NodeClock } from '../env/node-clock.ts';
import { NodeRandom } from '../env/node-random.ts';
import { NodeTimers } from '../env/node-timers.ts';
import type { TlsOptions } from '../rpc/transport.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { type Client, type ClientOptions, openClient } from './client.ts';

/** Certificates in PEM. `{}` checks the broker against the certificate authorities of the system. */
export interface ClientTls {
  /** Authorities that the broker's certificate may come from. */
  readonly ca?: string | Uint8Array;
  /** Presented to the broker, if it asks who we are (mTLS); with `key`. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface ConnectOptions extends ClientOptions {
  /** Without it the connection is not encrypted. */
  readonly tls?: ClientTls;
}

/**
 * Connects to a cluster over gRPC.
 *
 *     const client = await connect({ brokers: ['127.0.0.1:9095'] });
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  // Only now: a program that imports this and never connects does not pay for it.
  const { GrpcTransport } = await import('../rpc/grpc-transport.ts');
  // Half of a reader's time goes into checksums without it.
  useNativeCrc32c();
  const { logger = silentLogger, tls } = options;
  const timers = new NodeTimers({ keepProcess: true });
  const env = { clock: new NodeClock(), timers, random: new NodeRandom() };
  const onUnexpectedError = (err: unknown): void => logger.error({ err }, 'unexpected error');
  const transport = new GrpcTransport({ onUnexpectedError }, env);
  return openClient(options, { env, transport, tls: tls === undefined ? undefined : pem(tls) });
}

function pem(tls: ClientTls): TlsOptions {
  const given = Object.entries(tls).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([name, value]) => [name, typeof value === 'string' ? Buffer.from(value) : value]),
  );
}
