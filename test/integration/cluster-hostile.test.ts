import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { NodeClock } from '../../src/env/node-clock.ts';
import { NodeTimers } from '../../src/env/node-timers.ts';
import { nodeId } from '../../src/model/ids.ts';
import { introduceMethod } from '../../src/quorum/introduce-codec.ts';
import {
  type ExchangeResponse,
  exchangeMethod,
  type Hello,
  PEER_MESSAGE_BYTES_MAX,
  PROTOCOL_VERSION,
  Refusal,
} from '../../src/quorum/peer-frames.ts';
import { GrpcTransport } from '../../src/rpc/grpc-transport.ts';
import { type Channel, RpcCode } from '../../src/rpc/transport.ts';
import { ClusterProcesses, until, within } from '../support/cluster-processes.ts';

/** What strangers send to the peer port of a node that runs. */

/** How a stream has ended, and what came before. */
interface Ended {
  readonly code: RpcCode;
  readonly answers: readonly ExchangeResponse[];
}

/** Sends bytes as the first message of a stream. */
function exchange(channel: Channel, bytes: Uint8Array): Promise<Ended> {
  const answers: ExchangeResponse[] = [];
  const ended = new Promise<Ended>((resolve) => {
    const stream = channel.stream(exchangeMethod.path, {
      onMessage: (message) => answers.push(exchangeMethod.response.decode(message)),
      ...{ onDrain() {}, onEnd() {} },
      onClose: ({ code }) => resolve({ code, answers }),
    });
    stream.send(bytes);
  });
  return within(ended, 'the end of a stream');
}

/** Sends bytes on a connection of its own, and waits until the node has closed it. */
function sendRaw(address: string, bytes: Uint8Array): Promise<void> {
  const [host, port] = address.split(':') as [string, string];
  const socket = createConnection(Number(port), host, () => socket.write(bytes));
  socket.on('error', () => {}).resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return within(closed, 'the end of a connection');
}

interface Complaint {
  readonly msg: string;
  readonly reason?: string;
  /** Of what was ended: a limit, or what was wrong with it. */
  readonly limit?: string;
}

/** What a node has logged by way of warning, or worse. */
const complaints = (log: string): Complaint[] =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{') && !line.includes('"level":"info"'))
    .map((line) => JSON.parse(line));

test('what is not from a peer is refused with a line, and disturbs nobody', async () => {
  await using cluster = await ClusterProcesses.started();
  await using client = await cluster.connect();
  const { clusterId } = await client.admin().describeCluster();
  const { members, leaderEpoch, leaderId } = await client.admin().describeQuorum();
  const memberOf = (id: number) => ({
    id: nodeId(id),
    directoryId: members.find((each) => each.nodeId === id)!.directoryId,
  });
  let topics = 0;
  let isOver = false;
  const serving = (async () => {
    while (!isOver) await client.admin().createTopic({ name: `t${topics++}` });
  })();
  // It is waited for below, if all goes well.
  serving.catch(() => {});

  const target = 2;
  const address = cluster.peerAddresses.get(target)!;
  const unexpected: unknown[] = [];
  const transport = new GrpcTransport(
    { onUnexpectedError: (error) => unexpected.push(error) },
    { clock: new NodeClock(), timers: new NodeTimers({ keepProcess: true }) },
  );
  const channel = transport.connect(address, { maxMessageBytes: 1024 * 1024 });
  const lines = () => complaints(cluster.node(target).log);
  const told = (text: string) =>
    until(`a line with ${text}`, () => lines().some(({ reason }) => reason?.includes(text)));

  const ended = (limit: string) =>
    until(`a line of ${limit}`, () => lines().some((each) => each.limit === limit));

  await sendRaw(address, randomBytes(100_000));
  await sendRaw(address, Buffer.from('GET / HTTP/1.1\r\nHost: varve\r\n\r\n'));
  await ended('HTTP/2');

  const garbage = await exchange(channel, randomBytes(1_000));
  expect(garbage.code).not.toBe(RpcCode.OK);
  await until('a line', () => lines().length > 0);
  const large = await exchange(channel, new Uint8Array(PEER_MESSAGE_BYTES_MAX + 1));
  expect(large.code).toBe(RpcCode.RESOURCE_EXHAUSTED);
  await ended('grpc.message.max.bytes');
  const call = channel.unary(introduceMethod.path, randomBytes(1_000), { timeoutMs: 10_000 });
  await expect(within(call, 'a call of garbage')).rejects.toThrow();
  await ended('malformed request');

  const good: Hello = {
    ...{ protocolVersion: PROTOCOL_VERSION, clusterId, address: '' },
    ...{ from: { id: nodeId(7), directoryId: 'seven' }, to: memberOf(target) },
  };
  const hellos: readonly (readonly [refusal: number, hello: Partial<Hello>, line: string])[] = [
    [Refusal.OTHER_CLUSTER, { clusterId: 'another' }, 'not another'],
    [Refusal.ID_IN_USE, { from: { id: nodeId(target), directoryId: 'twin' } }, 'twin'],
    [Refusal.UNSUPPORTED_VERSION, { protocolVersion: 99 }, 'not 99'],
    [Refusal.NOT_ME, { to: memberOf(3) }, 'not node 3'],
  ];
  for (const [refusal, different, line] of hellos) {
    const hello = exchangeMethod.request.encode({
      kind: 'hello',
      hello: { ...good, ...different },
    });
    const { answers } = await exchange(channel, hello);
    expect(answers.map((each) => each.refusal)).toEqual([refusal]);
    await told(line);
  }
  await channel.close();

  const before = topics;
  await until('the cluster serves', () => topics > before + 2);
  isOver = true;
  await within(serving, 'the last creation');
  const after = await client.admin().describeQuorum();
  expect(after).toMatchObject({ leaderEpoch, leaderId });
  expect(after.members.every(({ heardOf }) => heardOf)).toBe(true);
  expect(unexpected).toEqual([]);
  expect(lines().every(({ msg }) => !msg.includes('unexpected'))).toBe(true);
});
