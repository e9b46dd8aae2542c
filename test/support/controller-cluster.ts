import { Controller } from '../../src/controller/controller.ts';
import { serveController } from '../../src/controller/controller-handlers.ts';
import { ForwardingController } from '../../src/controller/forwarding-controller.ts';
import { QuorumAdmin } from '../../src/controller/quorum-admin.ts';
import { type NodeId, nodeId } from '../../src/model/ids.ts';
import { MetadataQuorum } from '../../src/quorum/metadata-quorum.ts';
import type { Member } from '../../src/raft/configuration.ts';
import type { RaftMessage } from '../../src/raft/messages.ts';
import { HandlerTable } from '../../src/rpc/method.ts';
import { type CallOptions, type Channel, RpcCode, RpcError } from '../../src/rpc/transport.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Scheduler } from '../simulation/env/scheduler.ts';
import { SimulatedMachine } from '../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { SimulatedNetwork } from '../simulation/simulated-network.ts';
import { registrationOf } from './broker-registration.ts';
import { roomyListener } from './listen-options.ts';

const config = {
  defaultPartitions: 1,
  defaultReplicationFactor: 1,
  maxPartitionsPerTopic: 100,
  sessionTimeoutMs: 9000,
};
const options = { maxMessageBytes: 64 * 1024 * 1024 };
/** How long a message of the quorum is under way. */
const DELAY_MS = [1, 8] as const;

const memberOf = (id: number): Member => ({ id: nodeId(id), directoryId: `directory-${id}` });

/** What runs on one machine. */
export interface ControllerNode {
  readonly id: NodeId;
  readonly machine: SimulatedMachine;
  readonly quorum: MetadataQuorum;
  readonly controller: Controller;
  readonly admin: QuorumAdmin;
  readonly forwarding: ForwardingController;
  stop(): void;
}

/** Controllers on simulated machines, each reaching the others in every way; all of it under one seed. */
export class ControllerCluster {
  readonly scheduler: Scheduler;
  /** Nodes that run. */
  readonly nodes = new Map<number, ControllerNode>();
  /** Nodes that nobody hears and that hear nobody, on whatever connection. */
  readonly cutOff = new Set<number>();
  /** Paths of the calls between nodes. */
  readonly calls: string[] = [];
  readonly #seed: number;
  readonly #random: SimulatedRandom;
  readonly #network: SimulatedNetwork;
  readonly #machines = new Map<number, SimulatedMachine>();
  readonly #voters: readonly Member[];

