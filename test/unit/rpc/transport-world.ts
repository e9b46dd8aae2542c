import { expect } from 'vitest';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { HandlerTable } from '../../../src/rpc/method.ts';
import {
  type CallContext,
  type CallOptions,
  type Channel,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type MessageStream,
  RpcError,
  type RpcStatus,
  type ServerHandlers,
  type StreamEvents,
  type Transport,
} from '../../../src/rpc/transport.ts';
import { roomyListener } from '../../support/listen-options.ts';

export const MAX_MESSAGE_BYTES: number = 1024 * 1024;
export const connectOptions: ConnectOptions = { maxMessageBytes: MAX_MESSAGE_BYTES };
export const listenOptions: ListenOptions = { ...roomyListener, ...connectOptions };

const timers = new NodeTimers({ keepProcess: false });
export const nextTurn = (): Promise<void> => new Promise((resolve) => timers.nextTurn(resolve));

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
export const unaryPath = (name: string): string => `/test.Service/${name}`;

export interface World {
  readonly listener: Listener;
  readonly channel: Channel;
  /** Streams that the server was asked for. */
  readonly streams: ServerSide[];
  readonly unexpected: unknown[];
  readonly contexts: CallContext[];
  /** Lets the method `Wait` answer. */
  release(): void;
  closeAll(): Promise<void>;
}

export function handlers(world: {
  readonly streams: ServerSide[];
  readonly contexts: CallContext[];
  readonly released?: Promise<void>;
  onOpen?: (side: ServerSide) => void;
}): ServerHandlers {
  const table = new HandlerTable();
  table.unary.set(unaryPath('Echo'), async (request, context) => {
    world.contexts.push(context);
    return request;
  });
  table.unary.set(unaryPath('Refuse'), async () => {
    throw new ApiError(Errors.UNKNOWN_TOPIC_OR_PARTITION, 'no topic “orders” \ud800');
  });
  table.unary.set(unaryPath('Break'), () => {
    throw new Error('secret: /etc/passwd');
  });
  table.unary.set(unaryPath('Hang'), (_request, context) => {
    world.contexts.push(context);
    return new Promise(() => {});
  });
  table.unary.set(unaryPath('Wait'), async (request, context) => {
    world.contexts.push(context);
    await world.released;
    return request;
  });
  table.unary.set(unaryPath('Large'), async () => new Uint8Array(MAX_MESSAGE_BYTES + 1));
  table.streams.set(STREAM, (stream, context) => {
    const side = new ServerSide(stream, context);
    world.streams.push(side);
    world.onOpen?.(side);
    return side;
  });
  return table;
}

export type MakeTransport = (onUnexpectedError: (error: unknown) => void) => Transport;

/** A listener with a channel to it. */
export async function openWorld(
  makeTransport: MakeTransport,
  onOpen?: (side: ServerSide) => void,
): Promise<World> {
  const streams: ServerSide[] = [];
  const contexts: CallContext[] = [];
  const unexpected: unknown[] = [];
  const transport = makeTransport((error) => unexpected.push(error));
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const service = handlers({
    streams,
    contexts,
    released,
    ...(onOpen === undefined ? {} : { onOpen }),
  });
  const listener = await transport.listen('127.0.0.1:0', service, listenOptions);
  const channel = transport.connect(listener.address, connectOptions);
  const closeAll = async (): Promise<void> => {
    await channel.close();
    await listener.close(0);
  };
  return { listener, channel, streams, contexts, unexpected, release, closeAll };
}

/** A stream with both of its ends. */
export async function openStream(world: World): Promise<{
  client: Recorder;
  stream: MessageStream;
  server: ServerSide;
}> {
  const client = new Recorder();
  const stream = world.channel.stream(STREAM, client);
  await until(() => world.streams.length > 0);
  return { client, stream, server: world.streams.at(-1)! };
}

/** A deadline that no test reaches. */
export const options: CallOptions = { timeoutMs: 20_000 };

/** The status that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<RpcStatus> {
  const error = await call.then(
    () => expect.unreachable('the call must fail'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RpcError);
  return (error as RpcError).status;
}
