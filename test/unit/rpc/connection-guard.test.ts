import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { type ListenOptions, RpcCode } from '../../../src/rpc/transport.ts';
import { HeldTimers } from '../../support/held-timers.ts';
import { closeOpened, echo, opened, openGrpc, pem } from './grpc-world.ts';
import { bytes, until } from './transport-world.ts';

afterEach(closeOpened);

const HANDSHAKE_MS = 4321;

/** A listener, what it refused, and connections to it that say nothing by themselves. */
async function guarded(options: Partial<ListenOptions>) {
  const refused: string[] = [];
  const handshakes = new HeldTimers(HANDSHAKE_MS);
  const world = await openGrpc(
    {
      onRefused: (limit, _, detail) => refused.push(detail ? `${limit}: ${detail}` : limit),
      handshakeTimeoutMs: HANDSHAKE_MS,
      ...options,
    },
    { ownTimers: handshakes },
  );
  const port = Number(world.listener.address.split(':')[1]);
  const connect = async (): Promise<net.Socket> => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    opened.push({ close: async () => void socket.destroy() });
    await once(socket, 'connect');
    return socket;
  };
  return { ...world, port, refused, handshakes, connectSocket: connect };
}

/** Not `once`, which an error makes fail, and which waits for ever if it is over. */
const closed = (socket: net.Socket): Promise<void> => until(() => socket.closed);

test.each([
  { limit: 'max.connections', options: { maxConnections: 2 } },
  { limit: 'max.connections.per.ip', options: { maxConnectionsPerAddress: 2 } },
])(
  'beyond $limit a connection is closed, and one may come when another has gone',
  async (given) => {
    const { connectSocket, refused, connect } = await guarded(given.options);
    const first = await connectSocket();
    await connectSocket();
    const third = await connectSocket();
    await closed(third);
    expect(refused).toEqual([given.limit]);
    first.destroy();
    await closed(first);
    let answer: unknown;
    while (answer !== undefined ? String(answer) !== String(bytes(1)) : true) {
      answer = await echo(connect());
    }
    expect(answer).toEqual(bytes(1));
  },
);

test('a connection that never speaks, or only half of the preface, is closed in time', async () => {
  const { connectSocket, refused, connect, handshakes } = await guarded({});
  const silent = await connectSocket();
  const half = await connectSocket();
  half.write('PRI * HTTP/2.0\r\n');
  await until(() => handshakes.waiting === 2);
  handshakes.fire();
  await Promise.all([closed(silent), closed(half)]);
  expect(refused).toEqual(['grpc.handshake.timeout.ms', 'grpc.handshake.timeout.ms']);
  expect(await echo(connect())).toEqual(bytes(1));
});

test('a connection that never finishes its TLS handshake is closed in time', async () => {
  const { connectSocket } = await guarded({
    handshakeTimeoutMs: 50,
    tls: { cert: pem('server.crt'), key: pem('server.key') },
  });
  const silent = await connectSocket();
  const half = await connectSocket();
  // The beginning of a ClientHello.
  half.write(Buffer.from('16030100c8010000c40303', 'hex'));
  await Promise.all([closed(silent), closed(half)]);
});

test('one that has spoken stays, and goes when it is idle for long', async () => {
  const { port, handshakes, refused } = await guarded({ connectionIdleMs: 300 });
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await once(session, 'remoteSettings');
  await until(() => handshakes.waiting === 0);
  handshakes.fire();
  await until(() => session.closed);
  expect(refused).toEqual([]);
});

test.each(['GET / HTTP/1.1\r\nHost: varve\r\n\r\n', 'what is this?'.repeat(100)])(
  'who does not speak HTTP/2 is closed, and that is told',
  async (said) => {
    const { connectSocket, refused, connect } = await guarded({});
    const stranger = await connectSocket();
    stranger.write(said);
    await closed(stranger);
    expect(refused).toEqual(['HTTP/2: Received bad client magic byte string']);
    const hangsUp = await connectSocket();
    hangsUp.write('PRI * HTTP');
    hangsUp.resetAndDestroy();
    await closed(hangsUp);
    expect(await echo(connect())).toEqual(bytes(1));
    expect(refused).toHaveLength(1);
  },
);

test('who fails the TLS handshake is told of, with the address and the reason', async () => {
  const told: string[] = [];
  const { connect, connectSocket } = await guarded({
    onRefused: (...each) => told.push(each.join(', ')),
    tls: { cert: pem('server.crt'), key: pem('server.key'), ca: pem('ca.crt') },
  });
  const plain = await connectSocket();
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await closed(plain);
  await until(() => told.length === 1);
  expect(await echo(connect({ ca: pem('ca.crt') }))).toBe(RpcCode.UNAVAILABLE);
  await until(() => told.length > 1);
  expect(told[0]).toBe('TLS handshake, 127.0.0.1, http request');
  expect(told[1]).toBe('TLS handshake, 127.0.0.1, peer did not return a certificate');
});

test('who speaks TLS and does not ask for HTTP/2 is told of', async () => {
  const told: string[] = [];
  const { connectSocket } = await guarded({
    onRefused: (...each) => told.push(each.join(', ')),
    tls: { cert: pem('server.crt'), key: pem('server.key') },
  });
  const socket = tls.connect({ socket: await connectSocket(), rejectUnauthorized: false });
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await until(() => told.length > 0);
  socket.destroy();
  expect(told).toEqual(['HTTP/2, 127.0.0.1, the TLS client did not ask for it']);
});
