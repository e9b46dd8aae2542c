import { nodeId } from '../../src/model/ids.ts';
import { adminMethods } from '../../src/rpc/admin-service.ts';
import { call, type Method } from '../../src/rpc/method.ts';
// Loaded before: a server loads it itself, which takes time that no scheduler knows of.
import '../../src/server/peer-door.ts';
import { Server } from '../../src/server/server.ts';
import { noMetrics } from '../../src/telemetry/no-metrics.ts';
import { Incarnation } from '../simulation/env/incarnation.ts';
import { Scheduler } from '../simulation/env/scheduler.ts';
import { SimulatedMachine } from '../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { type NetworkEnd, SimulatedNetwork } from '../simulation/simulated-network.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';

/** A machine and the node on it. */
export interface ClusterNode {
  readonly id: number;
  readonly machine: SimulatedMachine;
  /** Of all its lives. */
  readonly log: LogLine[];
  /** Why it could not go on. */
  readonly fatal: unknown[];
  /** Missing while it starts, and when it is down. */
  server: Server | undefined;
  end: NetworkEnd | undefined;
}

type Settings = Readonly<Record<string, string>>;

const MAX_MESSAGE = { maxMessageBytes: 16 * 1024 * 1024 };

/** Whole servers on simulated machines, with wires between them, under one seed. */
export class ServerCluster {
  readonly scheduler: Scheduler;
  readonly nodes = new Map<number, ClusterNode>();
  readonly errors: unknown[] = [];
  readonly #seed: number;
  #machines = 0;
  readonly #network: SimulatedNetwork;
  readonly #client: NetworkEnd;
  /** `--voters` of all of them. */
  readonly #voters: string;

  constructor(seed: number, voters: readonly number[]) {
    const random = new SimulatedRandom(seed);
    this.#seed = seed;
    this.scheduler = new Scheduler(random);
    this.#network = new SimulatedNetwork(this.scheduler, random, (error) =>
      this.errors.push(error),
    );
    this.#client = this.#network.endOf(new Incarnation());
    this.#voters = voters.map((id) => `${id}@${hostOf(id)}:9093`).join(',');
  }

  /** Voters that serve. */
  static async started(
    seed: number,
    voters: readonly number[] = [1, 2, 3],
  ): Promise<ServerCluster> {
    const cluster = new ServerCluster(seed, voters);
    await cluster.run(Promise.all(voters.map((id) => cluster.start(id))));
    return cluster;
  }

  node(id: number): ClusterNode {
    return this.nodes.get(id)!;
  }

  /** Starts a node, on a new machine if there is none of that id; resolves when it serves. */
  async start(id: number, settings: Settings = {}, signal?: AbortSignal): Promise<Server> {
    let node = this.nodes.get(id);
    if (node === undefined) {
      const machine = new SimulatedMachine({
        ...{ seed: this.#seed, name: `machine ${++this.#machines}`, scheduler: this.scheduler },
      });
      node = { id, machine, log: [], fatal: [], server: undefined, end: undefined };
      this.nodes.set(id, node);
    } else if (!node.machine.incarnation.isAlive) {
      node.machine.restart();
    }
    const { env, incarnation } = node.machine;
    const end = this.#network.endOf(incarnation);
    node.end = end;
    const server = await Server.start(
      {
        dataDir: '/data',
        settings: new Map(Object.entries({ ...this.#own(id), ...settings })),
        ...(signal === undefined ? {} : { signal }),
      },
      {
        ...{ env, transport: end, logger: recordingLogger(node.log), metrics: noMetrics },
        onFatal: (error) => node.fatal.push(error),
      },
    );
    node.server = server;
    return server;
  }

  /** Ends the process as kill -9 or a power cut does. */
  crash(id: number, kind: 'process' | 'power' = 'process'): void {
    const node = this.node(id);
    node.machine.crash(kind);
    node.end?.cut();
    node.server = undefined;
  }

  /** Stops in order. */
  async stop(id: number): Promise<void> {
    const node = this.node(id);
    await this.run(node.server!.close());
    node.machine.crash('process');
    node.end?.cut();
    node.server = undefined;
  }

  /** A machine with an empty disk takes the place of this one. */
  wipe(id: number): void {
    if (this.node(id).machine.incarnation.isAlive) this.crash(id);
    this.nodes.delete(id);
  }

  /** Calls a node as its clients do. */
  async call<Request, Response>(
    id: number,
    method: Method<Request, Response>,
    request: Request,
    timeoutMs = 10_000,
  ): Promise<Response> {
    const channel = this.#client.connect(`${hostOf(id)}:9095`, MAX_MESSAGE);
    try {
      return await this.run(call(channel, method, request, { timeoutMs }));
    } finally {
      await this.run(channel.close());
    }
  }

  /** Makes a topic by way of a node; returns the name of the error, or `ok`. */
  async createTopic(id: number, name: string, partitionCount = 1): Promise<string> {
    const topic = { name, partitionCount, replicationFactor: 0, configs: {} };
    const request = { topics: [topic], validateOnly: false };
    const { topics } = await this.call(id, adminMethods.createTopics, request);
    return topics[0]!.error?.name ?? 'ok';
  }

  /** Names of topics, as a node tells them. */
  async topics(id: number): Promise<string[]> {
    const { topics } = await this.call(id, adminMethods.listTopics, {});
    return topics.map(({ name }) => name);
  }

  /** The leader of each partition of a topic, as a node tells it. */
  async leaders(id: number, name: string): Promise<number[]> {
    const { topics } = await this.call(id, adminMethods.describeTopics, { names: [name] });
    return topics[0]!.partitions.map(({ leaderId }) => leaderId);
  }

  /** The active controller, as a node tells it. */
  async controller(id: number): Promise<number> {
    return (await this.call(id, adminMethods.describeCluster, {})).controllerId;
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.scheduler.complete(promise);
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
  }

  #own(id: number): Settings {
    const host = hostOf(id);
    return {
      ...{ 'node.id': `${nodeId(id)}`, 'controller.quorum.voters': this.#voters },
      ...{ 'peer.listener': `${host}:9093`, 'grpc.listener': `${host}:9095` },
      ...{ 'kafka.listeners': '', 'http.listener': '', 'log.scrub.bytes.per.second': '0' },
    };
  }
}

/** One of its own for each node, on the loopback. */
const hostOf = (id: number): string => `127.0.0.${id}`;
