import { expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/parse-settings.ts';
import { planKafkaListeners } from '../../../src/server/kafka-listeners.ts';
import { serverSettings } from '../../../src/server/server-config.ts';

const LISTENERS = 'kafka.listeners';
const ADVERTISED = 'kafka.advertised.listeners';
const PROTOCOLS = 'kafka.listener.security.protocol.map';

const plan = (settings: { [key: string]: string }) =>
  planKafkaListeners(parseSettings(serverSettings, new Map(Object.entries(settings))));

test('by default there is one listener, on loopback and in plain text', () => {
  expect(plan({})).toEqual([
    { name: 'PLAINTEXT', address: '127.0.0.1:9092', advertised: null, isTls: false },
  ]);
  expect(plan({ [LISTENERS]: '' })).toEqual([]);
});

test('an address alone is one without a name', () => {
  expect(plan({ [LISTENERS]: '127.0.0.1:1' })).toMatchObject([
    { name: 'PLAINTEXT', address: '127.0.0.1:1' },
  ]);
  expect(plan({ [LISTENERS]: '[::1]:1' })).toMatchObject([{ address: '[::1]:1' }]);
});

test('listeners, protocols and advertised addresses are paired by name', () => {
  const plans = plan({
    [LISTENERS]: 'IN://127.0.0.1:1, OUT-2://127.0.0.1:2 ,',
    [ADVERTISED]: 'OUT-2://broker.example:29092',
    [PROTOCOLS]: 'IN:PLAINTEXT, OUT-2:SSL',
  });
  expect(plans).toEqual([
    { name: 'IN', address: '127.0.0.1:1', advertised: null, isTls: false },
    {
      name: 'OUT-2',
      address: '127.0.0.1:2',
      advertised: { host: 'broker.example', port: 29_092 },
      isTls: true,
    },
  ]);
});

test.each([
  ['one name twice', { [LISTENERS]: 'A://h:1,A://h:2' }, /^kafka\.listeners: listener A .* twice/],
  ['no address', { [LISTENERS]: 'A://' }, /^kafka\.listeners: "A:\/\/" is not NAME:\/\/HOST:PORT/],
  ['no port', { [LISTENERS]: 'host' }, /^kafka\.listeners: "host" is not/],
  [
    'an advertised address of nobody',
    { [ADVERTISED]: 'B://h:1' },
    /^kafka\.advertised\.listeners: there is no listener B; kafka\.listeners has PLAINTEXT$/,
  ],
  [
    'a name without a protocol',
    { [LISTENERS]: 'A://h:1' },
    /protocol\.map: nothing is said of listener A; add A:PLAINTEXT or A:SSL/,
  ],
  ['another protocol', { [PROTOCOLS]: 'A:SASL_SSL' }, /"A:SASL_SSL" is not NAME:PLAINTEXT or/],
  ['a protocol of nobody', { [PROTOCOLS]: ':SSL' }, /":SSL" is not/],
  ['two protocols', { [PROTOCOLS]: 'A:SSL:SSL' }, /"A:SSL:SSL" is not/],
])('%s is refused, and said what would be right', (_, settings, why) => {
  expect(() => plan(settings)).toThrow(why);
});
