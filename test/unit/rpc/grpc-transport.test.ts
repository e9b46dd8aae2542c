import { afterEach, describe, expect, test } from 'vitest';
import { GrpcTransport } from '../../../src/rpc/grpc-transport.ts';
import { callContract } from './call-contract.ts';
import { clock, closeOpened, echo, openGrpc, timers } from './grpc-world.ts';
import { streamContract } from './stream-contract.ts';
import { bytes, connectOptions, Recorder, STREAM, until } from './transport-world.ts';

describe('the gRPC transport', () => {
  const makeTransport = (onUnexpectedError: (error: unknown) => void) =>
    new GrpcTransport({ onUnexpectedError }, { clock, timers });
  callContract(makeTransport);
  streamContract(makeTransport);
});

afterEach(closeOpened);

describe('addresses', () => {
  test('may be IPv6, for listening, connecting and as the peer', async () => {
    const { listener, connect, streams } = await openGrpc({}, { address: '[::1]:0' });
    expect(listener.address).toMatch(/^\[::1\]:[1-9]\d*$/);
    const channel = connect();
    expect(await echo(channel)).toEqual(bytes(1));
    channel.stream(STREAM, new Recorder());
    await until(() => streams.length > 0);
    expect(streams[0]!.context.peer).toMatch(/^\[::1\]:\d+$/);
  });

  test('that are none are refused at once', async () => {
    const { transport } = await openGrpc();
    expect(() => transport.connect('unix:/tmp/socket', connectOptions)).toThrow(/not HOST:PORT/);
  });
});
