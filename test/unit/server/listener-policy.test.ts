import { expect, test } from 'vitest';
import {
  checkAdvertised,
  checkHttpListener,
  checkListener,
  isLoopback,
} from '../../../src/server/listener-policy.ts';

const cert = new Uint8Array(1);

test('only loopback hosts are loopback', () => {
  expect(['localhost', '127.0.0.1', '127.1.2.3', '::1'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.example', 'example.org'].some(isLoopback)).toBe(false);
});

test('a loopback listener needs no protection', () => {
  checkListener('127.0.0.1:9095', undefined, false);
});

test('a listener beyond loopback is refused without client certificates, and says what to do', () => {
  expect(() => checkListener('0.0.0.0:9095', undefined, false)).toThrow(
    /grpc\.listener: 0\.0\.0\.0:9095 .* neither TLS nor client certificates .* insecure=true/,
  );
  expect(() => checkListener('0.0.0.0:9095', { cert, key: cert }, false)).toThrow(
    /no client certificates/,
  );
});

test('client certificates or the explicit setting allow it', () => {
  checkListener('0.0.0.0:9095', { cert, key: cert, ca: cert }, false);
  checkListener('0.0.0.0:9095', undefined, true);
});

test('metrics and health beyond loopback need a word of their own', () => {
  checkHttpListener('127.0.0.1:9644', false);
  checkHttpListener('0.0.0.0:9644', true);
  expect(() => checkHttpListener('0.0.0.0:9644', false)).toThrow(
    /http\.listener: 0\.0\.0\.0:9644 .* http\.insecure=true/,
  );
});

test('an address that only a listener can have is not advertised', () => {
  for (const address of ['0.0.0.0:9095', '[::]:9095']) {
    expect(() => checkAdvertised(address)).toThrow(
      /grpc\.advertised\.listener: .* give the HOST:PORT/,
    );
  }
  checkAdvertised('broker.example:9095');
  checkAdvertised('[::1]:9095');
});
