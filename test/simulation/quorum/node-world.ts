import type { Env } from '../../../src/env/ports.ts';
import { randomId } from '../../../src/env/random-id.ts';
import { replaceFile } from '../../../src/env/replace-file.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { type NodeId, nodeId } from '../../../src/model/ids.ts';
import { beginStorage } from '../../../src/quorum/begin-storage.ts';
import type { FormedCluster } from '../../../src/quorum/forming.ts';
import { Forming } from '../../../src/quorum/forming-driver.ts';
import { PEER_MESSAGE_BYTES_MAX } from '../../../src/quorum/peer-frames.ts';
import { Peers } from '../../../src/quorum/peer-network.ts';
import { QuorumDriver } from '../../../src/quorum/quorum-driver.ts';
import { RaftStorage, startState } from '../../../src/quorum/raft-storage.ts';
import { type Configuration, isMember, type Member } from '../../../src/raft/configuration.ts';
import { DEFAULT_RAFT_CONFIG } from '../../../src/raft/raft-config.ts';
import { HandlerTable } from '../../../src/rpc/method.ts';
import { roomyListener } from '../../support/listen-options.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { Scheduler } from '../env/scheduler.ts';
import { SimulatedMachine } from '../env/simulated-env.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import { SimulatedNetwork } from '../simulated-network.ts';
import { Wires } from './wires.ts';

const TICK_MS = 50;
const HEARTBEAT_MS = 100;

/** What the data directory says of itself. */
interface Identity {
  readonly directoryId: string;
  /** Empty until the node has begun. */
  readonly clusterId: string;
  /** As formed; kept beside the log, which forgets it with its first snapshot. */
  readonly initial: Configuration | null;
}

export interface NodeSettings {
  /** The listed voters: ids, or addresses by id. */
  readonly voters?: readonly number[];
  readonly addresses?: Readonly<Record<number, string>>;
  readonly clusterId?: string;
  /** Where it listens, if not where its id does. */
  readonly address?: string;
  readonly nodeId?: number;
}

/** A machine and what runs on it. */
export interface WorldNode {
  readonly name: string;
  readonly id: NodeId;
  readonly address: string;
  member: Member | null;
  readonly settings: NodeSettings;
  machine: SimulatedMachine;
  driver: QuorumDriver | null;
  isRunning: boolean;
  /** Of all its lives. */
  readonly log: LogLine[];
  /** What strangers were refused for. */
  readonly refused: string[];
  /** Called after each durable step of its beginning; may crash it. */
  onStep: (step: string) => void;
}

const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const textOf = (value: Uint8Array): string => new TextDecoder().decode(value);
const addressOf = (id: number): string => `node-${id}:9093`;

/**
 * Nodes that form a cluster, and run Raft over streams: the real code on simulated machines and wires, put
 * together as a server does it, without brokers.
 */
export class NodeWorld {
  readonly scheduler: Scheduler;
  readonly random: SimulatedRandom;
  readonly wires: Wires;
  readonly nodes = new Map<string, WorldNode>();
  /** What any node has begun with for good. */
  readonly begun = new Map<string, string>();
  /** Commands that were applied, by index, whoever did. */
  readonly applied = new Map<number, string>();
  readonly errors: unknown[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.random = new SimulatedRandom(seed);
    this.scheduler = new Scheduler(this.random);
    const network = new SimulatedNetwork(this.scheduler, this.random, (error) =>
      this.errors.push(error),
    );
    this.wires = new Wires(network);
  }

  /** Nodes 1 to 3, the listed voters, all started. */
  static async ofThree(seed: number): Promise<NodeWorld> {
    const world = new NodeWorld(seed);
    for (const id of [1, 2, 3]) await world.add(id);
    return world;
  }

  /** A machine with an empty disk, and a process on it. */
  async add(name: number | string, settings: NodeSettings = {}): Promise<WorldNode> {
    const node = await this.addStopped(name, settings);
    this.start(node);
    return node;
  }

