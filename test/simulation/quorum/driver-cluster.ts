import { nodeId } from '../../../src/model/ids.ts';
import { QuorumDriver } from '../../../src/quorum/quorum-driver.ts';
import { RaftStorage, startState } from '../../../src/quorum/raft-storage.ts';
import { type Configuration, isMember, type Member } from '../../../src/raft/configuration.ts';
import type { RoleName } from '../../../src/raft/effects.ts';
import type { Entry } from '../../../src/raft/entry.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import { DEFAULT_RAFT_CONFIG, type RaftConfig } from '../../../src/raft/raft-config.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import type { Fate } from '../env/fate.ts';
import { Scheduler } from '../env/scheduler.ts';
import { SimulatedMachine } from '../env/simulated-env.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';

export interface ClusterSettings {
  readonly seed: number;
  readonly voters?: number;
  readonly snapshotIntervalEntries?: number;
  readonly raft?: Partial<RaftConfig>;
}

const TICK_MS = 20;
/** How long a message is under way. */
const DELAY_MS = [1, 8] as const;

export const memberOf = (id: number): Member => ({
  id: nodeId(id),
  directoryId: `directory-${id}`,
});

/** A machine with a disk, and the process that runs on it, if one does. */
export interface DriverNode {
  readonly member: Member;
  readonly machine: SimulatedMachine;
  driver: QuorumDriver | null;
  /** What was applied, each as `INDEX TEXT`; commands only. */
  state: string[];
  appliedIndex: number;
  readonly fatal: unknown[];
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Drivers on simulated machines, and the wires between them; all of it under one seed. */
export class DriverCluster {
  readonly scheduler: Scheduler;
  readonly random: SimulatedRandom;
  readonly nodes = new Map<number, DriverNode>();
  readonly #settings: ClusterSettings;
  readonly #formed: Configuration;
  /** What stands where, by whoever applied it first; nobody may apply anything else. */
  readonly #applied = new Map<number, string>();
  /** Who led which epoch. */
  readonly #leaders = new Map<number, number>();
  /** Answered as done. */
  readonly acknowledged: string[] = [];
  readonly counts = new Map<string, number>();
  /** Nodes that nobody hears and that hear nobody. */
  readonly cutOff = new Set<number>();
  /** Of 100 messages so many are lost. */
  lossPercent = 0;
  /** May change a message, or swallow it. */
  tamper: (message: RaftMessage) => RaftMessage | null = (message) => message;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.random = new SimulatedRandom(settings.seed);
    this.scheduler = new Scheduler(this.random);
    const ids = Array.from({ length: settings.voters ?? 3 }, (_, i) => i + 1);
    this.#formed = { voters: ids.map(memberOf), learners: [] };
  }

