import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import type { Member } from '../../../src/raft/configuration.ts';
import type { Outcome } from '../../../src/raft/effects.ts';
import type { Entry } from '../../../src/raft/entry.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import { DEFAULT_RAFT_CONFIG, type RaftConfig } from '../../../src/raft/raft-config.ts';
import { nobodySendsTheImpossible } from '../../simulation/raft/checkers.ts';
import {
  describeConfiguration,
  describeEntry,
  describeMessage,
  nameOf,
} from '../../simulation/raft/describe.ts';
import { type Envelope, memberOf, RaftCluster } from '../../simulation/raft/raft-cluster.ts';
import type { RaftMachine } from '../../simulation/raft/raft-machine.ts';

/** More turns than any story takes. */
const TURNS_MAX = 1_000;

/** Plays the commands of one transcript; see `README.md`. */
export class Stage {
  #lines: string[] = [];
  #cluster: RaftCluster = this.#newCluster(DEFAULT_RAFT_CONFIG);
  readonly #slow = new Set<number>();
  readonly #cuts = new Set<string>();
  #remembered: Envelope[] = [];
  #disks = 0;

  /** @throws Error if the command is unknown or an invariant is broken */
  run(command: string): string[] {
    this.#lines = [];
    const isQuiet = command.startsWith('quietly ');
    const [name = '', ...words] = (isQuiet ? command.slice(8) : command).split(/\s+/);
    const action = this.#actions[name];
    if (action === undefined) throw new Error(`there is no command "${name}"`);
    action(words);
    const [violation] = this.#cluster.violations;
    if (violation !== undefined) {
      throw new Error(`"${command}" breaks ${violation.checker}: ${violation.problem}`);
    }
    return isQuiet ? [] : this.#lines;
  }

