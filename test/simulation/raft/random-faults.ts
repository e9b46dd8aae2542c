import { isMember, isVoter, type MembershipChange } from '../../../src/raft/configuration.ts';
import type { SimulatedRandom } from '../env/simulated-random.ts';
import { type Envelope, memberOf, type RaftCluster } from './raft-cluster.ts';
import type { RaftMachine } from './raft-machine.ts';

/** How much of what a seed does. */
export interface Rates {
  /** Of a step, among all others. */
  readonly deliver: number;
  readonly tick: number;
  readonly sync: number;
  readonly load: number;
  readonly propose: number;
  readonly read: number;
  readonly change: number;
  readonly transfer: number;
  readonly compact: number;
  readonly crash: number;
  readonly restart: number;
  readonly wipe: number;
  readonly cut: number;
  readonly heal: number;
  readonly replay: number;
  readonly stream: number;
}

/** Of a message that is delivered. */
export interface MessageFaults {
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
}

/** As many messages may be on their way; the oldest are lost beyond. */
const NETWORK_MAX = 150;
const REMEMBERED_MESSAGES = 400;
const MEMBERS_MAX = 6;

/** What may happen to a cluster, by chance. */
export class RandomFaults {
  readonly #cluster: RaftCluster;
  readonly #random: SimulatedRandom;
  readonly #faults: MessageFaults;
  /** Directed links that carry nothing: `from>to`. */
  readonly #cuts = new Set<string>();
  /** Nodes whose clock stands still. */
  readonly #stalled = new Set<number>();
  readonly #old: Envelope[] = [];
  #commands = 0;
  #disks = 0;

  constructor(cluster: RaftCluster, random: SimulatedRandom, faults: MessageFaults) {
    this.#cluster = cluster;
    this.#random = random;
    this.#faults = faults;
  }

  run(kind: keyof Rates): void {
    const { up } = this.#cluster;
    const onCluster: Partial<Record<keyof Rates, () => void>> = {
      deliver: () => this.#deliver(),
      heal: () => this.#mend(),
      restart: () => this.#restart(),
      load: () => this.#load(),
      replay: () => this.#replay(),
      cut: () => this.#cut(),
      wipe: () => this.#wipe(),
    };
    const action = onCluster[kind];
    if (action !== undefined) action();
    else if (up.length > 0) this.#runOn(this.#random.pick(up), kind);
  }

  /** Ends all faults: who is down starts, what was cut is whole. */
  heal(): void {
    this.#mend();
    for (const machine of this.#cluster.machines.values()) {
      if (!machine.isUp) this.#cluster.start(machine);
    }
  }

