import { afterEach, describe, expect, test } from 'vitest';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { HandlerTable } from '../../../src/rpc/method.ts';
import {
  type CallContext,
  type Channel,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type MessageStream,
  RpcCode,
  RpcError,
  type RpcStatus,
  type ServerHandlers,
  type StreamEvents,
  type Transport,
} from '../../../src/rpc/transport.ts';

export const MAX_MESSAGE_BYTES: number = 1024 * 1024;
export const connectOptions: ConnectOptions = { maxMessageBytes: MAX_MESSAGE_BYTES };
export const listenOptions: ListenOptions = { ...connectOptions, maxStreamsPerConnection: 100 };

const timers = new NodeTimers();
const nextTurn = (): Promise<void> => new Promise((resolve) => timers.nextTurn(resolve));

/** Resolves when `check` holds; the test's own timeout is the limit. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await nextTurn();
}

export const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** One side of a stream, with everything that it was told. */
export class Recorder implements StreamEvents {
  readonly messages: Uint8Array[] = [];
  readonly told: string[] = [];
  readonly closes: RpcStatus[] = [];
  drains = 0;
  react: (message: Uint8Array) => void = () => {};
  reactToEnd: () => void = () => {};

  onMessage(message: Uint8Array): void {
    this.messages.push(message);
    this.told.push('message');
    this.react(message);
  }

  onDrain(): void {
    this.drains++;
  }

  onEnd(): void {
    this.told.push('end');
    this.reactToEnd();
  }

  onClose(status: RpcStatus): void {
    this.told.push('close');
    this.closes.push(status);
  }

  async closed(): Promise<RpcStatus> {
    await until(() => this.closes.length > 0);
    return this.closes[0]!;
  }
}

/** A recorder on the server with the stream that belongs to it. */
export class ServerSide extends Recorder {
  readonly stream: MessageStream;
  readonly context: CallContext;

  constructor(stream: MessageStream, context: CallContext) {
    super();
    this.stream = stream;
    this.context = context;
  }
}

export const STREAM = '/test.Service/Stream';
const unary = (name: string): string => `/test.Service/${name}`;

export interface World {
  readonly listener: Listener;
  readonly channel: Channel;
  /** Streams that the server was asked for. */
  readonly streams: ServerSide[];
  readonly unexpected: unknown[];
  readonly contexts: CallContext[];
  closeAll(): Promise<void>;
}

export function handlers(world: {
  readonly streams: ServerSide[];
  readonly contexts: CallContext[];
  onOpen?: (side: ServerSide) => void;
}): ServerHandlers {
  const table = new HandlerTable();
  table.unary.set(unary('Echo'), async (request, context) => {
    world.contexts.push(context);
    return request;
  });
  table.unary.set(unary('Refuse'), async () => {
    throw new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION, 'no topic “orders” \ud800');
  });
  table.unary.set(unary('Break'), () => {
    throw new Error('secret: /etc/passwd');
  });
  table.unary.set(unary('Hang'), (_request, context) => {
    world.contexts.push(context);
    return new Promise(() => {});
  });
  table.unary.set(unary('Large'), async () => new Uint8Array(MAX_MESSAGE_BYTES + 1));
  table.streams.set(STREAM, (stream, context) => {
    const side = new ServerSide(stream, context);
    world.streams.push(side);
    world.onOpen?.(side);
    return side;
  });
  return table;
}

