import * as http2 from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { RpcCode } from '../../../src/rpc/transport.ts';
import { closeOpened, hurried, openGrpc } from './grpc-world.ts';
import { Recorder, STREAM, until } from './transport-world.ts';

afterEach(closeOpened);

describe('a stream on the server', () => {
  test('takes thousands of messages from one frame, also while it pauses and resumes', async () => {
    const { listener, streams } = await openGrpc();
    const session = http2.connect(`http://${listener.address}`);
    const request = session.request({
      ':method': 'POST',
      ':path': STREAM,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    await until(() => streams.length > 0);
    const server = streams[0]!;
    let inside = false;
    let violations = 0;
    server.react = () => {
      if (inside) violations++;
      if (server.messages.length % 1000 === 1) server.stream.pause();
    };
    // Each message is five bytes of gRPC's own: not compressed, of no length.
    const COUNT = 3000;
    request.write(Buffer.alloc(5 * COUNT));
    while (server.messages.length < COUNT) {
      await until(() => server.messages.length % 1000 === 1 || server.messages.length === COUNT);
      inside = true;
      server.stream.resume();
      inside = false;
      const before = server.messages.length;
      if (before < COUNT) await until(() => server.messages.length > before);
    }
    expect(violations).toBe(0);
    session.destroy();
    expect((await server.closed()).code).toBe(RpcCode.CANCELLED);
  });

  /** A stream with a client that does not read what more than fills window, read-ahead and sockets. */
  async function stuck(ms: number) {
    const { connect, streams } = await openGrpc({}, { ownTimers: hurried(ms) });
    const client = new Recorder();
    const stream = connect().stream(STREAM, client);
    await until(() => streams.length > 0);
    const server = streams[0]!;
    stream.pause();
    for (let i = 0; i < 100; i++) server.stream.send(new Uint8Array(1024 * 1024));
    return { client, stream, server };
  }

  test('is reset if its reader never takes what stands before the error', async () => {
    const { client, server } = await stuck(5_000);
    server.stream.fail({ code: RpcCode.RESOURCE_EXHAUSTED, message: 'slow' });
    expect((await server.closed()).code).toBe(RpcCode.RESOURCE_EXHAUSTED);
    expect((await client.closed()).code).toBe(RpcCode.CANCELLED);
  });

  test('is reset if its reader never takes what stands before the end', async () => {
    const { client, server } = await stuck(60_000);
    server.stream.end();
    expect((await server.closed()).code).toBe(RpcCode.CANCELLED);
    expect(server.context.signal.aborted).toBe(true);
    expect((await client.closed()).code).toBe(RpcCode.CANCELLED);
  });

  test('that was ended and then failed waits no longer than for an error', async () => {
    const { client, server } = await stuck(5_000);
    server.stream.end();
    server.stream.fail({ code: RpcCode.RESOURCE_EXHAUSTED, message: 'slow' });
    expect((await server.closed()).code).toBe(RpcCode.CANCELLED);
    expect((await client.closed()).code).toBe(RpcCode.CANCELLED);
  });

  test('fails with a very long text, which arrives shortened', async () => {
    const { connect, streams } = await openGrpc();
    const client = new Recorder();
    connect().stream(STREAM, client);
    await until(() => streams.length > 0);
    const message = '€'.repeat(100_000);
    streams[0]!.stream.fail({ code: RpcCode.ABORTED, message, errorCode: 42 });
    const status = await client.closed();
    expect(status.errorCode).toBe(Errors.INVALID_REQUEST.code);
    expect(message.startsWith(status.message)).toBe(true);
    expect(status.message.length).toBeGreaterThan(100);
  });
});
