import { expect, test } from 'vitest';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import {
  exchangeMethod,
  PEER_MESSAGE_BYTES_MAX,
  PROTOCOL_VERSION,
  Refusal,
} from '../../../src/quorum/peer-frames.ts';
import { PeerLink } from '../../../src/quorum/peer-link.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import { HandlerTable } from '../../../src/rpc/method.ts';
import { RpcCode } from '../../../src/rpc/transport.ts';
import { Scheduler } from '../../simulation/env/scheduler.ts';
import { SimulatedMachine } from '../../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { Wires } from '../../simulation/quorum/wires.ts';
import { SimulatedNetwork } from '../../simulation/simulated-network.ts';
import { roomyListener } from '../../support/listen-options.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { ScriptedPeer } from '../../support/scripted-peer.ts';

const self = { id: nodeId(1), directoryId: 'one' };
const peer = { id: nodeId(2), directoryId: 'two' };
const epoch = leaderEpoch(3);
const MIB = 1024 * 1024;
const options = { ...roomyListener, maxMessageBytes: PEER_MESSAGE_BYTES_MAX };

const heartbeat = (round: number): RaftMessage => ({
  ...{ kind: 'heartbeat', epoch, commitIndex: 0, round },
});
const append = (bytes: number): RaftMessage => ({
  ...{ kind: 'append', epoch, commitIndex: 0, prev: { index: 0, epoch } },
  entries: [{ kind: 'command', index: 1, epoch, bytes: new Uint8Array(bytes) }],
});

/** A link to a peer that does only what it is told, on virtual time. */
async function openWorld({ isListening = true } = {}) {
  const random = new SimulatedRandom(1);
  const scheduler = new Scheduler(random);
  const wires = new Wires(
    new SimulatedNetwork(scheduler, random, (error) => {
      throw error;
    }),
  );
  const machineOf = (name: string) => new SimulatedMachine({ seed: 1, name, scheduler });
  const here = machineOf('here');
  const there = machineOf('there');
  const scripted = new ScriptedPeer();
  const listen = async (): Promise<void> => {
    const table = new HandlerTable();
    table.streams.set(exchangeMethod.path, scripted.open);
    const end = wires.endOf('there:1', there.incarnation, there.env.timers);
    await scheduler.complete(end.listen('there:1', table, options));
  };
  if (isListening) await listen();
  const told: string[] = [];
  const lines: LogLine[] = [];
  const world = {
    ...{ scheduler, wires, scripted, told, lines, there, listen },
    address: 'there:1',
  };
  const transport = wires.endOf('here:1', here.incarnation, here.env.timers);
  const link = new PeerLink(peer, {
    ...{ ...here.env, logger: recordingLogger(lines), lookMs: 300 },
    address: () => world.address,
    connect: (to) => transport.connect(to, options),
    hello: () => ({
      ...{ protocolVersion: PROTOCOL_VERSION, clusterId: 'c', from: self, to: peer, address: '' },
    }),
    reachable: () => told.push('reachable'),
    unreachable: () => told.push('unreachable'),
  });
  const pass = (ms: number) => scheduler.run(scheduler.nowMs + ms);
  return Object.assign(world, { link, pass });
}

/** The same with the hello accepted. */
async function openAccepted() {
  const world = await openWorld();
  await world.pass(50);
  world.scripted.stream.answer();
  await world.pass(50);
  expect(world.told).toEqual(['reachable']);
  return world;
}

test('a hello comes first, and nothing else until it is accepted', async () => {
  const world = await openWorld();
  for (let round = 1; round <= 3; round++) world.link.send(heartbeat(round));
  world.link.send(append(10));
  await world.pass(50);
  expect(world.scripted.stream.kinds).toEqual(['hello']);
  expect(world.told).toEqual([]);
  world.scripted.stream.answer();
  await world.pass(50);
  // The newest heartbeat has waited, and no entries.
  expect(world.scripted.stream.kinds).toEqual(['hello', 'heartbeat']);
  expect(world.scripted.stream.frames[1]).toEqual({ kind: 'raft', message: heartbeat(3) });
  expect(world.told).toEqual(['reachable']);
});

test('what tells a peer to campaign at once does not wait for it', async () => {
  const world = await openWorld({ isListening: false });
  world.link.send({ kind: 'timeout-now', epoch });
  await world.pass(10_000);
  await world.listen();
  await world.scheduler.run(() => world.scripted.streams.length > 0);
  await world.pass(50);
  world.scripted.stream.answer();
  await world.pass(50);
  expect(world.told).toEqual(['reachable']);
  expect(world.scripted.stream.kinds).toEqual(['hello']);
});

test('bulk waits for the window of the peer, heartbeats do not', async () => {
  const world = await openAccepted();
  for (let i = 0; i < 5; i++) world.link.send(append(MIB));
  world.link.send(heartbeat(1));
  await world.pass(50);
  const { stream } = world.scripted;
  expect(stream.kinds).toEqual(['hello', 'append', 'append', 'heartbeat']);
  stream.answer();
  await world.pass(50);
  expect(stream.kinds).toEqual(['hello', 'append', 'append', 'heartbeat', 'append', 'append']);
  stream.answer();
  await world.pass(50);
  expect(stream.kinds.filter((kind) => kind === 'append')).toHaveLength(5);
});

