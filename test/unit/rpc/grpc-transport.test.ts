import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { NodeClock } from '../../../src/env/node-clock.ts';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import type { Timers } from '../../../src/env/ports.ts';
import { Errors } from '../../../src/model/errors.ts';
import { GrpcTransport } from '../../../src/rpc/grpc-transport.ts';
import {
  type Channel,
  type Listener,
  type ListenOptions,
  RpcCode,
  type RpcError,
  type TlsOptions,
} from '../../../src/rpc/transport.ts';
import {
  bytes,
  connectOptions,
  handlers,
  listenOptions,
  Recorder,
  type ServerSide,
  STREAM,
  transportContract,
  until,
} from './transport-contract.ts';

const clock = new NodeClock();
const timers = new NodeTimers();

describe('the gRPC transport', () => {
  transportContract(
    (onUnexpectedError) => new GrpcTransport({ onUnexpectedError }, { clock, timers }),
  );
});

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const pem = (name: string): Uint8Array =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const ca = pem('ca.crt');
const identity = (name: string): TlsOptions => ({
  cert: pem(`${name}.crt`),
  key: pem(`${name}.key`),
});

interface Opened {
  readonly transport: GrpcTransport;
  readonly listener: Listener;
  readonly streams: ServerSide[];
  readonly unexpected: unknown[];
  connect(tls?: TlsOptions, host?: string): Channel;
}

