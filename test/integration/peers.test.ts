import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { crc32c } from '../../src/codec/crc32c.ts';
import { NodeClock } from '../../src/env/node-clock.ts';
import { NodeRandom } from '../../src/env/node-random.ts';
import { NodeTimers } from '../../src/env/node-timers.ts';
import { leaderEpoch, nodeId } from '../../src/model/ids.ts';
import { exchangeMethod, PEER_MESSAGE_BYTES_MAX } from '../../src/quorum/peer-frames.ts';
import { type PeerReceiver, Peers } from '../../src/quorum/peer-network.ts';
import type { Member } from '../../src/raft/configuration.ts';
import type { RaftMessage } from '../../src/raft/messages.ts';
import { GrpcTransport } from '../../src/rpc/grpc-transport.ts';
import { HandlerTable } from '../../src/rpc/method.ts';
import { roomyListener } from '../support/listen-options.ts';
import { type LogLine, recordingLogger } from '../support/recording-logger.ts';

/** Peers over real sockets, through a wire that can be cut, or swallow all without a word. */
const timers = new NodeTimers({ keepProcess: true });
const epoch = leaderEpoch(3);
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  isBlackHole = false;
  connections = 0;

  constructor(target: () => string) {
    this.#server = createServer((incoming) => {
      this.connections++;
      const [host, port] = target().split(':');
      const outgoing = createConnection(Number(port), host);
      this.#pipe(incoming, outgoing);
      this.#pipe(outgoing, incoming);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address() as { port: number };
    return `127.0.0.1:${address.port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (data) => {
      if (!this.isBlackHole) to.write(data);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

interface Side {
  readonly member: Member;
  readonly peers: Peers;
  readonly told: string[];
  readonly got: RaftMessage[];
  readonly lines: LogLine[];
  readonly refused: string[];
  readonly transport: GrpcTransport;
  address: string;
}

async function open(id: number, addressOf: () => string | undefined): Promise<Side> {
  const member = { id: nodeId(id), directoryId: `directory-${id}` };
  const unexpected: unknown[] = [];
  const transport = new GrpcTransport(
    { onUnexpectedError: (error) => unexpected.push(error) },
    { clock: new NodeClock(), timers },
  );
  const lines: LogLine[] = [];
  const refused: string[] = [];
  const parts = { timers, random: new NodeRandom(), logger: recordingLogger(lines), transport };
  const peers = new Peers(
    { self: member, address: '', heartbeatIntervalMs: 50 },
    { ...parts, addressOf, onRefused: (limit) => refused.push(limit) },
  );
  const table = new HandlerTable();
  peers.addHandlers(table);
  const limits = { ...roomyListener, maxMessageBytes: PEER_MESSAGE_BYTES_MAX };
  const listener = await transport.listen('127.0.0.1:0', table, limits);
  opened.push({ close: () => listener.close(0) }, peers);
  const told: string[] = [];
  const got: RaftMessage[] = [];
  const receiver: PeerReceiver = {
    received: (_from, _to, message) => got.push(message),
    reachable: (peer) => told.push(`reachable ${peer.id}`),
    unreachable: (peer) => told.push(`unreachable ${peer.id}`),
  };
  peers.start('cluster', receiver);
  opened.push({ close: () => expect(unexpected).toEqual([]) });
  return { member, peers, told, got, lines, refused, transport, address: listener.address };
}

/** Node 1, whose wire to node 2 is the proxy's. */
async function openPair(): Promise<{ one: Side; two: Side; proxy: TcpProxy }> {
  const two = await open(2, () => undefined);
  const proxy = new TcpProxy(() => two.address);
  opened.push(proxy);
  const through = await proxy.listen();
  const one = await open(1, () => through);
  return { one, two, proxy };
}

const until = async (check: () => boolean): Promise<void> => {
  while (!check()) await new Promise<void>((resolve) => timers.after(5, resolve));
};

const heartbeat = (round: number): RaftMessage => ({
  ...{ kind: 'heartbeat', epoch, commitIndex: 0, round },
});
const append = (bytes: number): RaftMessage => ({
  ...{ kind: 'append', epoch, commitIndex: 0, prev: { index: 0, epoch } },
  entries: [{ kind: 'command', index: 1, epoch, bytes: new Uint8Array(bytes).fill(7) }],
});

/** To compare without looking at each byte in turn. */
function checksum(message: RaftMessage): string {
  const [entry] = message.kind === 'append' ? message.entries : [];
  if (entry?.kind !== 'command') return message.kind;
  return `${entry.bytes.length} ${crc32c(entry.bytes)}`;
}

test('messages of all sizes arrive in order over sockets', async () => {
  const { one, two } = await openPair();
  one.peers.send(two.member, heartbeat(1));
  await until(() => one.told.includes('reachable 2'));
  const sizes = [0, 1, 100_000, 1_000_000, 3_000_000, 2_000_000, 5];
  for (const size of sizes) one.peers.send(two.member, append(size));
  await until(() => two.got.length > sizes.length);
  expect(two.got.slice(1).map(checksum)).toEqual(sizes.map((size) => checksum(append(size))));
  expect(one.told).toEqual(['reachable 2']);
});

test('the largest entry arrives', async () => {
  const { one, two } = await openPair();
  one.peers.send(two.member, heartbeat(1));
  await until(() => one.told.includes('reachable 2'));
  const largest = append(32 * 1024 * 1024);
  one.peers.send(two.member, largest);
  await until(() => two.got.some((message) => message.kind === 'append'));
  expect(checksum(two.got.at(-1)!)).toBe(checksum(largest));
});

test('a connection that is cut comes again', async () => {
  const { one, two, proxy } = await openPair();
  one.peers.send(two.member, heartbeat(1));
  await until(() => one.told.length === 1);
  proxy.cut();
  await until(() => one.told.length === 3);
  expect(one.told).toEqual(['reachable 2', 'unreachable 2', 'reachable 2']);
  one.peers.send(two.member, heartbeat(2));
  await until(() => two.got.some((message) => message.kind === 'heartbeat' && message.round === 2));
  expect(proxy.connections).toBeGreaterThan(1);
});

test('a connection that swallows everything without a word is given up, and made anew', async () => {
  const { one, two, proxy } = await openPair();
  one.peers.send(two.member, heartbeat(1));
  await until(() => one.told.length === 1);
  proxy.isBlackHole = true;
  await until(() => one.told.length === 2);
  proxy.isBlackHole = false;
  await until(() => one.told.length === 3);
  expect(one.told).toEqual(['reachable 2', 'unreachable 2', 'reachable 2']);
  one.peers.send(two.member, heartbeat(2));
  await until(() => two.got.some((message) => message.kind === 'heartbeat' && message.round === 2));
});

test('noise and oversized messages end their stream and are told of, and nothing else', async () => {
  const { one, two } = await openPair();
  one.peers.send(two.member, heartbeat(1));
  await until(() => two.got.length === 1);
  const channel = one.transport.connect(two.address, { maxMessageBytes: 1024 });
  opened.push(channel);
  const closes: string[] = [];
  const send = (message: Uint8Array): void => {
    const stream = channel.stream(exchangeMethod.path, {
      ...{ onMessage() {}, onDrain() {}, onEnd() {} },
      onClose: ({ message: text }) => closes.push(text),
    });
    stream.send(message);
  };
  send(Uint8Array.of(1, 2, 3));
  send(new Uint8Array(PEER_MESSAGE_BYTES_MAX + 1));
  await until(() => closes.length === 2 && two.refused.length === 2);
  expect(two.refused).toEqual(['stream without a hello', 'stream without a hello']);
  expect(two.lines).toEqual([]);
  one.peers.send(two.member, heartbeat(2));
  await until(() => two.got.length === 2);
  expect(one.told).toEqual(['reachable 2']);
});