test('what waits is bounded; beyond it all is dropped, and that is told once', async () => {
  const world = await openAccepted();
  for (let i = 0; i < 60; i++) world.link.send(append(MIB));
  expect(world.told).toEqual(['reachable']);
  await world.pass(50);
  expect(world.told).toEqual(['reachable', 'unreachable']);
  const { stream } = world.scripted;
  stream.isAlive = true;
  for (let i = 0; i < 30; i++) {
    stream.answer();
    await world.pass(10);
  }
  expect(stream.kinds.filter((kind) => kind === 'append').length).toBeLessThan(20);
  expect(world.told).toEqual(['reachable', 'unreachable', 'reachable']);
});

test('an entry larger than all that may wait is sent', async () => {
  const world = await openAccepted();
  world.link.send(append(2 * MIB));
  world.link.send(append(15 * MIB + MIB));
  await world.pass(50);
  world.scripted.stream.answer();
  await world.pass(50);
  expect(world.scripted.stream.kinds).toEqual(['hello', 'append', 'append']);
  expect(world.told).toEqual(['reachable']);
});

test('a wire that goes dead without a word is noticed, and the peer is found again', async () => {
  const world = await openAccepted();
  world.scripted.stream.isAlive = true;
  await world.pass(10_000);
  expect(world.told).toEqual(['reachable']);
  world.wires.cut('here:1', 'there:1');
  await world.pass(2_000);
  expect(world.told).toEqual(['reachable', 'unreachable']);
  expect(world.wires.swallowed).toBeGreaterThan(0);
  world.wires.mend();
  const before = world.scripted.streams.length;
  await world.scheduler.run(() => world.scripted.streams.length > before);
  await world.pass(10);
  world.scripted.stream.answer();
  await world.pass(10);
  expect(world.told).toEqual(['reachable', 'unreachable', 'reachable']);
});

test('a slow peer with much on the way to it is not taken for dead', async () => {
  const world = await openAccepted();
  world.link.send(append(2 * MIB));
  await world.pass(2_500);
  expect(world.told).toEqual(['reachable']);
  world.scripted.stream.answer();
  world.scripted.stream.isAlive = true;
  await world.pass(10_000);
  expect(world.told).toEqual(['reachable']);
});

test('a peer that claims to have received what was never sent gains nothing', async () => {
  const world = await openAccepted();
  const { stream } = world.scripted;
  stream.receivedBytes = 10 ** 9;
  stream.answer();
  await world.pass(50);
  stream.receivedBytes = 0;
  for (let i = 0; i < 5; i++) world.link.send(append(MIB));
  await world.pass(50);
  expect(stream.kinds.filter((kind) => kind === 'append')).toHaveLength(2);
});

test('a dead peer costs an attempt now and then, two seconds apart at most', async () => {
  const world = await openWorld({ isListening: false });
  for (let second = 0; second < 100; second++) {
    world.link.send(heartbeat(second));
    world.link.send(append(MIB));
    await world.pass(1_000);
  }
  expect(world.wires.attempts).toBeGreaterThan(45);
  expect(world.wires.attempts).toBeLessThan(115);
  expect(world.lines).toHaveLength(1);
  await world.listen();
  await world.scheduler.run(() => world.scripted.streams.length > 0);
  await world.pass(10);
  world.scripted.stream.answer();
  await world.pass(10);
  expect(world.scripted.stream.kinds).toEqual(['hello', 'heartbeat']);
});

test('word of the peer ends the wait', async () => {
  const world = await openWorld({ isListening: false });
  await world.pass(60_000);
  const { attempts } = world.wires;
  world.link.heardOf();
  expect(world.wires.attempts).toBe(attempts + 1);
});

test('a refusal is logged once, not at each attempt, and again when it is another', async () => {
  const world = await openWorld();
  const refuse = async (refusal: number, detail: string): Promise<void> => {
    const before = world.scripted.streams.length;
    await world.scheduler.run(() => world.scripted.streams.length > before);
    await world.pass(5);
    world.scripted.stream.answer(refusal, detail);
    world.scripted.stream.stream.end();
  };
  await world.pass(5);
  world.scripted.stream.answer(Refusal.NOT_READY, 'starting');
  world.scripted.stream.stream.end();
  for (let i = 0; i < 5; i++) await refuse(Refusal.OTHER_CLUSTER, 'of another cluster');
  for (let i = 0; i < 5; i++) await refuse(99, 'of a later version');
  await world.pass(5);
  expect(world.lines.map(({ level, fields }) => `${level} ${fields['reason']}`)).toEqual([
    'warn of another cluster',
    'warn of a later version',
  ]);
  expect(world.told).toEqual([]);
});

test('answers that are none end the stream, and it is opened again', async () => {
  const world = await openAccepted();
  world.scripted.stream.stream.send(Uint8Array.of(255, 255, 255));
  const before = world.scripted.streams.length;
  await world.scheduler.run(() => world.scripted.streams.length > before);
  expect(world.told).toEqual(['reachable', 'unreachable']);
  expect(world.lines.at(-1)?.fields['reason']).toBe('the peer sends malformed answers');
});

test('an address that is none, or not known, is tried again', async () => {
  const world = await openAccepted();
  world.address = 'nowhere';
  world.scripted.stream.stream.fail({ code: RpcCode.UNAVAILABLE, message: 'gone' });
  await world.pass(10_000);
  world.address = 'there:1';
  const before = world.scripted.streams.length;
  await world.scheduler.run(() => world.scripted.streams.length > before);
  expect(world.lines.filter(({ level }) => level === 'warn').length).toBe(2);
});

test('a closed link is silent', async () => {
  const world = await openAccepted();
  await world.scheduler.complete(world.link.close());
  world.link.send(heartbeat(1));
  await world.pass(10_000);
  expect(world.scripted.streams).toHaveLength(1);
  expect(world.told).toEqual(['reachable']);
  expect(world.scripted.stream.isClosed).toBe(true);
});
