import { afterEach, describe, expect, test } from 'vitest';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { type MessageStream, RpcCode } from '../../../src/rpc/transport.ts';
import {
  bytes,
  MAX_MESSAGE_BYTES,
  type MakeTransport,
  nextTurn,
  openStream,
  openWorld,
  Recorder,
  type ServerSide,
  STREAM,
  until,
  type World,
} from './transport-world.ts';

/** What every `Transport` does with streams. */
export function streamContract(makeTransport: MakeTransport): void {
  const opened: World[] = [];

  async function open(onOpen?: (side: ServerSide) => void): Promise<World> {
    const world = await openWorld(makeTransport, onOpen);
    opened.push(world);
    return world;
  }

  afterEach(async () => {
    for (const world of opened.splice(0)) await world.closeAll();
  });

  describe('a stream', () => {
    test('carries messages both ways in order and ends with OK on both sides', async () => {
      const world = await open((side) => {
        side.react = (message) => side.stream.send(message);
        side.reactToEnd = () => side.stream.end();
      });
      const { client, stream, server } = await openStream(world);
      for (let i = 0; i < 100; i++) stream.send(new Uint8Array(i * 10).fill(i));
      stream.end();
      expect((await client.closed()).code).toBe(RpcCode.OK);
      expect(client.messages.map((message) => message.length)).toEqual(
        Array.from({ length: 100 }, (_, i) => i * 10),
      );
      expect(client.messages[99]![0]).toBe(99);
      expect(client.told.slice(-2)).toEqual(['end', 'close']);
      expect((await server.closed()).code).toBe(RpcCode.OK);
      expect(server.told.slice(-2)).toEqual(['end', 'close']);
      expect(server.context.signal.aborted).toBe(false);
    });

    test('delivers messages as plain Uint8Arrays that their owner may write into', async () => {
      const world = await open((side) => {
        side.react = (message) => side.stream.send(message);
      });
      const { client, stream } = await openStream(world);
      stream.send(bytes(1));
      stream.send(bytes(2));
      client.react = (message) => message.fill(9);
      await until(() => client.messages.length === 2);
      expect(client.messages.map((message) => message.constructor)).toEqual([
        Uint8Array,
        Uint8Array,
      ]);
      expect(client.messages).toEqual([bytes(9), bytes(9)]);
    });

    test('carries messages that lie in pieces, which may change when they were sent', async () => {
      const { client, server } = await openStream(await open());
      const sizes = [0, 1, 100, 5000, 70_000, 400_000];
      for (const size of sizes) {
        const pieces = [
          bytes(size % 251),
          new Uint8Array(size).fill(7),
          new Uint8Array(0),
          bytes(9),
        ];
        let isSent = false;
        server.stream.sendPieces(pieces, () => {
          isSent = true;
          for (const piece of pieces) piece.fill(0);
        });
        expect(isSent).toBe(false);
        await until(() => isSent);
        await nextTurn();
      }
      server.stream.sendPieces([], () => {});
      server.stream.send(bytes(1, 2));
      await until(() => client.messages.length === sizes.length + 2);
      for (const [at, size] of sizes.entries()) {
        const whole = [...bytes(size % 251), ...new Uint8Array(size).fill(7), 9];
        expect(Buffer.compare(client.messages[at]!, Buffer.from(whole))).toBe(0);
      }
      expect(client.messages.slice(sizes.length)).toEqual([bytes(), bytes(1, 2)]);
      server.stream.end();
      await client.closed();
      expect(server.stream.sendPieces([bytes(1)], () => expect.unreachable())).toBe(false);
    });

    test('can be used by the server before its handler returns', async () => {
      const world = await open((side) => side.stream.send(bytes(7)));
      const { client } = await openStream(world);
      await until(() => client.messages.length === 1);
      expect(client.messages[0]).toEqual(bytes(7));
    });

    test('lets the server go on sending after the client has ended', async () => {
      const { client, stream, server } = await openStream(await open());
      stream.end();
      await until(() => server.told.includes('end'));
      server.stream.send(bytes(1));
      await until(() => client.messages.length === 1);
      expect(client.closes).toEqual([]);
      server.stream.end();
      expect((await client.closed()).code).toBe(RpcCode.OK);
    });

    test('that the server ends first ends with OK on both sides', async () => {
      const { client, server } = await openStream(await open());
      server.stream.send(bytes(1));
      server.stream.end();
      expect((await client.closed()).code).toBe(RpcCode.OK);
      expect(client.told).toEqual(['message', 'end', 'close']);
      expect((await server.closed()).code).toBe(RpcCode.OK);
      expect(server.stream.send(bytes(2))).toBe(false);
    });

    test('that the server has ended cannot be failed any more', async () => {
      const { client, server } = await openStream(await open());
      server.stream.send(bytes(1));
      server.stream.end();
      server.stream.fail({ code: RpcCode.ABORTED, message: '' });
      expect((await client.closed()).code).toBe(RpcCode.OK);
      expect(client.told).toEqual(['message', 'end', 'close']);
      expect((await server.closed()).code).toBe(RpcCode.OK);
    });

    test('never calls its owner inside one of its own calls', async () => {
      const { client, stream, server } = await openStream(await open());
      let inside = false;
      let violations = 0;
      const watch = (): void => {
        if (inside) violations++;
      };
      const watching = (call: () => void): void => {
        inside = true;
        call();
        inside = false;
      };
      client.react = watch;
      server.react = watch;
      client.reactToEnd = watch;
      for (let i = 0; i < 20; i++) {
        watching(() => stream.pause());
        watching(() => server.stream.pause());
        watching(() => stream.send(bytes(i)));
        watching(() => server.stream.send(bytes(i)));
        await nextTurn();
        watching(() => server.stream.resume());
        watching(() => stream.resume());
      }
      await until(() => client.messages.length === 20 && server.messages.length === 20);
      watching(() => stream.send(new Uint8Array(MAX_MESSAGE_BYTES + 1)));
      watching(() => server.stream.fail({ code: RpcCode.ABORTED, message: '' }));
      watching(() => stream.fail({ code: RpcCode.ABORTED, message: '' }));
      expect(client.closes).toEqual([]);
      await client.closed();
      await server.closed();
      expect(violations).toBe(0);
    });

    test('that the server fails brings the row to the client', async () => {
      const { client, server } = await openStream(await open());
      server.stream.fail({
        code: RpcCode.RESOURCE_EXHAUSTED,
        message: 'read nothing for 60 s',
        errorCode: Errors.SLOW_READER.code,
      });
      expect(await client.closed()).toEqual({
        code: RpcCode.RESOURCE_EXHAUSTED,
        message: 'read nothing for 60 s',
        errorCode: Errors.SLOW_READER.code,
      });
      expect((await server.closed()).errorCode).toBe(Errors.SLOW_READER.code);
    });

    test('that the client fails is CANCELLED for the server, and its signal fires', async () => {
      const { client, stream, server } = await openStream(await open());
      stream.fail({ code: RpcCode.ABORTED, message: 'had enough' });
      server.stream.send(bytes(1));
      expect(await client.closed()).toEqual({ code: RpcCode.ABORTED, message: 'had enough' });
      expect((await server.closed()).code).toBe(RpcCode.CANCELLED);
      expect(server.context.signal.aborted).toBe(true);
      expect(client.told).toEqual(['close']);
    });

    test('of an unknown method closes with UNIMPLEMENTED', async () => {
      const { channel } = await open();
      const client = new Recorder();
      channel.stream('/test.Service/Nothing', client);
      expect((await client.closed()).code).toBe(RpcCode.UNIMPLEMENTED);
    });

    test('that cannot be made closes with UNAVAILABLE', async () => {
      const { channel, listener } = await open();
      await listener.close(0);
      const client = new Recorder();
      const stream = channel.stream(STREAM, client);
      stream.send(bytes(1));
      expect((await client.closed()).code).toBe(RpcCode.UNAVAILABLE);
      expect(client.told).toEqual(['close']);
    });

    test('on a closed channel closes with CANCELLED', async () => {
      const { channel } = await open();
      await channel.close();
      const client = new Recorder();
      channel.stream(STREAM, client);
      expect(client.closes).toEqual([]);
      expect((await client.closed()).code).toBe(RpcCode.CANCELLED);
    });

    test('whose handler refuses it closes with that outcome', async () => {
      const world = await open(() => {
        throw new ApiError(Errors.CLUSTER_AUTHORIZATION_FAILED, 'who are you');
      });
      const client = new Recorder();
      world.channel.stream(STREAM, client);
      const status = await client.closed();
      expect(status.errorCode).toBe(Errors.CLUSTER_AUTHORIZATION_FAILED.code);
      expect(world.unexpected).toEqual([]);
    });

    test('whose owner throws ends, and only the report says why', async () => {
      const world = await open((side) => {
        side.react = () => {
          throw new Error('secret');
        };
      });
      const { client, stream, server } = await openStream(world);
      stream.send(bytes(1));
      const status = await client.closed();
      expect(status.code).toBe(RpcCode.INTERNAL);
      expect(status.message).toBe(Errors.UNKNOWN_SERVER_ERROR.message);
      await server.closed();
      expect(world.unexpected).toEqual([new Error('secret')]);
    });

    test('whose client throws ends too', async () => {
      const world = await open((side) => side.stream.send(bytes(1)));
      const client = new Recorder();
      client.react = () => {
        throw new Error('mistake of the client');
      };
      world.channel.stream(STREAM, client);
      expect((await client.closed()).code).toBe(RpcCode.INTERNAL);
      expect(world.unexpected).toEqual([new Error('mistake of the client')]);
    });

    test('with a message that is too large for the server ends with RESOURCE_EXHAUSTED', async () => {
      const { client, stream, server } = await openStream(await open());
      stream.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
      expect((await client.closed()).code).toBe(RpcCode.RESOURCE_EXHAUSTED);
      expect((await server.closed()).code).toBe(RpcCode.RESOURCE_EXHAUSTED);
      expect(server.messages).toEqual([]);
    });

    test('with a message that is too large for the client ends with RESOURCE_EXHAUSTED', async () => {
      const { client, server } = await openStream(await open());
      server.stream.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
      expect((await client.closed()).code).toBe(RpcCode.RESOURCE_EXHAUSTED);
      expect((await server.closed()).code).toBe(RpcCode.CANCELLED);
    });

    test('closes once, and tells its owner nothing after that', async () => {
      const world = await open((side) => {
        side.react = (message) => side.stream.send(message);
      });
      const { client, stream, server } = await openStream(world);
      for (let i = 0; i < 50; i++) stream.send(new Uint8Array(10_000));
      await until(() => client.messages.length > 0);
      stream.fail({ code: RpcCode.CANCELLED, message: '' });
      stream.fail({ code: RpcCode.CANCELLED, message: '' });
      await client.closed();
      await server.closed();
      stream.fail({ code: RpcCode.CANCELLED, message: '' });
      server.stream.fail({ code: RpcCode.CANCELLED, message: '' });
      expect(stream.send(bytes(1))).toBe(false);
      await world.closeAll();
      for (let i = 0; i < 10; i++) await nextTurn();
      for (const side of [client, server]) {
        expect(side.told.filter((event) => event === 'close')).toHaveLength(1);
        expect(side.told.at(-1)).toBe('close');
      }
    });
  });

  describe('back pressure', () => {
    const CHUNK = 256 * 1024;

    /** Sends numbered chunks until the stream asks to wait. */
    function fill(stream: MessageStream, from: number): number {
      let next = from;
      let goesOn = true;
      while (goesOn) {
        const chunk = new Uint8Array(CHUNK);
        new DataView(chunk.buffer).setUint32(0, next++);
        goesOn = stream.send(chunk);
        expect(next).toBeLessThan(1000);
      }
      return next;
    }

    const numbers = (messages: Uint8Array[]): number[] =>
      messages.map((message) => new DataView(message.buffer, message.byteOffset).getUint32(0));

    for (const sender of ['client', 'server'] as const) {
      test(`holds up a ${sender} whose peer has paused, and loses nothing`, async () => {
        const { client, stream, server } = await openStream(await open());
        const [from, to] =
          sender === 'client'
            ? [
                { stream, side: client as Recorder },
                { stream: server.stream, side: server },
              ]
            : [
                { stream: server.stream, side: server as Recorder },
                { stream, side: client },
              ];
        to.stream.pause();
        let sent = 0;
        // What sits between the two is used up first: windows and buffers of the sockets.
        for (let stuck = 0; stuck < 200; ) {
          const drains = from.side.drains;
          sent = fill(from.stream, sent);
          for (stuck = 0; stuck < 200 && from.side.drains === drains; stuck++) await nextTurn();
        }
        // Memory is bounded whatever the peer does: it is held up after some MiB.
        expect(sent * CHUNK).toBeLessThan(64 * 1024 * 1024);
        expect(to.side.messages.length).toBeLessThan(40);
        const drains = from.side.drains;
        to.stream.resume();
        await until(() => to.side.messages.length === sent && from.side.drains > drains);
        expect(numbers(to.side.messages)).toEqual(Array.from({ length: sent }, (_, i) => i));
        expect(from.stream.send(bytes(0, 0, 0, 0))).toBe(true);
      });
    }

    test('does not keep a stalled reader from being failed', async () => {
      const { client, stream, server } = await openStream(await open());
      stream.pause();
      fill(server.stream, 0);
      fill(server.stream, 0);
      server.stream.fail({ code: RpcCode.RESOURCE_EXHAUSTED, message: 'slow' });
      await server.closed();
      expect((await client.closed()).code).not.toBe(RpcCode.OK);
    });
  });
}