  constructor(seed: number, voters: number) {
    this.#seed = seed;
    this.#random = new SimulatedRandom(seed);
    this.scheduler = new Scheduler(this.#random);
    this.#network = new SimulatedNetwork(this.scheduler, this.#random, (error) => {
      throw error;
    });
    this.#voters = Array.from({ length: voters }, (_, i) => memberOf(i + 1));
  }

  /** With a leader that all know. */
  static async started(seed = 1, voters = 3): Promise<ControllerCluster> {
    const cluster = new ControllerCluster(seed, voters);
    for (const { id } of cluster.#voters) await cluster.start(id);
    await cluster.settled();
    return cluster;
  }

  /** Of the newest epoch, if it is the active controller. */
  get active(): ControllerNode | undefined {
    return [...this.nodes.values()]
      .filter(({ controller }) => controller.replica.runtime !== null)
      .toSorted((a, b) => b.quorum.status.epoch - a.quorum.status.epoch)[0];
  }

  async settled(): Promise<ControllerNode> {
    await this.until(() => {
      const { active } = this;
      const reachable = [...this.nodes.values()].filter(({ id }) => !this.cutOff.has(id));
      return (
        active !== undefined &&
        reachable.every(({ controller }) => controller.replica.leaderId === active.id)
      );
    });
    return this.active!;
  }

  /** One that is not active. */
  get other(): ControllerNode {
    return [...this.nodes.values()].find((node) => node !== this.active)!;
  }

  async start(id: number): Promise<ControllerNode> {
    return await this.run(this.#open(id));
  }

  /** Starts a node that is no voter, and lets the leader send it the log. */
  async startObserver(id: number): Promise<ControllerNode> {
    const node = await this.start(id);
    const leader = this.active!;
    const change = { kind: 'add-learner', member: memberOf(id) } as const;
    await this.run(leader.quorum.changeMembership(change));
    return node;
  }

  /** Ends the process: nothing listens there any more, and its connections break. */
  crash(id: number): void {
    this.nodes.get(id)!.stop();
    this.nodes.delete(id);
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.scheduler.complete(promise);
  }

  async until(condition: () => boolean): Promise<void> {
    await this.scheduler.run(condition);
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
  }

  async #open(id: number): Promise<ControllerNode> {
    const machine = await this.#machine(id);
    const { env, incarnation } = machine;
    const member = memberOf(id);
    const quorum = await MetadataQuorum.open(
      { dataDirectory: '/data', snapshotIntervalEntries: 1000, onFatal: () => this.crash(id) },
      env,
      silentLogger,
    );
    if (!quorum.isBegun) {
      const isVoter = this.#voters.some((voter) => voter.id === id);
      await quorum.begin(isVoter ? { voters: this.#voters, learners: [] } : null);
    }
    const identity = { clusterId: 'c', directoryId: member.directoryId };
    const controller = new Controller(config, env.random, quorum, identity, {});
    const { replica } = controller;
    const admin = new QuorumAdmin(member.id, quorum, env.timers);
    const end = this.#network.endOf(incarnation, (path) => this.calls.push(path));
    const table = new HandlerTable();
    serveController(table, controller, admin);
    await end.listen(`node-${id}:9093`, table, { ...roomyListener, ...options });
    const forwarding = new ForwardingController(member.id, {
      ...env,
      ...{ replica, controller, quorum: admin },
      channelOf: (to) => this.#channel(member.id, to, end.connect(`node-${to}:9093`, options)),
    });
    const stop = (): void => {
      end.cut();
      machine.crash('process');
      machine.restart();
    };
    const node = { id: member.id, machine, quorum, controller, admin, forwarding, stop };
    this.nodes.set(id, node);
    quorum.start(member, { send: (to, message) => this.#send(member, to, message) }, replica);
    return node;
  }

  async #machine(id: number): Promise<SimulatedMachine> {
    const known = this.#machines.get(id);
    if (known !== undefined) return known;
    const { scheduler } = this;
    const machine = new SimulatedMachine({ seed: this.#seed, name: `m${id}`, scheduler });
    await machine.env.files.makeDirectory('/data');
    await machine.env.files.syncDirectory('/');
    this.#machines.set(id, machine);
    return machine;
  }

  #send(from: Member, to: Member, message: RaftMessage): void {
    this.scheduler.after(this.#random.between(...DELAY_MS), () => {
      if (!this.#isCut(from.id, to.id)) this.nodes.get(to.id)?.quorum.received(from, to, message);
    });
  }

  #isCut(from: number, to: number): boolean {
    return this.cutOff.has(from) || this.cutOff.has(to);
  }

  /** Over which nothing comes while one end is cut off, not even an error. */
  #channel(from: number, to: number, channel: Channel): Channel {
    return {
      ...{ stream: channel.stream, close: () => channel.close() },
      unary: async (path, request, called) => {
        if (this.#isCut(from, to)) return await this.#silence(called);
        const answer = await channel.unary(path, request, called);
        return this.#isCut(from, to) ? await this.#silence(called) : answer;
      },
    };
  }

  #silence({ timeoutMs, signal }: CallOptions): Promise<never> {
    return new Promise((_, reject) => {
      const fail = (code: RpcCode, message: string) => reject(new RpcError({ code, message }));
      const { DEADLINE_EXCEEDED, CANCELLED } = RpcCode;
      this.scheduler.after(timeoutMs, () => fail(DEADLINE_EXCEEDED, 'no answer in time'));
      signal?.addEventListener('abort', () => fail(CANCELLED, 'the caller gave up'));
    });
  }
}

/** Three controllers with a broker, the one that leads, and another one to be asked. */
export async function withBroker(seed = 1) {
  const cluster = await ControllerCluster.started(seed);
  const { other } = cluster;
  await cluster.run(other.forwarding.registerBroker(registrationOf(1, 'first')));
  return { cluster, other, leader: cluster.active! };
}