  #mend(): void {
    this.#cuts.clear();
    this.#stalled.clear();
  }

  nextCommand(): Uint8Array {
    return Buffer.from(`c${++this.#commands}`);
  }

  #runOn(machine: RaftMachine, kind: keyof Rates): void {
    if (kind === 'tick') this.#tick(machine);
    else if (kind === 'sync') this.#sync(machine);
    else if (kind === 'compact') this.#cluster.call(machine, () => machine.compact());
    else if (kind === 'crash') this.#crash(machine);
    else if (kind === 'stream') this.#stream(machine);
    else this.#ask(kind, this.#random.chance(0.9) ? (this.#anyLeader() ?? machine) : machine);
  }

  #tick(machine: RaftMachine): void {
    if (this.#stalled.has(machine.member.id)) return;
    this.#cluster.call(machine, (node) => node.tick());
  }

  /** A deposed one, too. */
  #anyLeader(): RaftMachine | undefined {
    const leaders = this.#cluster.up.filter(({ node }) => node.status.role === 'leader');
    return leaders.length === 0 ? undefined : this.#random.pick(leaders);
  }

  #deliver(): void {
    const { network } = this.#cluster;
    if (network.length === 0) return;
    if (network.length > NETWORK_MAX) network.splice(0, network.length - NETWORK_MAX);
    const isLate = this.#random.chance(this.#faults.reordering);
    const at = isLate ? this.#random.below(network.length) : 0;
    if (at > 0) this.#cluster.count('fault reordering');
    const isTwice = this.#random.chance(this.#faults.duplication);
    const envelope = isTwice ? network[at]! : network.splice(at, 1)[0]!;
    if (isTwice) this.#cluster.count('fault duplication');
    if (this.#old.length < REMEMBERED_MESSAGES) this.#old.push(envelope);
    else this.#old[this.#random.below(REMEMBERED_MESSAGES)] = envelope;
    const isCut = this.#cuts.has(`${envelope.from.id}>${envelope.to.id}`);
    if (isCut || this.#random.chance(this.#faults.loss)) {
      this.#cluster.count(isCut ? 'fault cut' : 'fault loss');
      if (isTwice) network.splice(at, 1);
    } else this.#cluster.deliver(envelope);
  }

  #replay(): void {
    if (this.#old.length === 0) return;
    this.#cluster.count('fault replay');
    this.#cluster.deliver(this.#random.pick(this.#old));
  }

  #load(): void {
    const { loads } = this.#cluster;
    if (loads.length === 0) return;
    const [load] = loads.splice(this.#random.below(loads.length), 1);
    const isThere = !this.#random.chance(0.02);
    if (!isThere) this.#cluster.count('fault chunk gone');
    this.#cluster.load(load!, isThere);
  }

  #sync(machine: RaftMachine): void {
    const count = machine.disk.pending.length;
    if (count > 0) this.#cluster.sync(machine, this.#random.between(1, count));
  }

  #crash(machine: RaftMachine): void {
    const pending = machine.disk.pending.length;
    this.#cluster.count(pending > 0 ? 'fault crash with writes under way' : 'fault crash');
    this.#cluster.crash(machine, this.#random.below(pending + 1));
  }

  #restart(): void {
    const down = [...this.#cluster.machines.values()].filter(({ isUp }) => !isUp);
    if (down.length > 0) this.#cluster.start(this.#random.pick(down));
  }

  /** One to another, one from all, to all, or both, or two halves. */
  #cut(): void {
    this.#cluster.count('fault cuts');
    const ids = [...this.#cluster.machines.keys()];
    const leader = this.#anyLeader()?.member.id;
    const one = leader !== undefined && this.#random.chance(0.5) ? leader : this.#random.pick(ids);
    const kind = this.#random.below(5);
    if (kind === 0) this.#cuts.add(`${one}>${this.#random.pick(ids)}`);
    if (kind === 1 || kind === 3) for (const id of ids) this.#cuts.add(`${one}>${id}`);
    if (kind === 2 || kind === 3) for (const id of ids) this.#cuts.add(`${id}>${one}`);
    if (kind > 1 && this.#random.chance(0.5)) {
      this.#stalled.add(one);
      this.#cluster.count('fault stalled clock');
    }
    if (kind !== 4) return;
    const half = new Set(ids.filter(() => this.#random.chance(0.5)));
    for (const from of ids) {
      for (const to of ids) if (half.has(from) !== half.has(to)) this.#cuts.add(`${from}>${to}`);
    }
  }

  #stream(machine: RaftMachine): void {
    const peer = this.#random.pick([...this.#cluster.machines.values()]).member;
    this.#cluster.count('fault stream');
    if (this.#random.chance(0.5)) this.#cluster.call(machine, (node) => node.unreachable(peer));
    else this.#cluster.call(machine, (node) => node.reachable(peer));
  }

  #ask(kind: keyof Rates, machine: RaftMachine): void {
    if (kind === 'propose') {
      const count = this.#random.between(1, 3);
      const commands = Array.from({ length: count }, () => this.nextCommand());
      this.#cluster.ask(machine, (node) => node.propose(commands));
    } else if (kind === 'read') {
      if (this.#isDeposed(machine)) this.#cluster.count('fault read of a deposed leader');
      this.#cluster.read(machine);
    } else if (kind === 'transfer') {
      const to = this.#random.pick([...this.#cluster.machines.values()]).member;
      const { refused } = this.#cluster.ask(machine, (node) => node.transferLeadership(to));
      if (refused === null) this.#cluster.count('transfer');
    } else if (kind === 'change') {
      const change = this.#change(machine);
      if (change === null) return;
      const { refused } = this.#cluster.ask(machine, (node) => node.changeMembership(change));
      if (refused === null) this.#cluster.count(`change ${change.kind}`);
    }
  }

  /** It leads, as far as it knows, and somebody else has been elected. */
  #isDeposed({ node }: RaftMachine): boolean {
    const { role, epoch } = node.status;
    return role === 'leader' && epoch < this.#cluster.leader!.node.status.epoch;
  }

  #change(machine: RaftMachine): MembershipChange | null {
    const { configuration } = machine.node.status;
    const { voters, learners } = configuration;
    const lost = this.#lost();
    const choice = this.#random.below(4);
    if (choice === 0 && voters.length + learners.length < MEMBERS_MAX) {
      return { kind: 'add-learner', member: this.#joining().member };
    }
    if (choice < 3 && learners.length > 0) {
      return { kind: 'promote', member: this.#random.pick(learners) };
    }
    const gone = voters.find((voter) =>
      lost.some(({ member }) => member.directoryId === voter.directoryId),
    );
    if (gone !== undefined) return { kind: 'remove', member: gone };
    // Without the lost one a majority has to be left, whatever is committed in the end.
    if (lost.length > 0 && learners.length === 0) return null;
    const isFew = lost.length > 0 || (voters.length < 4 && this.#random.chance(0.8));
    const members = isFew ? learners : [...voters, ...learners];
    return members.length === 0 ? null : { kind: 'remove', member: this.#random.pick(members) };
  }

  /** Somebody who is in no configuration, new or removed before. */
  #joining(): RaftMachine {
    const configurations = this.#cluster.up.map(({ node }) => node.status.configuration);
    const free = [...this.#cluster.machines.values()].filter(
      ({ member, isUp }) => isUp && !configurations.some((one) => isMember(one, member)),
    );
    if (free.length > 0 && this.#random.chance(0.8)) return this.#random.pick(free);
    if (this.#cluster.machines.size >= MEMBERS_MAX + 2) {
      return this.#random.pick([...this.#cluster.machines.values()]);
    }
    const machine = this.#cluster.add(memberOf(this.#cluster.machines.size + 1), null);
    this.#cluster.start(machine);
    return machine;
  }

  /** Those whose disk is gone and who are a voter in somebody's log, running or not. */
  #lost(): RaftMachine[] {
    return this.#cluster.retired.filter(({ member }) =>
      [...this.#cluster.machines.values()].some((machine) =>
        isVoter(
          machine.isUp ? machine.node.status.configuration : configurationOnDisk(machine),
          member,
        ),
      ),
    );
  }

  /** A disk is replaced by an empty one, if the others can go on without it. */
  #wipe(): void {
    const machines = [...this.#cluster.machines.values()];
    const leader = this.#cluster.leader?.node.status;
    if (leader === undefined || this.#lost().length > 0) return;
    const isSettled = machines.every(
      (one) => one.isUp && one.node.status.configurationIndex === leader.configurationIndex,
    );
    const isCommitted = leader.configurationIndex <= leader.commitIndex;
    const machine = this.#random.pick(machines);
    const { voters } = leader.configuration;
    if (!isSettled || !isCommitted || voters.length < 3) return;
    this.#cluster.count('fault wipe');
    this.#cluster.crash(machine, 0);
    this.#cluster.retired.push(machine);
    const { id } = machine.member;
    this.#cluster.start(this.#cluster.add(memberOf(id, `d${id}-${++this.#disks}`), null));
  }
}

function configurationOnDisk({ disk }: RaftMachine) {
  const change = disk.entries.findLast((entry) => entry.kind === 'configuration');
  return change?.configuration ?? disk.snapshot?.meta.configuration ?? { voters: [], learners: [] };
}
