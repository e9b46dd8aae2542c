import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../bench/run/workspace.ts';
import type { Certificates, Listeners } from './client.ts';

const folder = new URL('../../fixtures/tls/', import.meta.url);
const file = (name: string): string => fileURLToPath(new URL(name, folder));
const pair = (name: string) => ({ cert: file(`${name}.crt`), key: file(`${name}.key`) });

/** What clients are told to trust and to show. */
export const CERTIFICATES: Certificates = {
  ca: file('ca.crt'),
  otherCa: file('other-ca.crt'),
  client: pair('client'),
  stranger: pair('stranger'),
};

/** What the listeners show, for `localhost` and 127.0.0.1. */
const BROKER = pair('server');

/** A listener as Kafka's settings have it, and ours. */
export interface NamedListener {
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL';
  readonly port: number;
  /** The host that its clients are told; it listens on 127.0.0.1. */
  readonly advertisedHost: string;
}

export type ListenerName = 'PLAINTEXT' | 'EXTERNAL' | 'TLS' | 'MUTUAL';

/** On ports that nobody listens on; by where they are advertised no two can be taken for each other. */
export async function planListeners(): Promise<Readonly<Record<ListenerName, NamedListener>>> {
  const local = '127.0.0.1';
  const plan = async (
    name: ListenerName,
    protocol: NamedListener['protocol'],
    advertisedHost: string,
  ): Promise<NamedListener> => ({ name, protocol, advertisedHost, port: await freePort() });
  return {
    PLAINTEXT: await plan('PLAINTEXT', 'PLAINTEXT', local),
    // Not where a client comes from, so what it is told can be the advertised address only.
    EXTERNAL: await plan('EXTERNAL', 'PLAINTEXT', 'localhost'),
    TLS: await plan('TLS', 'SSL', 'localhost'),
    MUTUAL: await plan('MUTUAL', 'SSL', local),
  };
}

export const boundTo = ({ port }: NamedListener): string => `127.0.0.1:${port}`;
export const advertisedAs = ({ advertisedHost, port }: NamedListener): string =>
  `${advertisedHost}:${port}`;

/** What the programs are told of them. */
export function listenersFor(plans: Readonly<Record<ListenerName, NamedListener>>): Listeners {
  const { PLAINTEXT, EXTERNAL, TLS, MUTUAL } = plans;
  return {
    named: [PLAINTEXT, EXTERNAL].map((each) => ({
      server: boundTo(each),
      advertised: advertisedAs(each),
    })),
    tls: advertisedAs(TLS),
    mutualTls: advertisedAs(MUTUAL),
  };
}

const listOf = (
  plans: readonly NamedListener[],
  address: (plan: NamedListener) => string,
): string => plans.map((each) => `${each.name}://${address(each)}`).join(',');

const protocolsOf = (plans: readonly NamedListener[]): string =>
  plans.map(({ name, protocol }) => `${name}:${protocol}`).join(',');

/** Arguments of `varve start`. A broker asks at all its TLS listeners for certificates, or at none. */
export function varveArguments(
  plans: readonly NamedListener[],
  asksForCertificates: boolean,
): string[] {
  const settings = {
    'kafka.listeners': listOf(plans, boundTo),
    'kafka.advertised.listeners': listOf(plans, advertisedAs),
    'kafka.listener.security.protocol.map': protocolsOf(plans),
    'kafka.tls.cert.file': BROKER.cert,
    'kafka.tls.key.file': BROKER.key,
    ...(asksForCertificates ? { 'kafka.tls.client.ca.file': CERTIFICATES.ca } : {}),
  };
  return Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
}

/** Lines for the settings of a Kafka that has a listener for its controller already. */
export function kafkaProperties(settings: string, plans: readonly NamedListener[]): string {
  const controller = /CONTROLLER:\/\/[^,\n]*/.exec(settings)?.[0];
  if (controller === undefined) throw new Error(`no CONTROLLER listener in ${settings}`);
  const text = (name: string): string => readFileSync(name, 'utf8').replaceAll('\n', '\\n');
  const lines = [
    `listeners=${listOf(plans, boundTo)},${controller}`,
    `advertised.listeners=${listOf(plans, advertisedAs)}`,
    `listener.security.protocol.map=${protocolsOf(plans)},CONTROLLER:PLAINTEXT`,
    'ssl.keystore.type=PEM',
    `ssl.keystore.certificate.chain=${text(BROKER.cert)}`,
    `ssl.keystore.key=${text(BROKER.key)}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.certificates=${text(CERTIFICATES.ca)}`,
    'listener.name.mutual.ssl.client.auth=required',
    '',
  ];
  return lines.join('\n');
}