async function open(
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

const echo = async (channel: Channel): Promise<unknown> => {
  try {
    return await channel.unary('/test.Service/Echo', bytes(1), { timeoutMs: 20_000 });
  } catch (error) {
    return (error as RpcError).status.code;
  }
};

describe('addresses', () => {
  test('may be IPv6, for listening, connecting and as the peer', async () => {
    const { listener, connect, streams } = await open({}, { address: '[::1]:0' });
    expect(listener.address).toMatch(/^\[::1\]:[1-9]\d*$/);
    const channel = connect();
    expect(await echo(channel)).toEqual(bytes(1));
    channel.stream(STREAM, new Recorder());
    await until(() => streams.length > 0);
    expect(streams[0]!.context.peer).toMatch(/^\[::1\]:\d+$/);
  });

  test('that are in use are refused by name', async () => {
    const { transport, listener } = await open();
    const again = transport.listen(
      listener.address,
      handlers({ streams: [], contexts: [] }),
      listenOptions,
    );
    await expect(again).rejects.toThrow(`cannot listen on ${listener.address}: `);
  });

  test('that are none are refused at once', async () => {
    const { transport } = await open();
    expect(() => transport.connect('unix:/tmp/socket', connectOptions)).toThrow(/not HOST:PORT/);
  });
});

describe('TLS', () => {
  test('serves a client that trusts the authority, by name and by number', async () => {
    const { connect } = await open({ tls: identity('server') });
    expect(await echo(connect({ ca }))).toEqual(bytes(1));
    expect(await echo(connect({ ca }, 'localhost'))).toEqual(bytes(1));
  });

  test('serves IPv6 numbers too', async () => {
    const { connect } = await open({ tls: identity('server') }, { address: '[::1]:0' });
    expect(await echo(connect({ ca }))).toEqual(bytes(1));
  });

  test('does not reach a server whose authority the client does not trust', async () => {
    const { connect } = await open({ tls: identity('server') });
    expect(await echo(connect({ ca: pem('other-ca.crt') }))).toBe(RpcCode.UNAVAILABLE);
    expect(await echo(connect({}))).toBe(RpcCode.UNAVAILABLE);
  });

  test('does not talk to a server whose certificate is for another host', async () => {
    const { connect } = await open({ tls: identity('elsewhere') });
    expect(await echo(connect({ ca }))).toBe(RpcCode.UNAVAILABLE);
    expect(await echo(connect({ ca }, 'localhost'))).toBe(RpcCode.UNAVAILABLE);
  });

  test('does not mix with plaintext in either direction', async () => {
    const secure = await open({ tls: identity('server') });
    expect(await echo(secure.connect())).toBe(RpcCode.UNAVAILABLE);
    const plain = await open();
    expect(await echo(plain.connect({ ca }))).toBe(RpcCode.UNAVAILABLE);
  });

  test('with client certificates lets in only those that the authority signed', async () => {
    const { connect } = await open({ tls: { ...identity('server'), ca } });
    expect(await echo(connect({ ca, ...identity('client') }))).toEqual(bytes(1));
    expect(await echo(connect({ ca }))).toBe(RpcCode.UNAVAILABLE);
    expect(await echo(connect({ ca, ...identity('stranger') }))).toBe(RpcCode.UNAVAILABLE);
  });

  test('needs a certificate with its key on a listener', async () => {
    await expect(open({ tls: { cert: pem('server.crt') } })).rejects.toThrow(
      'a TLS listener needs a certificate and its private key',
    );
  });
});

describe('the HTTP/2 connection', () => {
  test('offers a receive window of 4 MiB on streams and connection', async () => {
    const { listener, unexpected } = await open();
    const session = http2.connect(`http://${listener.address}`);
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.initialWindowSize).toBe(4 * 1024 * 1024);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
    await until(() => session.state.remoteWindowSize === 4 * 1024 * 1024);
    session.destroy();
    expect(unexpected).toEqual([]);
  });

  test('survives bytes that are no HTTP/2, and the server goes on', async () => {
    const { listener, connect, unexpected } = await open();
    const [host, port] = listener.address.split(':');
    const socket = net.connect(Number(port), host);
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(100));
    await once(socket, 'close');
    expect(await echo(connect())).toEqual(bytes(1));
    expect(unexpected).toEqual([]);
  });

  test('may bring thousands of messages in one frame; pausing and resuming still holds', async () => {
    const { listener, streams } = await open();
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

  test('that breaks closes its streams on both sides', async () => {
    const { listener, streams, transport } = await open();
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

  test('resets a stream whose reader never takes what stands before the error', async () => {
    const hurried: Timers = {
      after: (ms, fn) => timers.after(ms === 5_000 ? 20 : ms, fn),
      nextTurn: (fn) => timers.nextTurn(fn),
    };
    const { connect, streams } = await open({}, { ownTimers: hurried });
    const client = new Recorder();
    const stream = connect().stream(STREAM, client);
    await until(() => streams.length > 0);
    const server = streams[0]!;
    stream.pause();
    // More than the window, the read-ahead and the sockets hold.
    for (let i = 0; i < 100; i++) server.stream.send(new Uint8Array(1024 * 1024));
    server.stream.fail({ code: RpcCode.RESOURCE_EXHAUSTED, message: 'slow' });
    expect((await server.closed()).code).toBe(RpcCode.RESOURCE_EXHAUSTED);
    expect((await client.closed()).code).toBe(RpcCode.CANCELLED);
  });
});

describe('outcomes', () => {
  test('stand in trailers that any gRPC client can read', async () => {
    const { listener } = await open();
    const client = new grpc.Client(listener.address, grpc.credentials.createInsecure());
    const error = await new Promise<grpc.ServiceError>((resolve) => {
      const same = (value: Buffer): Buffer => value;
      client.makeUnaryRequest('/test.Service/Refuse', same, same, Buffer.alloc(0), (failed) =>
        resolve(failed!),
      );
    });
    client.close();
    expect(error.code).toBe(grpc.status.NOT_FOUND);
    expect(error.details).toMatch(/^no topic “orders”/);
    expect(error.metadata.get('varve-error-code')).toEqual(['3']);
    expect(error.metadata.get('varve-error-name')).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
    expect(error.metadata.get('varve-error-retriable')).toEqual(['true']);
  });

  test('with very long texts still arrive, shortened', async () => {
    const { connect, streams } = await open();
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

describe('the standard services', () => {
  const SERVING = 1;
  const NOT_SERVING = 2;
  // biome-ignore lint/suspicious/noExplicitAny: clients made at run time have no types
  type AnyClient = any;

  function clientOf(address: string, file: string, name: string): AnyClient {
    const root = grpc.loadPackageDefinition(loadSync(file)) as AnyClient;
    const Service = name.split('.').reduce((scope, part) => scope[part], root);
    const client = new Service(address, grpc.credentials.createInsecure());
    opened.push({ close: async () => client.close() });
    return client;
  }

  const health = (client: AnyClient, service: string): Promise<unknown> =>
    new Promise((resolve) => {
      client.check({ service }, (error: grpc.ServiceError | null, answer: { status: unknown }) =>
        resolve(error === null ? answer.status : error.code),
      );
    });

  test('tell the health of the server and of each service', async () => {
    const { listener } = await open();
    const client = clientOf(listener.address, healthProto, 'grpc.health.v1.Health');
    expect(await health(client, '')).toBe(SERVING);
    expect(await health(client, 'test.Service')).toBe(SERVING);
    expect(await health(client, 'test.Nothing')).toBe(grpc.status.NOT_FOUND);
    listener.setServing(false);
    expect(await health(client, '')).toBe(NOT_SERVING);
    expect(await health(client, 'test.Service')).toBe(NOT_SERVING);
    listener.setServing(true);
    expect(await health(client, '')).toBe(SERVING);
  });

  test('tell who watches that the server is closing, and do not hold that up', async () => {
    const { listener } = await open();
    const client = clientOf(listener.address, healthProto, 'grpc.health.v1.Health');
    const watch = client.watch({ service: '' });
    const told: unknown[] = [];
    watch.on('data', (answer: { status: unknown }) => told.push(answer.status));
    watch.on('error', (error: grpc.ServiceError) => told.push(error.code));
    await until(() => told.length === 1);
    // The grace is longer than this test may take.
    await listener.close(3_600_000);
    await until(() => told.length === 3);
    expect(told).toEqual([SERVING, NOT_SERVING, grpc.status.UNAVAILABLE]);
  });

  for (const version of ['v1', 'v1alpha']) {
    test(`tell what the server serves by reflection ${version}`, async () => {
      const { listener } = await open({
        reflection: ['varve/v1/log.proto', 'varve/v1/admin.proto'],
      });
      const file = new URL(
        `../build/proto/grpc/reflection/${version}/reflection.proto`,
        import.meta.resolve('@grpc/reflection').replace(/build\/.*/, 'build/'),
      );
      const client = clientOf(
        listener.address,
        file.pathname,
        `grpc.reflection.${version}.ServerReflection`,
      );
      const call = client.serverReflectionInfo();
      const answers: AnyClient[] = [];
      call.on('data', (answer: AnyClient) => answers.push(answer));
      call.write({ listServices: '*' });
      call.write({ fileContainingSymbol: 'varve.v1.LogService' });
      await until(() => answers.length === 2);
      call.end();
      const names = answers[0].listServicesResponse.service.map((one: AnyClient) => one.name);
      expect(names).toEqual(
        expect.arrayContaining([
          'varve.v1.LogService',
          'varve.v1.AdminService',
          'grpc.health.v1.Health',
        ]),
      );
      expect(answers[1].fileDescriptorResponse.fileDescriptorProto.length).toBeGreaterThan(0);
    });
  }
});
