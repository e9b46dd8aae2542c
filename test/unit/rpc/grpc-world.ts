import { readFileSync } from 'node:fs';
import { NodeClock } from '../../../src/env/node-clock.ts';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import type { Timers } from '../../../src/env/ports.ts';
import { GrpcTransport } from '../../../src/rpc/grpc-transport.ts';
import type {
  Channel,
  Listener,
  ListenOptions,
  RpcError,
  TlsOptions,
} from '../../../src/rpc/transport.ts';
import {
  bytes,
  connectOptions,
  handlers,
  listenOptions,
  type ServerSide,
} from './transport-world.ts';

export const clock: NodeClock = new NodeClock();
export const timers: NodeTimers = new NodeTimers({ keepProcess: false });

/** Timers that shorten delays of `ms`. */
export const hurried = (ms: number): Timers => ({
  after: (delayMs, fn) => timers.after(delayMs === ms ? 20 : delayMs, fn),
  nextTurn: (fn) => timers.nextTurn(fn),
});

/** Closed after each test, the youngest first. */
export const opened: { close(): Promise<void> }[] = [];
export async function closeOpened(): Promise<void> {
  for (const one of opened.splice(0).reverse()) await one.close();
}

export const pem = (name: string): Uint8Array =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));
export const ca = pem('ca.crt');
export const identity = (name: string): TlsOptions => ({
  cert: pem(`${name}.crt`),
  key: pem(`${name}.key`),
});

export interface Opened {
  readonly transport: GrpcTransport;
  readonly listener: Listener;
  readonly streams: ServerSide[];
  readonly unexpected: unknown[];
  connect(tls?: TlsOptions, host?: string): Channel;
}

export async function openGrpc(
  options: Partial<ListenOptions> = {},
  { address = '127.0.0.1:0', ownTimers = timers as Timers } = {},
): Promise<Opened> {
  const streams: ServerSide[] = [];
  const unexpected: unknown[] = [];
  const transport = new GrpcTransport(
    { onUnexpectedError: (error) => unexpected.push(error) },
    { clock, timers: ownTimers },
  );
  const listener = await transport.listen(address, handlers({ streams, contexts: [] }), {
    ...listenOptions,
    ...options,
  });
  opened.push({ close: () => listener.close(0) });
  const connect = (tls?: TlsOptions, host?: string): Channel => {
    const port = listener.address.slice(listener.address.lastIndexOf(':'));
    const target = host === undefined ? listener.address : host + port;
    const channel = transport.connect(target, {
      ...connectOptions,
      ...(tls === undefined ? {} : { tls }),
    });
    opened.push(channel);
    return channel;
  };
  return { transport, listener, streams, unexpected, connect };
}

export const echo = async (channel: Channel): Promise<unknown> => {
  try {
    return await channel.unary('/test.Service/Echo', bytes(1), { timeoutMs: 20_000 });
  } catch (error) {
    return (error as RpcError).status.code;
  }
};