/** What every `Transport` does. `host` is where it listens. */
export function transportContract(
  makeTransport: (onUnexpectedError: (error: unknown) => void) => Transport,
): void {
  const opened: World[] = [];

  async function open(onOpen?: (side: ServerSide) => void): Promise<World> {
    const streams: ServerSide[] = [];
    const contexts: CallContext[] = [];
    const unexpected: unknown[] = [];
    const transport = makeTransport((error) => unexpected.push(error));
    const service = handlers({ streams, contexts, ...(onOpen === undefined ? {} : { onOpen }) });
    const listener = await transport.listen('127.0.0.1:0', service, listenOptions);
    const channel = transport.connect(listener.address, connectOptions);
    const closeAll = async (): Promise<void> => {
      await channel.close();
      await listener.close(0);
    };
    const world = { listener, channel, streams, contexts, unexpected, closeAll };
    opened.push(world);
    return world;
  }

  async function openStream(world: World): Promise<{
    client: Recorder;
    stream: MessageStream;
    server: ServerSide;
  }> {
    const client = new Recorder();
    const stream = world.channel.stream(STREAM, client);
    await until(() => world.streams.length > 0);
    return { client, stream, server: world.streams.at(-1)! };
  }

  afterEach(async () => {
    for (const world of opened.splice(0)) await world.closeAll();
  });

  const options = { timeoutMs: 20_000 };
  const failure = async (call: Promise<unknown>): Promise<RpcStatus> => {
    const error = await call.then(
      () => expect.unreachable('the call must fail'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RpcError);
    return (error as RpcError).status;
  };

  describe('a unary call', () => {
    test('is answered by its handler', async () => {
      const { channel, contexts } = await open();
      const answer = await channel.unary(unary('Echo'), bytes(1, 2, 3), options);
      expect(answer).toEqual(bytes(1, 2, 3));
      expect(contexts[0]!.signal.aborted).toBe(false);
      expect(contexts[0]!.peer).toMatch(/^in-process$|^127\.0\.0\.1:\d+$/);
    });

    test('carries empty messages', async () => {
      const { channel } = await open();
      expect(await channel.unary(unary('Echo'), bytes(), options)).toEqual(bytes());
    });

    test('that is refused with an outcome brings its row and text', async () => {
      const { channel, unexpected } = await open();
      const status = await failure(channel.unary(unary('Refuse'), bytes(), options));
      expect(status.code).toBe(RpcCode.NOT_FOUND);
      expect(status.errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
      expect(status.message).toContain('no topic “orders”');
      expect(unexpected).toEqual([]);
    });

    test('whose handler breaks says nothing about the inside, and the error is reported', async () => {
      const { channel, unexpected } = await open();
      const status = await failure(channel.unary(unary('Break'), bytes(), options));
      expect(status).toEqual({
        code: RpcCode.INTERNAL,
        message: Errors.UNKNOWN_SERVER_ERROR.message,
        errorCode: -1,
      });
      expect(unexpected).toEqual([new Error('secret: /etc/passwd')]);
    });

    test('of an unknown method is UNIMPLEMENTED', async () => {
      const { channel } = await open();
      const status = await failure(channel.unary(unary('Nothing'), bytes(), options));
      expect(status.code).toBe(RpcCode.UNIMPLEMENTED);
    });

    test('that takes too long ends with DEADLINE_EXCEEDED on both sides', async () => {
      const { channel, contexts } = await open();
      const status = await failure(channel.unary(unary('Hang'), bytes(), { timeoutMs: 200 }));
      expect(status.code).toBe(RpcCode.DEADLINE_EXCEEDED);
      await until(() => contexts[0]!.signal.aborted);
    });

    test('ends when its caller aborts, and the handler learns of it', async () => {
      const { channel, contexts } = await open();
      const abort = new AbortController();
      const failed = failure(
        channel.unary(unary('Hang'), bytes(), { ...options, signal: abort.signal }),
      );
      await until(() => contexts.length > 0);
      abort.abort();
      expect((await failed).code).toBe(RpcCode.CANCELLED);
      await until(() => contexts[0]!.signal.aborted);
    });

    test('whose caller has aborted before is not made', async () => {
      const { channel, contexts } = await open();
      const signal = AbortSignal.abort();
      const failed = failure(channel.unary(unary('Hang'), bytes(), { ...options, signal }));
      expect((await failed).code).toBe(RpcCode.CANCELLED);
      expect(contexts).toEqual([]);
    });

    test('with a request that is too large is RESOURCE_EXHAUSTED', async () => {
      const { channel } = await open();
      const request = new Uint8Array(MAX_MESSAGE_BYTES + 1);
      const status = await failure(channel.unary(unary('Echo'), request, options));
      expect(status.code).toBe(RpcCode.RESOURCE_EXHAUSTED);
    });

    test('with an answer that is too large is RESOURCE_EXHAUSTED', async () => {
      const { channel } = await open();
      const status = await failure(channel.unary(unary('Large'), bytes(), options));
      expect(status.code).toBe(RpcCode.RESOURCE_EXHAUSTED);
    });

    test('fails with UNAVAILABLE when nobody listens', async () => {
      const { channel, listener } = await open();
      await listener.close(0);
      const status = await failure(channel.unary(unary('Echo'), bytes(), options));
      expect(status.code).toBe(RpcCode.UNAVAILABLE);
    });

    test('that is open when its channel closes is CANCELLED, as are later ones', async () => {
      const { channel, contexts } = await open();
      const failed = failure(channel.unary(unary('Hang'), bytes(), options));
      await until(() => contexts.length > 0);
      await channel.close();
      expect((await failed).code).toBe(RpcCode.CANCELLED);
      const later = await failure(channel.unary(unary('Echo'), bytes(), options));
      expect(later.code).toBe(RpcCode.CANCELLED);
    });

    test('that is open when its listener closes fails', async () => {
      const { channel, listener, contexts } = await open();
      const failed = failure(channel.unary(unary('Hang'), bytes(), options));
      await until(() => contexts.length > 0);
      await listener.close(10);
      expect((await failed).code).toBe(RpcCode.UNAVAILABLE);
    });
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
      expect((await server.closed()).code).toBe(RpcCode.CANCELLED);
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

  describe('closing a listener', () => {
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
