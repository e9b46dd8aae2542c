import { SettingError } from '../config/setting.ts';
import { parseAddress } from '../rpc/address.ts';
import type { TlsOptions } from '../rpc/transport.ts';

/** Whether only this machine can reach a listener on that host. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Refuses to listen where strangers could do anything (DESIGN D16): beyond loopback a listener asks
 * for client certificates, or somebody has said in so many words that it need not.
 */
export function checkListener(
  listener: string,
  tls: TlsOptions | undefined,
  insecure: boolean,
): void {
  const { host } = parseAddress(listener);
  if (isLoopback(host) || insecure || tls?.ca !== undefined) return;
  throw new SettingError(
    'grpc.listener',
    `${listener} can be reached from other machines, and ${
      tls === undefined ? 'neither TLS nor' : 'no'
    } client certificates are set: set grpc.tls.cert.file, grpc.tls.key.file and grpc.tls.client.ca.file, listen on 127.0.0.1, or set insecure=true to let anybody do anything`,
  );
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
export function checkAdvertised(address: string): void {
  if (!WILDCARDS.has(parseAddress(address).host)) return;
  throw new SettingError(
    'grpc.advertised.listener',
    `clients would be told to connect to ${address}, which is every address and none; give the HOST:PORT by which they reach this node`,
  );
}
