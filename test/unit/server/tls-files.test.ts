import { expect, test } from 'vitest';
import { nodeEnv } from '../../../src/env/node-env.ts';
import { readTlsFiles } from '../../../src/server/tls-files.ts';

const folder = new URL('../../fixtures/tls/', import.meta.url).pathname;
const cert = { certFile: `${folder}server.crt` };
const key = { keyFile: `${folder}server.key` };
const ca = { clientCaFile: `${folder}ca.crt` };

const nothing = { prefix: 'grpc.tls', certFile: '', keyFile: '', clientCaFile: '' };

const read = (...given: Partial<typeof nothing>[]) =>
  readTlsFiles(Object.assign({}, nothing, ...given), nodeEnv().files);

const begin = (bytes: Uint8Array | undefined) => Buffer.from(bytes!).toString().slice(0, 30);

test('without files there is no TLS', async () => {
  expect(await read()).toBeUndefined();
});

test('certificate and key are TLS, with the authorities it is mTLS', async () => {
  const plain = await read(cert, key);
  expect(begin(plain?.cert)).toContain('BEGIN CERTIFICATE');
  expect(begin(plain?.key)).toContain('BEGIN');
  expect(plain?.ca).toBeUndefined();
  expect(begin((await read(cert, key, ca))?.ca)).toContain('BEGIN CERTIFICATE');
});

test('half of it is refused: a listener must not be plain by mistake', async () => {
  for (const given of [[cert], [key], [ca], [cert, ca], [key, ca]]) {
    await expect(read(...given)).rejects.toThrow(
      /^grpc\.tls\.(cert|key)\.file: TLS needs both a certificate and its private key/,
    );
  }
});

test('a file that is not there is named', async () => {
  await expect(read(cert, { keyFile: '/not/there.key' })).rejects.toThrow('/not/there.key: ENOENT');
});
