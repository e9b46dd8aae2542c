import { afterEach, describe, expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { RpcCode } from '../../../src/rpc/transport.ts';
import {
  bytes,
  failure,
  MAX_MESSAGE_BYTES,
  type MakeTransport,
  nextTurn,
  openStream,
  openWorld,
  options,
  unaryPath,
  until,
  type World,
} from './transport-world.ts';

/** What every `Transport` does with unary calls, and when a listener closes. */
export function callContract(makeTransport: MakeTransport): void {
  const opened: World[] = [];

  async function open(): Promise<World> {
    const world = await openWorld(makeTransport);
    opened.push(world);
    return world;
  }

  afterEach(async () => {
    for (const world of opened.splice(0)) await world.closeAll();
  });

  describe('a unary call', () => {
    test('is answered by its handler', async () => {
      const { channel, contexts } = await open();
      const answer = await channel.unary(unaryPath('Echo'), bytes(1, 2, 3), options);
      expect(answer).toEqual(bytes(1, 2, 3));
      expect(contexts[0]!.signal.aborted).toBe(false);
      expect(contexts[0]!.peer).toMatch(/^in-process$|^127\.0\.0\.1:\d+$/);
    });

    test('carries empty messages', async () => {
      const { channel } = await open();
      expect(await channel.unary(unaryPath('Echo'), bytes(), options)).toEqual(bytes());
    });

    test('that is refused with an outcome brings its row and text', async () => {
      const { channel, unexpected } = await open();
      const status = await failure(channel.unary(unaryPath('Refuse'), bytes(), options));
      expect(status.code).toBe(RpcCode.NOT_FOUND);
      expect(status.errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
      expect(status.message).toContain('no topic “orders”');
      expect(unexpected).toEqual([]);
    });

    test('whose handler breaks says nothing about the inside, and the error is reported', async () => {
      const { channel, unexpected } = await open();
      const status = await failure(channel.unary(unaryPath('Break'), bytes(), options));
      expect(status).toEqual({
        code: RpcCode.INTERNAL,
        message: Errors.UNKNOWN_SERVER_ERROR.message,
        errorCode: -1,
      });
      expect(unexpected).toEqual([new Error('secret: /etc/passwd')]);
    });

    test('of an unknown method is UNIMPLEMENTED', async () => {
      const { channel } = await open();
      const status = await failure(channel.unary(unaryPath('Nothing'), bytes(), options));
      expect(status.code).toBe(RpcCode.UNIMPLEMENTED);
    });

    test('that takes too long ends with DEADLINE_EXCEEDED on both sides', async () => {
      const { channel, contexts } = await open();
      // On a busy machine a call is over before it arrives: then the next may take longer.
      for (let timeoutMs = 200; contexts.length === 0; timeoutMs *= 2) {
        const status = await failure(channel.unary(unaryPath('Hang'), bytes(), { timeoutMs }));
        expect([status.code, status.neverSent]).toEqual([RpcCode.DEADLINE_EXCEEDED, undefined]);
      }
      await until(() => contexts.every(({ signal }) => signal.aborted));
    });

    test('ends when its caller aborts, and the handler learns of it', async () => {
      const { channel, contexts } = await open();
      const abort = new AbortController();
      const failed = failure(
        channel.unary(unaryPath('Hang'), bytes(), { ...options, signal: abort.signal }),
      );
      await until(() => contexts.length > 0);
      abort.abort();
      const status = await failed;
      expect([status.code, status.neverSent]).toEqual([RpcCode.CANCELLED, undefined]);
      await until(() => contexts[0]!.signal.aborted);
    });

    test('whose caller has aborted before is not made', async () => {
      const { channel, contexts } = await open();
      const signal = AbortSignal.abort();
      const failed = failure(channel.unary(unaryPath('Hang'), bytes(), { ...options, signal }));
      const status = await failed;
      expect([status.code, status.neverSent]).toEqual([RpcCode.CANCELLED, true]);
      expect(contexts).toEqual([]);
    });

    test('with a request that is too large is RESOURCE_EXHAUSTED', async () => {
      const { channel } = await open();
      const request = new Uint8Array(MAX_MESSAGE_BYTES + 1);
      const status = await failure(channel.unary(unaryPath('Echo'), request, options));
      expect(status.code).toBe(RpcCode.RESOURCE_EXHAUSTED);
    });

    test('with an answer that is too large is RESOURCE_EXHAUSTED', async () => {
      const { channel } = await open();
      const status = await failure(channel.unary(unaryPath('Large'), bytes(), options));
      expect(status.code).toBe(RpcCode.RESOURCE_EXHAUSTED);
    });

    test('fails with UNAVAILABLE when nobody listens', async () => {
      const { channel, listener } = await open();
      await listener.close(0);
      const status = await failure(channel.unary(unaryPath('Echo'), bytes(), options));
      expect(status.code).toBe(RpcCode.UNAVAILABLE);
    });

    test('that is open when its channel closes is CANCELLED, as are later ones', async () => {
      const { channel, contexts } = await open();
      const failed = failure(channel.unary(unaryPath('Hang'), bytes(), options));
      await until(() => contexts.length > 0);
      await channel.close();
      expect((await failed).code).toBe(RpcCode.CANCELLED);
      const later = await failure(channel.unary(unaryPath('Echo'), bytes(), options));
      expect(later.code).toBe(RpcCode.CANCELLED);
    });

    test('that is open when its listener closes fails', async () => {
      const { channel, listener, contexts } = await open();
      const failed = failure(channel.unary(unaryPath('Hang'), bytes(), options));
      await until(() => contexts.length > 0);
      await listener.close(10);
      expect((await failed).code).toBe(RpcCode.UNAVAILABLE);
    });
  });

  describe('closing a listener', () => {
    test('waits for open calls to be answered', async () => {
      const world = await open();
      const answer = world.channel.unary(unaryPath('Wait'), bytes(5), options);
      await until(() => world.contexts.length > 0);
      const closing = world.listener.close(20_000);
      for (let i = 0; i < 20; i++) await nextTurn();
      expect(world.contexts[0]!.signal.aborted).toBe(false);
      world.release();
      expect(await answer).toEqual(bytes(5));
      await closing;
    });

    test('waits for open streams to end by themselves', async () => {
      const world = await open();
      const { client, stream, server } = await openStream(world);
      const closing = world.listener.close(20_000);
      stream.send(bytes(1));
      await until(() => server.messages.length === 1);
      server.stream.end();
      await closing;
      expect((await client.closed()).code).toBe(RpcCode.OK);
    });

    test('cuts streams that do not end in time and tells them why', async () => {
      const world = await open();
      const { client, server } = await openStream(world);
      await world.listener.close(20);
      const status = await client.closed();
      expect(status.code).toBe(RpcCode.UNAVAILABLE);
      expect(status.errorCode).toBe(Errors.BROKER_STOPPING.code);
      expect((await server.closed()).errorCode).toBe(Errors.BROKER_STOPPING.code);
    });

    test('can be asked for twice', async () => {
      const world = await open();
      await openStream(world);
      await Promise.all([world.listener.close(0), world.listener.close(0)]);
      await world.listener.close(0);
    });

    test('ends also when a paused reader sits on a stream that the server has ended', async () => {
      const world = await open();
      const { client, stream, server } = await openStream(world);
      stream.pause();
      server.stream.send(bytes(1));
      server.stream.end();
      await world.listener.close(20);
      await world.channel.close();
      expect(client.closes).toHaveLength(1);
    });
  });
}
