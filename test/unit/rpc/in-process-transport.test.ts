import { describe, expect, test } from 'vitest';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import type { Timer, Timers } from '../../../src/env/ports.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import { RpcCode } from '../../../src/rpc/transport.ts';
import {
  bytes,
  connectOptions,
  handlers,
  listenOptions,
  Recorder,
  type ServerSide,
  STREAM,
  transportContract,
} from './transport-contract.ts';

describe('the in-process transport', () => {
  transportContract(
    (onUnexpectedError) => new InProcessTransport({ onUnexpectedError }, new NodeTimers()),
  );
});

/** Turns that happen when the test says so. */
class ManualTimers implements Timers {
  readonly #turns: (() => void)[] = [];

  after(): Timer {
    return { cancel() {} };
  }

  nextTurn(fn: () => void): void {
    this.#turns.push(fn);
  }

  /** Runs the turns that are due now; false if there were none. */
  turn(): boolean {
    const due = this.#turns.splice(0);
    for (const fn of due) fn();
    return due.length > 0;
  }
}

async function open(): Promise<{
  timers: ManualTimers;
  transport: InProcessTransport;
  address: string;
  streams: ServerSide[];
}> {
  const timers = new ManualTimers();
  const streams: ServerSide[] = [];
  const onUnexpectedError = (error: unknown): void => {
    throw error;
  };
  const transport = new InProcessTransport({ onUnexpectedError }, timers);
  const service = handlers({ streams, contexts: [] });
  const { address } = await transport.listen('broker-1:0', service, listenOptions);
  return { timers, transport, address, streams };
}

test('everything happens in turns, and the same turns give the same events', async () => {
  const run = async (): Promise<string[]> => {
    const { timers, transport, address, streams } = await open();
    const client = new Recorder();
    const stream = transport.connect(address, connectOptions).stream(STREAM, client);
    const trace: string[] = [];
    for (let turn = 0; turn < 30; turn++) {
      stream.send(bytes(turn));
      if (turn % 3 === 0) streams[0]?.stream.send(bytes(turn));
      if (turn % 7 === 0) stream.pause();
      if (turn % 7 === 3) stream.resume();
      if (turn === 20) streams[0]?.stream.end();
      trace.push(`${client.told.length} ${streams[0]?.told.length ?? '-'}`);
      timers.turn();
    }
    while (timers.turn());
    return [...trace, ...client.told, '|', ...(streams[0]?.told ?? [])];
  };
  const trace = await run();
  expect(trace).toEqual(await run());
  expect(trace.at(-1)).toBe('close');
});

test('a message is handed over, not copied', async () => {
  const { timers, transport, address, streams } = await open();
  const stream = transport.connect(address, connectOptions).stream(STREAM, new Recorder());
  const message = bytes(1, 2, 3);
  stream.send(message);
  while (timers.turn());
  expect(streams[0]!.messages[0]).toBe(message);
});

test('port 0 picks one that is free, and an address in use is refused', async () => {
  const { transport, address } = await open();
  const service = handlers({ streams: [], contexts: [] });
  const second = await transport.listen('broker-1:0', service, listenOptions);
  expect(second.address).not.toBe(address);
  await expect(transport.listen(address, service, listenOptions)).rejects.toThrow(
    `cannot listen on ${address}: it is in use`,
  );
  await second.close(0);
  const third = await transport.listen(second.address, service, listenOptions);
  expect(third.address).toBe(second.address);
});

test('another instance is another network', async () => {
  const here = await open();
  const there = await open();
  const client = new Recorder();
  const address = here.address.replace('broker-1', 'broker-2');
  there.transport.connect(address, connectOptions).stream(STREAM, client);
  while (there.timers.turn());
  expect(client.closes).toEqual([
    { code: RpcCode.UNAVAILABLE, message: `nothing listens on ${address} in this process` },
  ]);
});

test('a channel finds a listener that came after it', async () => {
  const { timers, transport, address, streams } = await open();
  const channel = transport.connect('broker-9:1000', connectOptions);
  const service = handlers({ streams, contexts: [] });
  await transport.listen('broker-9:1000', service, listenOptions);
  channel.stream(STREAM, new Recorder());
  while (timers.turn());
  expect(streams).toHaveLength(1);
  expect(address).not.toBe('broker-9:1000');
});
