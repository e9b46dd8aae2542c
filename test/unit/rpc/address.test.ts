import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/rpc/address.ts';

test.each([
  ['localhost:9095', { host: 'localhost', port: 9095 }],
  ['10.0.0.1:0', { host: '10.0.0.1', port: 0 }],
  ['broker-1.example.com:65535', { host: 'broker-1.example.com', port: 65_535 }],
  ['[::1]:9095', { host: '::1', port: 9095 }],
  ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
])('%s is an address and is written the same way', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(text);
});

test.each([
  '',
  'localhost',
  'localhost:',
  ':9095',
  'localhost:65536',
  'localhost:-1',
  'localhost:9095 ',
  'localhost:9095/path',
  'dns://8.8.8.8/localhost:9095',
  'unix:/tmp/socket',
  '::1:9095',
  '[::1]',
  '[]:1',
  'user@host:1',
  'localhost:0x10',
])('%j is refused with the value and the shape that would be right', (text) => {
  expect(() => parseAddress(text)).toThrow(
    `address ${JSON.stringify(text)} is not HOST:PORT with a port from 0 to 65535 (IPv6 as [::1]:9095)`,
  );
});
