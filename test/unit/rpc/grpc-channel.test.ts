import { once } from 'node:events';
import * as net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { RpcCode, type RpcError } from '../../../src/rpc/transport.ts';
import { ca, closeOpened, echo, identity, openGrpc, pem } from './grpc-world.ts';
import { bytes, connectOptions, Recorder, STREAM, until } from './transport-world.ts';

afterEach(closeOpened);

describe('TLS', () => {
  test('serves a client that trusts the authority, by name and by number', async () => {
    const { connect } = await openGrpc({ tls: identity('server') });
    expect(await echo(connect({ ca }))).toEqual(bytes(1));
    expect(await echo(connect({ ca }, 'localhost'))).toEqual(bytes(1));
  });

  test('serves IPv6 numbers too', async () => {
    const { connect } = await openGrpc({ tls: identity('server') }, { address: '[::1]:0' });
    expect(await echo(connect({ ca }))).toEqual(bytes(1));
  });

  test('does not reach a server whose authority the client does not trust', async () => {
    const { connect } = await openGrpc({ tls: identity('server') });
    expect(await echo(connect({ ca: pem('other-ca.crt') }))).toBe(RpcCode.UNAVAILABLE);
    expect(await echo(connect({}))).toBe(RpcCode.UNAVAILABLE);
  });

  test('does not talk to a server whose certificate is for another host', async () => {
    const { connect } = await openGrpc({ tls: identity('elsewhere') });
    expect(await echo(connect({ ca }))).toBe(RpcCode.UNAVAILABLE);
    expect(await echo(connect({ ca }, 'localhost'))).toBe(RpcCode.UNAVAILABLE);
  });

  test('does not mix with plaintext in either direction', async () => {
    const secure = await openGrpc({ tls: identity('server') });
    expect(await echo(secure.connect())).toBe(RpcCode.UNAVAILABLE);
    const plain = await openGrpc();
    expect(await echo(plain.connect({ ca }))).toBe(RpcCode.UNAVAILABLE);
  });

  test('with client certificates lets in only those that the authority signed', async () => {
    const { connect } = await openGrpc({ tls: { ...identity('server'), ca } });
    expect(await echo(connect({ ca, ...identity('client') }))).toEqual(bytes(1));
    expect(await echo(connect({ ca }))).toBe(RpcCode.UNAVAILABLE);
    expect(await echo(connect({ ca, ...identity('stranger') }))).toBe(RpcCode.UNAVAILABLE);
  });
});

test('a connection that breaks closes its streams on both sides, and is made anew', async () => {
  const { listener, streams, transport } = await openGrpc();
  const [host, port] = listener.address.split(':');
  const sockets: net.Socket[] = [];
  const proxy = net.createServer((near) => {
    const far = net.connect(Number(port), host);
    sockets.push(near, far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.pipe(to);
      from.on('error', () => {});
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port: proxyPort } = proxy.address() as net.AddressInfo;
  const channel = transport.connect(`127.0.0.1:${proxyPort}`, connectOptions);
  const client = new Recorder();
  channel.stream(STREAM, client);
  await until(() => streams.length > 0);
  for (const socket of sockets) socket.resetAndDestroy();
  expect((await client.closed()).code).toBe(RpcCode.UNAVAILABLE);
  expect((await streams[0]!.closed()).code).toBe(RpcCode.CANCELLED);
  expect(streams[0]!.context.signal.aborted).toBe(true);
  // The same channel finds its way again.
  await until(() => sockets.every((socket) => socket.destroyed));
  let answer: unknown = RpcCode.UNAVAILABLE;
  while (answer === RpcCode.UNAVAILABLE) answer = await echo(channel);
  expect(answer).toEqual(bytes(1));
  await channel.close();
  proxy.close();
});

test('an address where nobody listens is refused in plain words, in calls and streams', async () => {
  const { transport } = await openGrpc();
  // Only the superuser could listen there.
  const address = '127.0.0.1:1';
  const channel = transport.connect(address, connectOptions);
  const message = `connect ECONNREFUSED ${address}`;
  const cause = expect.objectContaining({ message: expect.stringContaining('No connection') });
  const called = channel.unary('/test.Service/Echo', bytes(1), { timeoutMs: 20_000 });
  await expect(called).rejects.toMatchObject({ message, cause });
  const client = new Recorder();
  channel.stream(STREAM, client);
  expect(await client.closed()).toMatchObject({ message, cause });
  await channel.close();
});

test('a peer that never answers, and one that is not of our kind, are told apart', async () => {
  const { transport } = await openGrpc();
  const messages: string[] = [];
  for (const answer of ['', 'HTTP/1.1 400 Bad Request\r\n\r\n']) {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      if (answer !== '') socket.end(answer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const channel = transport.connect(`127.0.0.1:${port}`, connectOptions);
    const timeoutMs = answer === '' ? 50 : 20_000;
    const called = channel.unary('/test.Service/Echo', bytes(1), { timeoutMs });
    messages.push(await called.then(String, (error: Error) => error.message));
    await channel.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  expect(messages).toEqual([
    expect.stringMatching(/^no connection within [\d.]+ s$/),
    'the peer does not speak HTTP/2',
  ]);
});

test('a call that is given up before there is a connection says that it never left', async () => {
  const { transport } = await openGrpc();
  const silent = net.createServer((socket) => socket.on('error', () => {}));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as net.AddressInfo;
  const channel = transport.connect(`127.0.0.1:${port}`, connectOptions);
  const given = new AbortController();
  const accepted = once(silent, 'connection');
  const options = { timeoutMs: 20_000, signal: given.signal };
  const called = channel.unary('/test.Service/Hang', bytes(1), options);
  const outcome = called.then(String, ({ status }: RpcError) => status);
  const [socket] = (await accepted) as [net.Socket];
  given.abort();
  expect(await outcome).toMatchObject({ code: RpcCode.CANCELLED, neverSent: true });
  await channel.close();
  socket.destroy();
  silent.close();
});