  /** All voters of the forming, running. */
  static async started(settings: ClusterSettings): Promise<DriverCluster> {
    const cluster = new DriverCluster(settings);
    for (const { id } of cluster.#formed.voters) await cluster.start(id);
    return cluster;
  }

  get up(): (DriverNode & { driver: QuorumDriver })[] {
    return [...this.nodes.values()].filter(
      (node): node is DriverNode & { driver: QuorumDriver } => node.driver !== null,
    );
  }

  /** Of the newest epoch. */
  get leader(): (DriverNode & { driver: QuorumDriver }) | undefined {
    return this.up
      .filter(({ driver }) => driver.status.role === 'leader')
      .toSorted((a, b) => b.driver.status.epoch - a.driver.status.epoch)[0];
  }

  node(id: number): DriverNode {
    return this.nodes.get(id)!;
  }

  /** A process on the machine of this id, on whatever its disk holds. */
  async start(id: number): Promise<void> {
    await this.scheduler.complete(this.open(id));
  }

  /** As `start`, for who runs the scheduler by himself. */
  async open(id: number): Promise<void> {
    const node = this.nodes.get(id) ?? (await this.#machine(id));
    const { env, incarnation } = node.machine;
    const { storage, loaded } = await RaftStorage.open(env, '/data');
    const isVoter = this.#formed.voters.some((voter) => voter.id === id);
    if (storage.hardState.last.index === 0 && storage.hardState.batch === 0) {
      await storage.begin(isVoter ? this.#formed : null);
    }
    const snapshotIntervalEntries = this.#settings.snapshotIntervalEntries ?? 1000;
    const driver: QuorumDriver = new QuorumDriver(
      {
        self: node.member,
        raft: { ...DEFAULT_RAFT_CONFIG, ...this.#settings.raft },
        tickMs: TICK_MS,
        snapshotIntervalEntries,
        onFatal: (error) => {
          node.fatal.push(error);
          node.driver = null;
        },
      },
      startState(storage, loaded),
      {
        ...env,
        logger: silentLogger,
        storage,
        network: { send: (to, message) => this.#send(node.member, to, message) },
        machine: {
          apply: (entries) => this.#apply(node, entries),
          restore: ({ last }, records) => {
            this.#count('restore');
            node.state = records.map(textOf);
            node.appliedIndex = last.index;
          },
          became: (role, epoch) => this.#became(node, role, epoch),
        },
      },
    );
    if (!incarnation.isAlive) return;
    node.driver = driver;
    node.state = [];
    node.appliedIndex = 0;
    driver.provideSnapshots(() => {
      const { state, appliedIndex } = node;
      return { position: appliedIndex + 1, records: () => state.map(bytesOf) };
    });
    driver.start();
  }

  /** Ends the process; with `power` the disk keeps what it was synced for, and what `fate` says. */
  crash(id: number, kind: 'process' | 'power' = 'power', fate?: Fate): void {
    const node = this.node(id);
    node.driver = null;
    node.machine.crash(kind, fate);
    node.machine.restart();
  }

  /** Lets time pass until it holds. */
  async until(condition: () => boolean): Promise<void> {
    await this.scheduler.run(condition);
  }

  async pass(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
  }

  /** Waits for a leader that all members who run follow. */
  async settled(): Promise<DriverNode & { driver: QuorumDriver }> {
    await this.until(() => {
      const { leader } = this;
      if (leader === undefined) return false;
      const { configuration } = leader.driver.status;
      return this.#reachable.every(
        ({ member, driver }) =>
          !isMember(configuration, member) || driver.status.leader?.id === leader.member.id,
      );
    });
    return this.leader!;
  }

  /** Appends on a node; resolves to whether it is done. Remembers what was answered as done. */
  async append(node: DriverNode, text: string): Promise<void> {
    const { index } = node.driver!.propose(bytesOf(text));
    await node.driver!.committed(index);
    this.acknowledged.push(`${index} ${text}`);
  }

  /** Appends on the leader and waits. */
  async appended(...texts: readonly string[]): Promise<void> {
    const leader = await this.settled();
    await this.scheduler.complete(Promise.all(texts.map((text) => this.append(leader, text))));
  }

  /** Waits until all who run have applied the same, all that was acknowledged in it. */
  async converged(): Promise<string[]> {
    await this.settled();
    await this.until(() => {
      const [first, ...others] = this.#reachable;
      const index = this.leader?.driver.status.last.index;
      return (
        first?.appliedIndex === index &&
        others.every(({ appliedIndex }) => appliedIndex === first?.appliedIndex)
      );
    });
    const [first, ...others] = this.#reachable;
    for (const { state, member } of others) {
      if (state.join() !== first!.state.join()) throw new Error(`node ${member.id} has ${state}`);
    }
    const lost = this.acknowledged.filter((line) => !first!.state.includes(line));
    if (lost.length > 0) throw new Error(`acknowledged and lost: ${lost}`);
    return first!.state;
  }

  count(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  get #reachable() {
    return this.up.filter(({ member }) => !this.cutOff.has(member.id));
  }

  async #machine(id: number): Promise<DriverNode> {
    const { scheduler } = this;
    const machine = new SimulatedMachine({ seed: this.#settings.seed, name: `m${id}`, scheduler });
    const { files } = machine.env;
    await files.makeDirectory('/data');
    await files.syncDirectory('/');
    const node: DriverNode = {
      ...{ member: memberOf(id), machine, driver: null },
      ...{ state: [], appliedIndex: 0, fatal: [] },
    };
    this.nodes.set(id, node);
    return node;
  }

  #send(from: Member, to: Member, sent: RaftMessage): void {
    const message = this.tamper(sent);
    if (message === null || this.random.below(100) < this.lossPercent) return;
    this.scheduler.after(this.random.between(...DELAY_MS), () => {
      if (this.cutOff.has(from.id) || this.cutOff.has(to.id)) return;
      this.#count(message.kind);
      this.nodes.get(to.id)?.driver?.received(from, to, message);
    });
  }

  #apply(node: DriverNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const what = entry.kind === 'command' ? textOf(entry.bytes) : entry.kind;
      const known = this.#applied.get(entry.index) ?? what;
      this.#applied.set(entry.index, known);
      if (known !== what) throw new Error(`entry ${entry.index} is ${known}, and ${what}`);
      node.appliedIndex = entry.index;
      if (entry.kind === 'command') node.state = [...node.state, `${entry.index} ${what}`];
    }
  }

  /** No epoch has two leaders. */
  #became({ member }: DriverNode, role: RoleName, epoch: number): void {
    if (role !== 'leader') return;
    const known = this.#leaders.get(epoch) ?? member.id;
    this.#leaders.set(epoch, known);
    if (known !== member.id) throw new Error(`epoch ${epoch} is led by ${known} and ${member.id}`);
  }

  #count(name: string): void {
    this.counts.set(name, this.count(name) + 1);
  }
}
