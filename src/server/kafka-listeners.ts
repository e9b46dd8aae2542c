import { SettingError } from '../config/setting.ts';
import { type Address, formatAddress, parseAddress } from '../rpc/address.ts';
import type { ServerConfig } from './server-config.ts';

/** One listener of the Kafka door, as the settings have it. */
export interface KafkaListenerPlan {
  readonly name: string;
  readonly address: string;
  /** What its clients are told; null for where it listens. */
  readonly advertised: Address | null;
  readonly isTls: boolean;
}

type KafkaSettings = Pick<
  ServerConfig,
  'kafkaListeners' | 'kafkaAdvertisedListeners' | 'kafkaSecurityProtocols'
>;

/** What a listener is called if its address stands alone. */
const DEFAULT_NAME = 'PLAINTEXT';

/**
 * The listeners that the settings ask for. Names, their protocols and advertised addresses are paired as
 * Kafka does it.
 *
 * @throws SettingError
 */
export function planKafkaListeners(config: KafkaSettings): KafkaListenerPlan[] {
  const listeners = namedAddresses('kafka.listeners', config.kafkaListeners);
  const advertised = namedAddresses('kafka.advertised.listeners', config.kafkaAdvertisedListeners);
  const protocols = protocolsOf(config.kafkaSecurityProtocols);
  for (const name of advertised.keys()) {
    if (listeners.has(name)) continue;
    const known = [...listeners.keys()].join(', ');
    throw new SettingError(
      'kafka.advertised.listeners',
      `there is no listener ${name}; kafka.listeners has ${known}`,
    );
  }
  return [...listeners].map(([name, address]) => {
    const protocol = protocols.get(name);
    if (protocol === undefined) {
      throw new SettingError(
        'kafka.listener.security.protocol.map',
        `nothing is said of listener ${name}; add ${name}:PLAINTEXT or ${name}:SSL`,
      );
    }
    return {
      name,
      address: formatAddress(address),
      advertised: advertised.get(name) ?? null,
      isTls: protocol === 'SSL',
    };
  });
}

const items = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function namedAddresses(key: string, text: string): Map<string, Address> {
  const found = new Map<string, Address>();
  for (const item of items(text)) {
    const [, name = DEFAULT_NAME, rest] = /^(?:([A-Za-z][\w-]*):\/\/)?(.*)$/.exec(item)!;
    if (found.has(name)) throw new SettingError(key, `listener ${name} stands twice in it`);
    try {
      found.set(name, parseAddress(rest!));
    } catch (error) {
      const { message } = error as Error;
      throw new SettingError(key, `"${item}" is not NAME://HOST:PORT: ${message}`);
    }
  }
  return found;
}

function protocolsOf(text: string): Map<string, 'PLAINTEXT' | 'SSL'> {
  const key = 'kafka.listener.security.protocol.map';
  return new Map(
    items(text).map((item) => {
      const [name, protocol, ...rest] = item.split(':');
      if ((protocol !== 'PLAINTEXT' && protocol !== 'SSL') || rest.length > 0 || name === '') {
        throw new SettingError(key, `"${item}" is not NAME:PLAINTEXT or NAME:SSL`);
      }
      return [name!, protocol];
    }),
  );
}
