import { isMember } from '../../../src/raft/configuration.ts';
import type { RaftConfig } from '../../../src/raft/raft-config.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import { acknowledgedStays } from './checkers.ts';
import { memberOf, RaftCluster, type Violation } from './raft-cluster.ts';
import { RandomFaults, type Rates } from './random-faults.ts';

export interface ClusterResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly counts: ReadonlyMap<string, number>;
  readonly acknowledged: number;
  /** The same for every run of a seed. */
  readonly traceHash: string;
}

/** Ticks of every node within which a cluster that is whole has to serve again. */
const HEALING_TICKS = 200;

/** A cluster under a seed: faults first, then none and progress is demanded. */
export function runCluster(
  seed: number,
  steps: number,
  print: (line: string) => void = () => {},
): ClusterResult {
  const random = new SimulatedRandom(seed);
  const trace = new TraceHash();
  const shape = random.fork('shape');
  const cluster = new RaftCluster(
    drawConfig(shape),
    (id) => {
      const own = random.fork(`node ${id}`);
      return () => own.uint32() / 0x1_0000_0000;
    },
    (line) => {
      trace.add(line);
      print(line);
    },
  );
  const size = shape.pick([1, 3, 3, 3, 5]);
  const voters = Array.from({ length: size }, (_, at) => memberOf(at + 1));
  for (const member of voters) cluster.start(cluster.add(member, { voters, learners: [] }));
  const faults = new RandomFaults(cluster, random.fork('faults'), drawFaults(shape));
  const kinds = wheel(drawRates(shape));
  const course = random.fork('course');
  for (let step = 0; step < steps && cluster.violations.length === 0; step++) {
    faults.run(kinds[course.below(kinds.length)]!);
  }
  if (cluster.violations.length === 0) heal(cluster, faults);
  return {
    seed,
    violations: cluster.violations,
    counts: cluster.counts,
    acknowledged: cluster.ledger.acknowledged.length,
    traceHash: trace.text,
  };
}

function drawConfig(random: SimulatedRandom): RaftConfig {
  const electionTicks = random.pick([6, 10]);
  return {
    electionTicks,
    heartbeatTicks: random.pick([1, 2, 3]),
    messageBytesMax: random.pick([30, 120, 1000]),
    inFlightMessagesMax: random.pick([1, 3, 8]),
    inFlightBytesMax: random.pick([60, 400, 10_000]),
    uncommittedBytesMax: random.pick([200, 2_000]),
    entriesKept: random.pick([0, 2, 10]),
  };
}

/** A third of the seeds has a network without faults. */
function drawFaults(random: SimulatedRandom) {
  const rate = (most: number) => (random.chance(0.66) ? (random.below(100) / 100) * most : 0);
  return { loss: rate(0.2), duplication: rate(0.2), reordering: rate(0.5) };
}

/** What happens how often; each kind of fault is missing in some seeds. */
function drawRates(random: SimulatedRandom): Rates {
  const sometimes = (most: number) => (random.chance(0.7) ? random.between(1, most) : 0);
  const crash = sometimes(3);
  return {
    deliver: random.between(200, 500),
    tick: random.between(200, 500),
    sync: random.between(60, 250),
    load: 40,
    propose: random.between(5, 40),
    read: random.between(3, 20),
    change: sometimes(12),
    transfer: sometimes(5),
    compact: sometimes(15),
    crash,
    restart: crash * 2 + 2,
    wipe: sometimes(3),
    cut: sometimes(4),
    heal: random.between(1, 5),
    replay: sometimes(40),
    stream: sometimes(5),
  };
}

const wheel = (rates: Rates): (keyof Rates)[] =>
  Object.entries(rates).flatMap(([kind, rate]) =>
    Array.from({ length: rate }, () => kind as keyof Rates),
  );

/** All is whole, and the members have to elect a leader and to apply what it is given. */
function heal(cluster: RaftCluster, faults: RandomFaults): void {
  faults.heal();
  for (let tick = 0; tick < HEALING_TICKS; tick++) {
    for (const machine of cluster.up) cluster.call(machine, (node) => node.tick());
    settle(cluster);
    if (cluster.violations.length > 0) return;
    if (isServing(cluster, faults)) {
      const states = membersOf(cluster).map(({ state }) => new Set(state));
      for (const problem of acknowledgedStays(cluster.ledger, states)) {
        cluster.violations.push({ checker: 'acknowledgedStays', problem });
      }
      return;
    }
  }
  const roles = cluster.up.map(({ node }) => `${node.status.role} in ${node.status.epoch}`);
  const problem = `no progress in ${HEALING_TICKS} ticks after all was healed: ${roles.join(', ')}`;
  cluster.violations.push({ checker: 'progress', problem });
}

/** Writes, reads and delivers until nothing is left. */
function settle(cluster: RaftCluster): void {
  const { network, loads } = cluster;
  for (let turns = 0; turns < 2_000; turns++) {
    if (cluster.violations.length > 0) return;
    const writing = cluster.up.filter(({ disk }) => disk.pending.length > 0);
    for (const machine of writing) cluster.sync(machine, machine.disk.pending.length);
    for (const load of loads.splice(0)) cluster.load(load, true);
    for (const envelope of network.splice(0)) cluster.deliver(envelope);
    const isWriting = cluster.up.some(({ disk }) => disk.pending.length > 0);
    if (network.length === 0 && loads.length === 0 && !isWriting) return;
  }
  cluster.violations.push({ checker: 'progress', problem: 'messages answer each other for ever' });
}

/** A command goes through to all members, and a read comes back. */
function isServing(cluster: RaftCluster, faults: RandomFaults): boolean {
  const { leader } = cluster;
  if (leader === undefined) return false;
  const readsBefore = cluster.counts.get('read-ready') ?? 0;
  const outcome = cluster.ask(leader, (node) => node.propose([faults.nextCommand()]));
  if (outcome.refused !== null || cluster.read(leader).refused !== null) return false;
  settle(cluster);
  const members = membersOf(cluster);
  const isRead = (cluster.counts.get('read-ready') ?? 0) > readsBefore;
  return isRead && members.every(({ appliedIndex }) => appliedIndex >= outcome.last.index);
}

/** Those that are reached and belong to the cluster as its leader sees it. */
const membersOf = (cluster: RaftCluster) => {
  const { leader } = cluster;
  if (leader === undefined) return [];
  const { configuration } = leader.node.status;
  return cluster.up.filter(({ member }) => isMember(configuration, member));
};

/** FNV-1a over all lines. */
class TraceHash {
  #hash = 0x811c_9dc5;

  add(line: string): void {
    for (let at = 0; at < line.length; at++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(at), 0x0100_0193) >>> 0;
    }
  }

  get text(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }
}