  readonly #actions: Readonly<Record<string, (words: readonly string[]) => void>> = {
    nodes: (words) => this.#nodes(words),
    node: ([id]) => this.#started(this.#cluster.add(memberOf(Number(id)), null)),
    wipe: ([id]) => this.#wipe(this.#machine(id)),
    given: (words) => this.#given(words),
    tick: ([ids, count = '1']) => this.#tick(this.#machines(ids), Number(count)),
    campaign: ([id]) => this.#campaign(this.#machine(id)),
    propose: ([id, ...commands]) =>
      this.#ask(id, (machine) =>
        this.#cluster.ask(machine, (node) => node.propose(commands.map((one) => Buffer.from(one)))),
      ),
    read: ([id]) => this.#ask(id, (machine) => this.#cluster.read(machine)),
    transfer: ([link = '']) => {
      const [from, to] = link.split('>');
      this.#ask(from, (machine) =>
        this.#cluster.ask(machine, (node) => node.transferLeadership(this.#member(to))),
      );
    },
    add: (words) => this.#change('add-learner', words),
    promote: (words) => this.#change('promote', words),
    remove: (words) => this.#change('remove', words),
    compact: ([id]) => this.#call(this.#machine(id), (machine) => machine.compact()),
    deliver: (words) => {
      const taken = this.#taken(words);
      if (taken.length === 0) throw new Error(`nothing is on its way on ${words.join(' ')}`);
      this.#deliver(taken);
    },
    drop: (words) => this.#lose(this.#taken(words)),
    remember: ([link, kind]) => {
      this.#remembered = this.#cluster.network.filter((one) => isMeant(one, link, kind));
    },
    replay: () => this.#deliver(this.#remembered),
    stabilize: ([ids]) => this.#stabilize(this.#machines(ids)),
    cut: ([link = '']) => this.#cut(link),
    isolate: ([id]) => {
      for (const other of this.#cluster.machines.keys()) this.#cut(`${id}-${other}`);
    },
    heal: () => this.#cuts.clear(),
    'slow-disk': ([id]) => void this.#slow.add(Number(id)),
    'fast-disk': ([id]) => {
      this.#slow.delete(Number(id));
      this.#settle(this.#machine(id));
    },
    persist: ([id, count]) => {
      const machine = this.#machine(id);
      this.#cluster.sync(machine, Number(count ?? machine.disk.pending.length));
    },
    crash: ([id, , kept = '0']) => this.#cluster.crash(this.#machine(id), Number(kept)),
    restart: ([id]) => this.#started(this.#machine(id)),
    unreachable: ([id, peer]) =>
      this.#call(this.#machine(id), ({ node }) => node.unreachable(this.#member(peer))),
    reachable: ([id, peer]) =>
      this.#call(this.#machine(id), ({ node }) => node.reachable(this.#member(peer))),
    inject: ([link = '', ...json]) => {
      const [from, to] = link.split('>').map((id) => this.#member(id));
      const message = JSON.parse(json.join(' ')) as RaftMessage;
      this.#deliver([{ from: from!, to: to!, message }]);
      // That is what it may be.
      const { violations } = this.#cluster;
      if (violations[0]?.checker === nobodySendsTheImpossible.name) violations.shift();
    },
    log: ([ids]) => this.#lines.push(...this.#machines(ids).map(describeLog)),
    state: () => this.#lines.push(...this.#machines('all').map(describeState)),
    progress: ([id]) => {
      for (const one of this.#machine(id).node.status.followers) {
        const { member, state, matchIndex, nextIndex } = one;
        this.#lines.push(`${nameOf(member)} ${state} match ${matchIndex} next ${nextIndex}`);
      }
    },
  };

  #newCluster(config: RaftConfig): RaftCluster {
    // A fixed number a node: its election timeout is that many ticks longer than the shortest.
    return new RaftCluster(
      config,
      (id) => () => id / config.electionTicks,
      (line) => this.#lines.push(line),
    );
  }

  #nodes([count, ...words]: readonly string[]): void {
    const settings = words.filter((word) => word.includes('='));
    const given = Object.fromEntries(
      settings.map((word) => [word.split('=')[0], Number(word.split('=')[1])]),
    );
    this.#cluster = this.#newCluster({ ...DEFAULT_RAFT_CONFIG, ...given });
    const voters = Array.from({ length: Number(count) }, (_, at) => memberOf(at + 1));
    for (const voter of voters) {
      const machine = this.#cluster.add(voter, { voters, learners: [] });
      if (!words.includes('stopped')) this.#started(machine);
    }
  }

  #wipe(machine: RaftMachine): void {
    if (machine.isUp) this.#cluster.crash(machine, 0);
    this.#cluster.retired.push(machine);
    const { id } = machine.member;
    this.#started(this.#cluster.add(memberOf(id, `d${id}-${++this.#disks}`), null));
  }

  #given([id, , epoch, , ...epochs]: readonly string[]): void {
    const { disk } = this.#machine(id);
    disk.hardState = { epoch: leaderEpoch(Number(epoch)), votedFor: null };
    disk.entries = epochs.map(
      (text, at): Entry => ({
        kind: 'command',
        index: at + 1,
        epoch: leaderEpoch(Number(text)),
        bytes: Buffer.from(`x${at + 1}.${text}`),
      }),
    );
  }

  #started(machine: RaftMachine): void {
    this.#cluster.start(machine);
    this.#settle(machine);
  }

  #tick(machines: readonly RaftMachine[], count: number): void {
    for (let at = 0; at < count; at++) {
      for (const machine of machines) this.#call(machine, ({ node }) => node.tick());
    }
  }

  #campaign(machine: RaftMachine): void {
    const { config } = machine;
    for (let at = 0; at < 2 * config.electionTicks; at++) {
      this.#call(machine, ({ node }) => node.tick());
      if (machine.node.status.role !== 'follower') return;
    }
    throw new Error(`node ${machine.member.id} does not campaign`);
  }

  #change(kind: 'add-learner' | 'promote' | 'remove', [id, member]: readonly string[]): void {
    const change = { kind, member: this.#member(member) };
    this.#ask(id, (machine) => this.#cluster.ask(machine, (node) => node.changeMembership(change)));
  }

  #ask(id: string | undefined, question: (machine: RaftMachine) => Outcome): void {
    const machine = this.#machine(id);
    const outcome = question(machine);
    if (outcome.refused === null) {
      this.#settle(machine);
      return;
    }
    const leader = outcome.leader === null ? 'nobody' : nameOf(outcome.leader);
    this.#lines.push(`${id} refuses: ${outcome.refused}, leader ${leader}`);
  }

  #call(machine: RaftMachine, run: (machine: RaftMachine) => ReturnType<RaftMachine['compact']>) {
    this.#cluster.call(machine, () => run(machine));
    this.#settle(machine);
  }

  /** What is written is durable at once, unless the disk is slow. */
  #settle(machine: RaftMachine): void {
    while (!this.#slow.has(machine.member.id) && machine.disk.pending.length > 0) {
      this.#cluster.sync(machine, machine.disk.pending.length);
    }
  }

  /** Takes messages from the network. */
  #taken([link, kind]: readonly string[]): Envelope[] {
    const { network } = this.#cluster;
    const taken = network.filter((one) => isMeant(one, link, kind));
    network.splice(0, network.length, ...network.filter((one) => !taken.includes(one)));
    return taken;
  }

  #deliver(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      if (this.#cuts.has(`${envelope.from.id}>${envelope.to.id}`)) {
        this.#lose([envelope]);
        continue;
      }
      this.#cluster.deliver(envelope);
      const machine = this.#cluster.machines.get(envelope.to.id);
      if (machine?.isUp === true) this.#settle(machine);
    }
  }

  #lose(envelopes: readonly Envelope[]): void {
    for (const { from, to, message } of envelopes) {
      this.#lines.push(`${nameOf(from)} ✗ ${nameOf(to)} ${describeMessage(message)}`);
    }
  }

  #stabilize(among: readonly RaftMachine[]): void {
    const ids = new Set(among.map(({ member }) => member.id));
    const { network, loads } = this.#cluster;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      for (const load of loads.splice(0)) {
        this.#cluster.load(load, true);
        this.#settle(load.machine);
      }
      const at = network.findIndex(({ from, to }) => ids.has(from.id) && ids.has(to.id));
      if (at < 0 && loads.length === 0) return;
      if (at >= 0) this.#deliver(network.splice(at, 1));
    }
    throw new Error('the messages answer each other for ever');
  }

  #cut(link: string): void {
    const [from, to] = link.split(/[>-]/);
    if (from === to) return;
    this.#cuts.add(`${from}>${to}`);
    if (link.includes('-')) this.#cuts.add(`${to}>${from}`);
  }

  #machine(id: string | undefined): RaftMachine {
    const machine = this.#cluster.machines.get(Number(id));
    if (machine === undefined) throw new Error(`there is no node ${id}`);
    return machine;
  }

  #machines(ids = 'all'): RaftMachine[] {
    if (ids === 'all') return this.#cluster.up;
    return ids.split(',').map((id) => this.#machine(id));
  }

  /** With the disk that it has now; `2:d2` with another one. */
  #member(text: string | undefined): Member {
    const [id = '', directoryId] = (text ?? '').split(':');
    if (directoryId !== undefined) return { id: nodeId(Number(id)), directoryId };
    return this.#cluster.machines.get(Number(id))?.member ?? memberOf(Number(id));
  }
}

const isMeant = ({ from, to, message }: Envelope, link = '*>*', kind?: string): boolean => {
  const [wantedFrom, wantedTo] = link.split('>');
  const isFrom = wantedFrom === '*' || wantedFrom === `${from.id}`;
  const isThere = wantedTo === '*' || wantedTo === `${to.id}`;
  return isFrom && isThere && (kind === undefined || kind === message.kind);
};

function describeLog(machine: RaftMachine): string {
  const { commitIndex, base } = machine.node.status;
  const entries = machine.log
    .filter(({ index }) => index > base.index)
    .map((entry) => `${describeEntry(entry)}${entry.index > commitIndex ? '?' : ''}`);
  return `${machine.member.id}: ${base.index}/${base.epoch} | ${entries.join(', ')}`;
}

function describeState({ member, node }: RaftMachine): string {
  const { role, epoch, leader, commitIndex, last, configuration } = node.status;
  const of = leader === null ? 'nobody' : nameOf(leader);
  return `${nameOf(member)}: ${role} e${epoch} of ${of}, commit ${commitIndex} of ${last.index}, ${describeConfiguration(configuration)}`;
}