  async addStopped(name: number | string, settings: NodeSettings = {}): Promise<WorldNode> {
    const id = nodeId(settings.nodeId ?? Number(name));
    const node: WorldNode = {
      ...{ name: `${name}`, id, settings, address: settings.address ?? addressOf(id) },
      ...{ machine: await this.#emptyMachine(`${name}`), driver: null, isRunning: false },
      ...{ member: null, log: [], refused: [], onStep: () => {} },
    };
    this.nodes.set(node.name, node);
    return node;
  }

  node(name: number | string): WorldNode {
    return this.nodes.get(`${name}`)!;
  }

  start(node: WorldNode): void {
    node.isRunning = true;
    const { incarnation } = node.machine;
    void this.#open(node).catch((error: unknown) => {
      if (incarnation.isAlive) this.errors.push(error);
    });
  }

  crash(node: WorldNode, kind: 'process' | 'power' = 'power'): void {
    if (!node.isRunning) return;
    node.isRunning = false;
    node.driver = null;
    const { incarnation } = node.machine;
    node.machine.crash(kind);
    this.wires.died(incarnation);
    node.machine.restart();
  }

  /** Takes the disk away: a new machine under the same name and address. */
  async wipe(node: WorldNode): Promise<void> {
    this.crash(node);
    node.machine = await this.#emptyMachine(`${node.name} again ${this.random.uint32()}`);
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
    this.check();
  }

  async until(condition: () => boolean): Promise<void> {
    await this.scheduler.run(() => this.errors.length > 0 || condition());
    this.check();
  }

  /** What must not happen whatever fails: an error nobody expects, two clusters of one forming. */
  check(): void {
    if (this.errors.length > 0) throw this.errors[0];
  }

  get leader(): (WorldNode & { driver: QuorumDriver }) | undefined {
    return [...this.nodes.values()]
      .filter((node) => node.driver?.status.role === 'leader')
      .toSorted((a, b) => b.driver!.status.epoch - a.driver!.status.epoch)[0] as
      | (WorldNode & { driver: QuorumDriver })
      | undefined;
  }

  /** Appends a command and waits until all nodes in `names` have it. */
  async replicated(text: string, names: readonly (number | string)[]): Promise<void> {
    let index = 0;
    await this.until(() => {
      const { leader } = this;
      if (index > 0 && this.applied.get(index) !== text) index = 0;
      if (index === 0 && leader !== undefined) {
        index = leader.driver.propose(bytesOf(text)).index;
        this.applied.set(index, text);
      }
      const isThere = (name: number | string) =>
        (this.node(name).driver?.appliedIndex ?? 0) >= index;
      return index > 0 && names.every(isThere);
    });
  }

  logged(node: WorldNode, part: string): LogLine[] {
    return node.log.filter((line) => JSON.stringify(line).includes(part));
  }

  async #emptyMachine(name: string): Promise<SimulatedMachine> {
    const { scheduler } = this;
    const machine = new SimulatedMachine({ seed: this.#seed, name, scheduler });
    const { files } = machine.env;
    await scheduler.complete(files.makeDirectory('/data').then(() => files.syncDirectory('/')));
    return machine;
  }

  async #open(node: WorldNode): Promise<void> {
    const { env, incarnation } = node.machine;
    const identity = await openIdentity(env);
    const self: Member = { id: node.id, directoryId: identity.directoryId };
    node.member = self;
    const { storage, loaded } = await RaftStorage.open(env, '/data');
    const ids = node.settings.voters ?? [1, 2, 3];
    const addresses = node.settings.addresses ?? {};
    const voters = new Map(ids.map((id) => [nodeId(id), addresses[id] ?? addressOf(id)]));
    const transport = this.wires.endOf(node.address, incarnation, env.timers);
    const parts = { ...env, logger: recordingLogger(node.log), transport };
    const { address } = node;
    const peers = new Peers(
      { self, address, heartbeatIntervalMs: HEARTBEAT_MS },
      { ...parts, addressOf: (id) => voters.get(id), onRefused: (why) => node.refused.push(why) },
    );
    let { clusterId, initial } = identity;
    const forming = new Forming(
      { self, clusterId: node.settings.clusterId ?? '', voters, address },
      {
        ...parts,
        begin: async (beginning) => {
          node.onStep('decided');
          await beginStorage(storage, beginning.initial);
          node.onStep('begun');
          await writeIdentity(env, { ...identity, ...beginning });
          this.begun.set(`${node.name} ${self.directoryId}`, beginning.clusterId);
          node.onStep('identified');
        },
        heardOf: (member, at) => peers.learnAddress(member, at),
      },
    );
    const table = new HandlerTable();
    peers.addHandlers(table);
    forming.addHandlers(table);
    const options = { ...roomyListener, maxMessageBytes: PEER_MESSAGE_BYTES_MAX };
    await transport.listen(address, table, options);
    const isNew = clusterId === '';
    if (isNew) ({ clusterId, initial } = await forming.run());
    const driver = this.#driver(node, self, {
      start: startState(storage, isNew ? undefined : loaded),
      ...{ env, storage, peers },
    });
    forming.serve({
      formed: () => this.#formed(node, driver, clusterId, initial, voters, peers),
      onJoin: async (member) => {
        await driver.read();
        if (isMember(driver.status.configuration, member)) return;
        const refused = await driver.changeMembership({ kind: 'add-learner', member });
        if (refused !== null) throw new ApiError(Errors.POLICY_VIOLATION, `not added: ${refused}`);
      },
    });
    peers.start(clusterId, driver);
    node.driver = driver;
    driver.start();
  }

  #formed(
    node: WorldNode,
    driver: QuorumDriver,
    clusterId: string,
    initial: Configuration | null,
    voters: ReadonlyMap<NodeId, string>,
    peers: Peers,
  ): FormedCluster {
    const { configuration, leader } = driver.status;
    const addressOfLeader = (id: NodeId): string =>
      id === node.id ? node.address : (voters.get(id) ?? peers.addressHeardFrom(id) ?? '');
    return {
      ...{ clusterId, initial: initial ?? configuration, current: configuration },
      leader: leader === null ? undefined : { id: leader.id, address: addressOfLeader(leader.id) },
    };
  }

  #driver(
    node: WorldNode,
    self: Member,
    parts: {
      readonly env: Env;
      readonly storage: RaftStorage;
      readonly start: ReturnType<typeof startState>;
      readonly peers: Peers;
    },
  ): QuorumDriver {
    const { env, storage, peers, start } = parts;
    return new QuorumDriver(
      {
        ...{ self, tickMs: TICK_MS, snapshotIntervalEntries: 1_000_000 },
        raft: { ...DEFAULT_RAFT_CONFIG, electionTicks: 20 },
        onFatal: (error) => this.errors.push(error),
      },
      start,
      {
        ...{ ...env, logger: recordingLogger(node.log), storage, network: peers },
        machine: {
          apply: (entries) => {
            for (const entry of entries) {
              if (entry.kind !== 'command') continue;
              const text = textOf(entry.bytes);
              const known = this.applied.get(entry.index) ?? text;
              if (known !== text) this.errors.push(new Error(`entry ${entry.index} is two`));
              this.applied.set(entry.index, text);
            }
          },
          restore: () => {},
          became: () => {},
        },
      },
    );
  }
}

async function openIdentity(env: Env): Promise<Identity> {
  if ((await env.files.stat('/data/identity.json')) !== undefined) {
    // Its name is perhaps only in the page cache, and others are told of the directory id next.
    await env.files.syncDirectory('/data');
    return JSON.parse(textOf(await env.files.readFile('/data/identity.json'))) as Identity;
  }
  const identity = { directoryId: randomId(env.random), clusterId: '', initial: null };
  await writeIdentity(env, identity);
  return identity;
}

const writeIdentity = (env: Env, identity: Identity): Promise<void> =>
  replaceFile(env.files, '/data', 'identity.json', bytesOf(JSON.stringify(identity)));
