import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BrokerProcess, TemporaryFolder } from '../support/processes.ts';
import { callHeaders, Frame, frame, headerBlock, openCall } from '../support/raw-http2.ts';
import { ADMIN, Stranger } from './stranger.ts';

/** What is done to TLS listeners; a client with the right authority is served after each. */
const tlsFile = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const folder = new TemporaryFolder();
const broker = new BrokerProcess(
  `${folder.path}/data`,
  ...['--set', `grpc.tls.cert.file=${tlsFile('server.crt')}`],
  ...['--set', `grpc.tls.key.file=${tlsFile('server.key')}`],
  ...['--set', 'grpc.handshake.timeout.ms=2s'],
);
beforeAll(() => broker.start());
afterAll(async () => {
  await broker.kill();
  folder[Symbol.dispose]();
});

async function isServed(): Promise<boolean> {
  using stranger = new Stranger(broker.address.replace('127.0.0.1', 'localhost'), {
    credentials: credentials.createSsl(readFileSync(tlsFile('ca.crt'))),
  });
  const { topics } = await stranger.unary(`${ADMIN}/ListTopics`, {});
  return topics.length === 0;
}

const port = (): number => Number(broker.address.split(':')[1]);

function quiet<S extends Socket>(socket: S): S {
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

const plain = (): Socket => quiet(connectPlain(port(), '127.0.0.1'));
const tls = (protocols: readonly string[], servername = 'localhost'): Socket =>
  quiet(
    connectTls({
      ...{ host: '127.0.0.1', port: port(), servername, rejectUnauthorized: false },
      ALPNProtocols: [...protocols],
    }),
  );

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(Frame.settings, 0, 0),
]);

async function closed(socket: Socket): Promise<void> {
  // Not `once`, which an error would make fail.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

test('plain HTTP/2, plain text and garbage on a TLS port are turned away', async () => {
  for (const bytes of [
    preface,
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(70_000, 0xee),
  ]) {
    const socket = plain();
    socket.write(bytes);
    await closed(socket);
  }
  expect(await isServed()).toBe(true);
});

test('handshakes that never end, and those with a name of 64 KiB, are cut', async () => {
  const hello = plain();
  hello.write(Buffer.from('16030100c8010000c40303', 'hex'));
  await closed(hello);
  // The longest that a library sends; the rest is by hand: a record that claims more than it may.
  await closed(tls(['h2'], 'x'.repeat(250)));
  const long = plain();
  long.write(Buffer.concat([Buffer.from('160301ffff0100fffb0303', 'hex'), Buffer.alloc(65_000)]));
  await closed(long);
  expect(await isServed()).toBe(true);
});

test('a protocol other than HTTP/2, and silence after the handshake, are cut', async () => {
  await closed(tls(['http/1.1']));
  await closed(tls(['h2']));
  expect(await isServed()).toBe(true);
});

test('headers that are too much or broken, and connections that vanish meanwhile, do no harm', async () => {
  const large = headerBlock([['x', 'y'.repeat(100_000)]]);
  const attacks: readonly Buffer[] = [
    frame(Frame.headers, 4, 1, Buffer.concat([callHeaders('/a'), large]).subarray(0, 16_384)),
    Buffer.concat([
      frame(Frame.headers, 0, 1, callHeaders('/a')),
      ...Array.from({ length: 20 }, () =>
        frame(Frame.continuation, 0, 1, large.subarray(0, 16_000)),
      ),
    ]),
    frame(Frame.headers, 4, 1, Buffer.alloc(16_000, 0xff)),
    Buffer.concat([openCall(1, '/varve.v1.LogService/Produce'), Buffer.alloc(100, 0xff)]),
  ];
  for (const attack of attacks) {
    for (const vanishes of [true, false]) {
      const socket = tls(['h2']);
      await once(socket, 'secureConnect');
      socket.write(Buffer.concat([preface, attack]));
      if (vanishes) socket.destroy();
      else await sleep(50);
      socket.destroy();
    }
  }
  expect(await isServed()).toBe(true);
  expect(broker.log).not.toContain('unexpected error');
});
