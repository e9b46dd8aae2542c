import { afterEach, expect, test } from 'vitest';
import { memoryEnv } from '../../src/env/memory-env.ts';
import { NodeTimers } from '../../src/env/node-timers.ts';
import { randomId } from '../../src/env/random-id.ts';
import { type NodeId, nodeId } from '../../src/model/ids.ts';
import { beginStorage } from '../../src/quorum/begin-storage.ts';
import { Forming } from '../../src/quorum/forming-driver.ts';
import { PEER_MESSAGE_BYTES_MAX } from '../../src/quorum/peer-frames.ts';
import { Peers } from '../../src/quorum/peer-network.ts';
import { QuorumDriver } from '../../src/quorum/quorum-driver.ts';
import { RaftStorage, startState } from '../../src/quorum/raft-storage.ts';
import type { Entry } from '../../src/raft/entry.ts';
import { DEFAULT_RAFT_CONFIG } from '../../src/raft/raft-config.ts';
import { GrpcTransport } from '../../src/rpc/grpc-transport.ts';
import { HandlerTable } from '../../src/rpc/method.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { roomyListener } from '../support/listen-options.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const limits = { ...roomyListener, maxMessageBytes: PEER_MESSAGE_BYTES_MAX };
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const unexpected: unknown[] = [];

interface Node {
  readonly clusterId: string;
  readonly driver: QuorumDriver;
  readonly applied: string[];
}

/** Listens, and tells its address to all by `voters`; what is returned starts the node. */
async function prepare(id: NodeId, voters: Map<NodeId, string>): Promise<() => Promise<Node>> {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  const self = { id, directoryId: randomId(env.random) };
  const { storage } = await RaftStorage.open(env, '/data');
  const transport = new GrpcTransport(
    { onUnexpectedError: (error) => unexpected.push(error) },
    { ...env, timers: new NodeTimers({ keepProcess: true }) },
  );
  const common = { ...env, logger: silentLogger, transport };
  const peers = new Peers(
    { self, address: '', heartbeatIntervalMs: 100 },
    { ...common, addressOf: (one) => voters.get(one), onRefused: () => {} },
  );
  const forming = new Forming(
    { self, clusterId: '', voters, address: '' },
    {
      ...common,
      begin: ({ initial }) => beginStorage(storage, initial),
      heardOf: (member, at) => peers.learnAddress(member, at),
    },
  );
  const table = new HandlerTable();
  peers.addHandlers(table);
  forming.addHandlers(table);
  const listener = await transport.listen('127.0.0.1:0', table, limits);
  voters.set(id, listener.address);
  opened.push({ close: () => listener.close(0) }, peers, forming);
  return async () => {
    const { clusterId, initial } = await forming.run();
    const applied: string[] = [];
    const driver = new QuorumDriver(
      {
        ...{ self, raft: { ...DEFAULT_RAFT_CONFIG, electionTicks: 20 }, tickMs: 50 },
        snapshotIntervalEntries: 1_000,
        onFatal: (error) => unexpected.push(error),
      },
      startState(storage, undefined),
      {
        ...{ ...env, logger: silentLogger, storage, network: peers },
        machine: {
          apply: (entries: readonly Entry[]) => {
            for (const each of entries) {
              if (each.kind === 'command') applied.push(textOf(each.bytes));
            }
          },
          restore: () => {},
          became: () => {},
        },
      },
    );
    opened.push(driver);
    const formed = () => ({
      ...{ clusterId, initial: initial!, current: driver.status.configuration },
      leader: undefined,
    });
    forming.serve({ formed, onJoin: () => Promise.resolve() });
    peers.start(clusterId, driver);
    driver.start();
    return { clusterId, driver, applied };
  };
}

test('three nodes form a cluster over sockets and replicate', async () => {
  const voters = new Map<NodeId, string>();
  const starts: (() => Promise<Node>)[] = [];
  for (const id of [1, 2, 3]) starts.push(await prepare(nodeId(id), voters));
  const nodes = await Promise.all(starts.map((start) => start()));
  expect(new Set(nodes.map(({ clusterId }) => clusterId)).size).toBe(1);

  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
  const leader = (): QuorumDriver | undefined =>
    nodes.find(({ driver }) => driver.status.role === 'leader')?.driver;
  while (leader() === undefined) await turn();
  const texts = Array.from({ length: 50 }, (_, i) => `entry ${i}`);
  const last = texts.map((text) => leader()!.propose(bytesOf(text)).index).at(-1)!;
  await leader()!.committed(last);
  while (nodes.some(({ applied }) => applied.length < texts.length)) await turn();
  for (const { applied } of nodes) expect(applied).toEqual(texts);
  expect(unexpected).toEqual([]);
});
