import { SettingError } from '../config/setting.ts';
import { formatAddress, parseAddress } from '../rpc/address.ts';
import type { TlsOptions } from '../rpc/transport.ts';
import type { KafkaListenerPlan } from './kafka-listeners.ts';

/** Whether only this machine can reach a listener on that host. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** How the settings of a listener are called. */
export interface ListenerKeys {
  readonly key: string;
  readonly advertisedKey: string;
  readonly tlsPrefix: string;
  /** The setting of the authorities, if it is not `client.ca.file` behind the prefix. */
  readonly caKey?: string;
}

const GRPC_KEYS: ListenerKeys = {
  key: 'grpc.listener',
  advertisedKey: 'grpc.advertised.listener',
  tlsPrefix: 'grpc.tls',
};

/**
 * Refuses to listen where strangers could do anything (DESIGN D16): beyond loopback a listener asks
 * for client certificates, or somebody has said in so many words that it need not.
 */
export function checkListener(
  listener: string,
  tls: TlsOptions | undefined,
  insecure: boolean,
  { key, tlsPrefix, caKey = `${tlsPrefix}.client.ca.file` }: ListenerKeys = GRPC_KEYS,
): void {
  const { host } = parseAddress(listener);
  if (isLoopback(host) || insecure || tls?.ca !== undefined) return;
  throw new SettingError(
    key,
    `${listener} can be reached from other machines, and ${
      tls === undefined ? 'neither TLS nor' : 'no'
    } client certificates are set: set ${tlsPrefix}.cert.file, ${tlsPrefix}.key.file and ${caKey}, listen on 127.0.0.1, or set insecure=true to let anybody do anything`,
  );
}

const KAFKA_KEYS: ListenerKeys = {
  key: 'kafka.listeners',
  advertisedKey: 'kafka.advertised.listeners',
  tlsPrefix: 'kafka.tls',
};

/** The same for a listener of the Kafka door, and that one with TLS has certificates. */
export function checkKafkaListener(
  { name, address, advertised, isTls }: KafkaListenerPlan,
  tls: TlsOptions | undefined,
  insecure: boolean,
): void {
  if (isTls && tls === undefined) {
    throw new SettingError(
      'kafka.tls.cert.file',
      `listener ${name} speaks SSL: give a certificate, and its key in kafka.tls.key.file`,
    );
  }
  checkListener(address, isTls ? tls : undefined, insecure, KAFKA_KEYS);
  checkAdvertised(advertised === null ? address : formatAddress(advertised), KAFKA_KEYS);
}

const PEER_KEYS: ListenerKeys = {
  key: 'peer.listener',
  advertisedKey: 'peer.advertised.listener',
  tlsPrefix: 'peer.tls',
  caKey: 'peer.tls.ca.file',
};

/** The same for the listener for other nodes; and whoever speaks TLS with them knows whom to trust. */
export function checkPeerListener(
  listener: string,
  advertised: string,
  tls: TlsOptions | undefined,
  insecure: boolean,
): void {
  if (tls !== undefined && tls.ca === undefined) {
    const what =
      'nodes that speak TLS check each other: give the authorities of their certificates';
    throw new SettingError('peer.tls.ca.file', what);
  }
  checkListener(listener, tls, insecure, PEER_KEYS);
  checkAdvertised(advertised, PEER_KEYS);
}

/** The same for metrics and health, which have neither TLS nor passwords. */
export function checkHttpListener(listener: string, insecure: boolean): void {
  if (isLoopback(parseAddress(listener).host) || insecure) return;
  throw new SettingError(
    'http.listener',
    `${listener} can be reached from other machines, and anybody there could read metrics and health: listen on 127.0.0.1, or set http.insecure=true to let them`,
  );
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Refuses to tell clients an address that only a listener can have. */
export function checkAdvertised(
  address: string,
  { advertisedKey }: ListenerKeys = GRPC_KEYS,
): void {
  if (!WILDCARDS.has(parseAddress(address).host)) return;
  throw new SettingError(
    advertisedKey,
    `others would be told to connect to ${address}, which is every address and none; give the HOST:PORT by which they reach this node`,
  );
}
