import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import { Errors } from '../../../src/model/errors.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import {
  call,
  HandlerTable,
  type Method,
  openStream,
  type TypedStream,
} from '../../../src/rpc/method.ts';
import { RpcCode, type RpcError, type RpcStatus } from '../../../src/rpc/transport.ts';
import { bytes, connectOptions, listenOptions, until } from './transport-world.ts';

/** Numbers of one byte; 255 is not a number, and 254 breaks the decoder. */
const number = {
  encode: (value: number) => bytes(value),
  decode: (encoded: Uint8Array) => {
    if (encoded[0] === 255) throw new CorruptError('255 is not a number');
    if (encoded[0] === 254) throw new TypeError('bug');
    return encoded[0]!;
  },
};
const method: Method<number, number> = { path: '/test.S/M', request: number, response: number };
const raw = { encode: (value: Uint8Array) => value, decode: (value: Uint8Array) => value };
const rawMethod: Method<Uint8Array, Uint8Array> = {
  path: '/test.S/M',
  request: raw,
  response: raw,
};

async function open(table: HandlerTable) {
  const unexpected: unknown[] = [];
  const transport = new InProcessTransport(
    { onUnexpectedError: (error) => unexpected.push(error) },
    new NodeTimers({ keepProcess: false }),
  );
  const { address } = await transport.listen('local:0', table, listenOptions);
  return { channel: transport.connect(address, connectOptions), unexpected };
}

const options = { timeoutMs: 20_000 };
const statusOf = (failed: Promise<unknown>): Promise<RpcStatus> =>
  failed.then(
    () => expect.unreachable(),
    (error: RpcError) => error.status,
  );

class Events<In> {
  readonly messages: In[] = [];
  readonly closes: RpcStatus[] = [];
  stream: TypedStream<number> | undefined;
  onMessage(message: In): void {
    this.messages.push(message);
  }
  onDrain(): void {}
  onEnd(): void {}
  onClose(status: RpcStatus): void {
    this.closes.push(status);
  }
}

describe('a call', () => {
  test('encodes what it sends and decodes what comes', async () => {
    const table = new HandlerTable();
    table.onCall(method, async (value) => value + 1);
    const { channel } = await open(table);
    expect(await call(channel, method, 7, options)).toBe(8);
  });

  test('with a malformed request is INVALID_REQUEST and never reaches its handler', async () => {
    const refused: string[] = [];
    const table = new HandlerTable((...each) => refused.push(each.join(', ')));
    table.onCall(method, async () => expect.unreachable());
    const { channel, unexpected } = await open(table);
    expect(await statusOf(call(channel, rawMethod, bytes(255), options))).toEqual({
      code: RpcCode.INVALID_ARGUMENT,
      message: 'malformed request: 255 is not a number',
      errorCode: Errors.INVALID_REQUEST.code,
    });
    expect(unexpected).toEqual([]);
    expect(refused).toEqual(['malformed request, in-process, 255 is not a number']);
  });

  test('whose decoder has a bug is INTERNAL, and the bug is reported', async () => {
    const table = new HandlerTable();
    table.onCall(method, async () => expect.unreachable());
    const { channel, unexpected } = await open(table);
    const status = await statusOf(call(channel, rawMethod, bytes(254), options));
    expect(status.code).toBe(RpcCode.INTERNAL);
    expect(unexpected).toEqual([new TypeError('bug')]);
  });

  test('whose handler meets corrupt bytes on its disk does not blame the caller', async () => {
    const table = new HandlerTable();
    table.onCall(method, async () => {
      throw new CorruptError('segment 0');
    });
    const { channel, unexpected } = await open(table);
    const status = await statusOf(call(channel, method, 1, options));
    expect(status.code).toBe(RpcCode.INTERNAL);
    expect(unexpected).toEqual([new CorruptError('segment 0')]);
  });

  test('with a malformed answer fails', async () => {
    const table = new HandlerTable();
    table.onCall(rawMethod, async () => bytes(255));
    const { channel } = await open(table);
    expect(await statusOf(call(channel, method, 1, options))).toEqual({
      code: RpcCode.INTERNAL,
      message: 'malformed answer: 255 is not a number',
    });
  });
});

describe('a stream', () => {
  test('encodes and decodes both ways', async () => {
    const table = new HandlerTable();
    table.onStream(method, (stream) => {
      const events = new Events<number>();
      events.onMessage = (value) => void stream.send(value * 2);
      return events;
    });
    const { channel } = await open(table);
    const client = new Events<number>();
    const stream = openStream(channel, method, client);
    stream.send(3);
    stream.send(4);
    await until(() => client.messages.length === 2);
    expect(client.messages).toEqual([6, 8]);
  });

  test('with a malformed request ends with INVALID_REQUEST', async () => {
    const refused: string[] = [];
    const table = new HandlerTable((...each) => refused.push(each.join(', ')));
    const server = new Events<number>();
    table.onStream(method, () => server);
    const { channel } = await open(table);
    const client = new Events<Uint8Array>();
    const stream = openStream(channel, rawMethod, client);
    for (const value of [1, 255, 2]) stream.send(bytes(value));
    await until(() => client.closes.length > 0 && server.closes.length > 0);
    expect(server.messages).toEqual([1]);
    expect(client.closes[0]).toMatchObject({ errorCode: Errors.INVALID_REQUEST.code });
    expect(refused).toEqual(['malformed request, in-process, 255 is not a number']);
  });

  test('with a malformed answer is given up by the client', async () => {
    const table = new HandlerTable();
    const server = new Events<Uint8Array>();
    table.onStream(rawMethod, (stream) => {
      stream.send(bytes(255));
      return server;
    });
    const { channel } = await open(table);
    const client = new Events<number>();
    openStream(channel, method, client);
    await until(() => client.closes.length > 0 && server.closes.length > 0);
    expect(client.messages).toEqual([]);
    expect(client.closes[0]).toMatchObject({ code: RpcCode.INTERNAL });
    expect(server.closes[0]).toMatchObject({ code: RpcCode.CANCELLED });
  });
});
