import { nodeId } from '../../../src/model/ids.ts';
import { type Configuration, isMember, type Member } from '../../../src/raft/configuration.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import { Scheduler } from '../env/scheduler.ts';
import { SimulatedMachine } from '../env/simulated-env.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import { nameOf } from '../raft/describe.ts';
import { RaftInvariants } from './checkers/raft-invariants.ts';
import { ClusterNode, type Life } from './cluster-node.ts';
import { describeMessage } from './describe-message.ts';
import { Ledger } from './ledger.ts';
import type { ClusterShape } from './plan.ts';
import { SimulatedPeers } from './simulated-peers.ts';

export interface Violation {
  readonly checker: string;
  readonly problem: string;
}

export type RunningNode = ClusterNode & { life: Life };

/** How long a process is down that has ended by itself. */
const DOWN_MS = [200, 1_500] as const;

const memberOf = (id: number, disk: number): Member => ({
  id: nodeId(id),
  directoryId: disk === 0 ? `d${id}` : `d${id}-${disk}`,
});

/** Nodes, their disks, and the network between them; all of it under one seed. */
export class QuorumCluster {
  readonly scheduler: Scheduler;
  readonly random: SimulatedRandom;
  readonly ledger = new Ledger();
  readonly peers: SimulatedPeers;
  /** The machine that has an id now. */
  readonly nodes = new Map<number, ClusterNode>();
  readonly violations: Violation[] = [];
  readonly counts = new Map<string, number>();
  readonly shape: ClusterShape;
  readonly #seed: number;
  /** With those whose disk is gone. */
  readonly #everyone: ClusterNode[] = [];
  readonly #invariants: RaftInvariants;
  readonly #print: ((line: string) => void) | null;

  constructor(seed: number, shape: ClusterShape, print: ((line: string) => void) | null) {
    this.#seed = seed;
    this.shape = shape;
    this.#print = print;
    this.random = new SimulatedRandom(seed);
    this.scheduler = new Scheduler(this.random);
    this.#invariants = new RaftInvariants(this.ledger, this.#everyone, (checker, problem) =>
      this.report(checker, problem),
    );
    this.peers = new SimulatedPeers(this.scheduler, this.random, shape.network, {
      deliver: (from, to, message) => this.#deliver(from, to, message),
      count: (name) => this.count(name),
    });
  }

  /** Machines of the first voters, with a process that starts on each. */
  form(): void {
    const voters = Array.from({ length: this.shape.voters }, (_, at) => memberOf(at + 1, 0));
    for (const member of voters) this.#add(member, { voters, learners: [] }).start();
  }

  /** A machine with an empty disk, under a new id or one that it takes over. */
  add(id: number = this.nodes.size + 1): ClusterNode {
    const before = this.#everyone.filter(({ member }) => member.id === id).length;
    return this.#add(memberOf(id, before), null);
  }

  get up(): RunningNode[] {
    return [...this.nodes.values()].filter((node): node is RunningNode => node.life !== null);
  }

  /** Of the newest epoch. */
  get leader(): RunningNode | undefined {
    return this.up.filter(({ role }) => role === 'leader').toSorted((a, b) => b.epoch - a.epoch)[0];
  }

  /** Members as the newest leader sees them. */
  get configuration(): Configuration | undefined {
    return this.leader?.life.quorum.status.configuration;
  }

  /** Voters and learners whose disk is gone, as it is committed or in the eyes of some member that runs. */
  get lost(): Member[] {
    const retired = this.#everyone.filter(({ isRetired }) => isRetired);
    const { configuration } = this.ledger;
    if (retired.length === 0 || configuration === undefined) return [];
    const members = this.up.filter(({ member }) => isMember(configuration, member));
    const known = members.map(({ life }) => life.quorum.status.configuration);
    known.push(configuration);
    return retired
      .map(({ member }) => member)
      .filter((member) => known.some((one) => isMember(one, member)));
  }

  report(checker: string, problem: string): void {
    this.violations.push({ checker, problem });
    this.note(null, () => `VIOLATION ${checker}: ${problem}`);
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  note(node: ClusterNode | null, text: () => string): void {
    if (this.#print === null) return;
    const who = node === null ? '-' : nameOf(node.member);
    this.#print(`${this.scheduler.nowMs.toFixed(3).padStart(10)} ${who.padEnd(4)} ${text()}`);
  }

  /** A node is asked for what is committed, perhaps one that leads only as far as it knows. */
  noteRead({ role, epoch }: ClusterNode): void {
    if (role === 'leader' && epoch < this.leader!.epoch) this.count('read of a deposed leader');
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
  }

  #add(member: Member, formed: Configuration | null): ClusterNode {
    const { scheduler, shape } = this;
    const machine = new SimulatedMachine({
      ...{ seed: this.#seed, name: nameOf(member), scheduler },
      clockRate: shape.clockRates[member.id - 1] ?? 1,
    });
    const node = new ClusterNode(member, machine, formed, {
      shape,
      invariants: this.#invariants,
      send: (from, to, message) => this.#send(from, to, message),
      ended: (ended, error) => this.#ended(ended, error),
      note: (noted, text) => this.note(noted, text),
      count: (name) => this.count(name),
    });
    this.nodes.set(member.id, node);
    this.#everyone.push(node);
    return node;
  }

  #send(from: ClusterNode, to: Member, message: RaftMessage): void {
    this.note(from, () => `→ ${nameOf(to)} ${describeMessage(message)}`);
    const kind = message.kind.startsWith('vote') && 'isPreVote' in message && message.isPreVote;
    this.count(`message ${message.kind}${kind ? ' pre' : ''}`);
    this.peers.send(from.member, to, message);
  }

  #deliver(from: Member, to: Member, message: RaftMessage): void {
    const node = this.nodes.get(to.id);
    node?.deliver(({ quorum }) => {
      this.note(node, () => `← ${nameOf(from)} ${describeMessage(message)}`);
      quorum.received(from, to, message);
    });
  }

  /** A disk that failed is tried again; all else is a bug. */
  #ended(node: ClusterNode, error: unknown): void {
    this.note(node, () => `ends: ${error}`);
    this.count('process ended by its disk');
    if (!isOfDisk(error)) this.report('noCrash', textOf(error));
    const downMs = this.random.between(...DOWN_MS);
    this.scheduler.after(downMs, () => {
      if (node.isDown) node.start();
    });
  }
}

/** What a disk that fails makes of an operation. */
const isOfDisk = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'FileError' || (error.cause !== undefined && isOfDisk(error.cause)));

export const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
