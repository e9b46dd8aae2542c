import * as http2 from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/broker/memory-budget.ts';
import { Errors } from '../../../src/model/errors.ts';
import type { ListenOptions } from '../../../src/rpc/transport.ts';
import { Outbox, UnsentMessages } from '../../../src/rpc/unsent-messages.ts';
import { closeOpened, echo, hurried, type Opened, opened, openGrpc } from './grpc-world.ts';
import { bytes, type ServerSide, STREAM, unaryPath, until } from './transport-world.ts';

afterEach(closeOpened);

const KIB = 1024;
const MIB = 1024 * KIB;

interface Refusing extends Opened {
  readonly refused: string[];
  readonly memory: MemoryBudget;
}

async function openRefusing(options: Partial<ListenOptions> = {}): Promise<Refusing> {
  const refused: string[] = [];
  const memory = new MemoryBudget(8 * MIB);
  const onRefused = (limit: string): unknown => refused.push(limit);
  // A call that fails waits for so long for its client to take what it was sent.
  const ownTimers = hurried(5_000);
  const world = await openGrpc({ memory, onRefused, ...options }, { ownTimers });
  return { ...world, refused, memory };
}

/** A call on a connection of its own, whose client takes nothing until it opens the window. */
function openCall(world: Opened, path: string, windowBytes = 0): http2.ClientHttp2Stream {
  const session = http2.connect(`http://${world.listener.address}`, {
    settings: { initialWindowSize: windowBytes },
  });
  session.on('error', () => {});
  opened.push({ close: async () => session.destroy() });
  const request = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  request.on('error', () => {});
  return request;
}

async function openStream(world: Opened, windowBytes = 0): Promise<ServerSide> {
  const count = world.streams.length;
  openCall(world, STREAM, windowBytes);
  await until(() => world.streams.length > count);
  return world.streams.at(-1)!;
}

const send = (side: ServerSide, messages: number, messageBytes: number): void => {
  for (let i = 0; i < messages; i++) side.stream.send(new Uint8Array(messageBytes));
};

describe('what waits to be sent', () => {
  test('ends the call of the oldest message when all of it is too much, however little that is', async () => {
    const world = await openRefusing();
    const oldest = await openStream(world);
    send(oldest, 1, 10);
    const others: ServerSide[] = [];
    // None of them has so much that it is asked to wait.
    for (let i = 0; i < 10; i++) others.push(await openStream(world));
    for (const other of others) send(other, 10, 128 * KIB);
    expect((await oldest.closed()).errorCode).toBe(Errors.BROKER_OVERLOADED.code);
    expect((await others[0]!.closed()).errorCode).toBe(Errors.BROKER_OVERLOADED.code);
    expect(others.slice(1).flatMap(({ closes }) => closes)).toEqual([]);
    expect(world.refused).toEqual(['queued.max.request.bytes', 'queued.max.request.bytes']);
    expect(world.memory.usedBytes).toBeLessThanOrEqual(12 * MIB);
    expect(world.unexpected).toEqual([]);
  });

  test('does not end a call that sends much and is read', async () => {
    const world = await openRefusing();
    const read = await openStream(world, 1024 * MIB);
    const stuck = await openStream(world);
    send(stuck, 1, MIB);
    for (let i = 0; i < 40; i++) {
      send(read, 1, 512 * KIB);
      await until(() => world.memory.usedBytes < 2 * MIB);
    }
    expect([...read.closes, ...stuck.closes]).toEqual([]);
  });

  test('ends its call by name when the client does not take it, however little it is', async () => {
    const world = await openRefusing({ stalledReaderMs: 100 });
    const stuck = await openStream(world);
    const idle = await openStream(world);
    send(stuck, 1, 10);
    const status = await stuck.closed();
    expect(status.errorCode).toBe(Errors.SLOW_READER.code);
    expect(status.message).toContain('grpc.stalled.reader.ms');
    // Who has nothing to take may be idle.
    expect(idle.closes).toEqual([]);
    expect(world.refused).toEqual(['grpc.stalled.reader.ms']);
    // What the idle call itself takes.
    expect(world.memory.usedBytes).toBe(16 * KIB);
  });

  test('counts also when it is the answer of a unary call', async () => {
    const world = await openRefusing({ stalledReaderMs: 100 });
    const request = openCall(world, unaryPath('Large'), 10);
    request.end(Buffer.alloc(5));
    await until(() => world.memory.usedBytes > MIB);
    await until(() => request.closed);
    expect(world.refused).toEqual(['grpc.stalled.reader.ms']);
    await until(() => world.memory.usedBytes === 0);
    expect(await echo(world.connect())).toEqual(bytes(1));
    expect(world.unexpected).toEqual([]);
  });

  test('is not charged any more when its call has ended', () => {
    const memory = new MemoryBudget(MIB);
    const unsent = new UnsentMessages({ memory, stalledReaderMs: 100, onRefused: () => {} });
    const call = { peer: '', fail() {}, cut() {} };
    const outbox = new Outbox(call, unsent);
    const left: (() => void)[] = [];
    const keep = (callback: () => void): unknown => left.push(callback);
    for (const size of [3, 4]) outbox.send(size, keep);
    left[0]!();
    expect(memory.usedBytes).toBe(4);
    outbox.close();
    outbox.send(5, keep);
    expect([memory.usedBytes, left.length]).toEqual([0, 3]);
    for (const callback of left.slice(1)) callback();
    expect(memory.usedBytes).toBe(0);
  });
});
