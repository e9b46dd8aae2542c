import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/broker/memory-budget.ts';
import { closeOpened, echo, openGrpc, pem } from './grpc-world.ts';
import { bytes, handlers, listenOptions, STREAM, unaryPath, until } from './transport-world.ts';

afterEach(closeOpened);

describe('a listener', () => {
  test('offers a receive window of 2 MiB on streams and connection', async () => {
    const { listener, unexpected } = await openGrpc();
    const session = http2.connect(`http://${listener.address}`);
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.initialWindowSize).toBe(2 * 1024 * 1024);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    await until(() => session.state.remoteWindowSize === 2 * 1024 * 1024);
    session.destroy();
    expect(unexpected).toEqual([]);
  });

  test.each([STREAM, unaryPath('Hang')])(
    'takes no more calls of %s than there is memory for, and more when some have ended',
    async (path) => {
      const memory = new MemoryBudget(1024 * 1024);
      const { listener, connect, unexpected } = await openGrpc({ memory });
      const session = http2.connect(`http://${listener.address}`);
      const ends = { refused: 0 };
      for (let i = 0; i < 100; i++) {
        const request = session.request({
          ...{ ':method': 'POST', ':path': path },
          ...{ 'content-type': 'application/grpc', te: 'trailers' },
        });
        request.on('error', () => {});
        request.on('trailers', () => ends.refused++);
        request.on('response', (headers) => {
          if (headers['grpc-status'] !== undefined) ends.refused++;
        });
        request.resume();
        // An empty request; the end of it is still to come.
        request.write(Buffer.alloc(5));
      }
      await until(() => ends.refused >= 20);
      expect(memory.usedBytes).toBeGreaterThan(1024 * 1024);
      session.destroy();
      await until(() => memory.usedBytes === 0);
      expect(await echo(connect())).toEqual(bytes(1));
      expect(unexpected).toEqual([]);
    },
  );

  test('survives bytes that are no HTTP/2, and the server goes on', async () => {
    const { listener, connect, unexpected } = await openGrpc();
    const [host, port] = listener.address.split(':');
    const socket = net.connect(Number(port), host);
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(100));
    // Not `once`, which an error makes fail: bytes that nobody reads reset the connection.
    await until(() => socket.closed);
    expect(await echo(connect())).toEqual(bytes(1));
    expect(unexpected).toEqual([]);
  });

  test('needs a certificate with its key on a listener', async () => {
    await expect(openGrpc({ tls: { cert: pem('server.crt') } })).rejects.toThrow(
      'a TLS listener needs a certificate and its private key',
    );
  });

  test('refuses an address that is in use by name', async () => {
    const { transport, listener } = await openGrpc();
    const again = transport.listen(
      listener.address,
      handlers({ streams: [], contexts: [] }),
      listenOptions,
    );
    await expect(again).rejects.toThrow(`cannot listen on ${listener.address}: `);
  });
});
