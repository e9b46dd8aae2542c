import { AssertionError } from '../../../src/model/assert.ts';
import { nodeId } from '../../../src/model/ids.ts';
import type { Configuration, Member } from '../../../src/raft/configuration.ts';
import type { Outcome, RaftEffect } from '../../../src/raft/effects.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import type { RaftConfig } from '../../../src/raft/raft-config.ts';
import type { RaftNode, RaftStatus } from '../../../src/raft/raft-node.ts';
import { raftCheckers } from './checkers.ts';
import { describeEffect } from './describe.ts';
import { keyOf, Ledger } from './ledger.ts';
import { RaftMachine } from './raft-machine.ts';

export interface Envelope {
  readonly from: Member;
  readonly to: Member;
  readonly message: RaftMessage;
}

/** A piece of a snapshot that a leader waits for. */
export interface ChunkLoad {
  readonly machine: RaftMachine;
  readonly effect: Extract<RaftEffect, { kind: 'load-chunk' }>;
}

export interface Violation {
  readonly checker: string;
  readonly problem: string;
}

export const memberOf = (id: number, directoryId = `d${id}`): Member => ({
  id: nodeId(id),
  directoryId,
});

/** Nodes, their disks and what is on its way between them. Every call is looked at by all checkers. */
export class RaftCluster {
  readonly #config: RaftConfig;
  readonly #random: (id: number) => () => number;
  readonly #print: (line: string) => void;
  readonly ledger = new Ledger();
  readonly violations: Violation[] = [];
  /** How often what happened. */
  readonly counts = new Map<string, number>();
  /** By id; one that lost its disk makes place for another. */
  readonly machines = new Map<number, RaftMachine>();
  /** Disks that are gone. */
  readonly retired: RaftMachine[] = [];
  /** In order of sending. */
  readonly network: Envelope[] = [];
  readonly loads: ChunkLoad[] = [];
  #reads = 0;

  constructor(
    config: RaftConfig,
    random: (id: number) => () => number,
    print: (line: string) => void,
  ) {
    this.#config = config;
    this.#random = random;
    this.#print = print;
  }

  /** Adds a machine that is not started; see `RaftMachine`. */
  add(member: Member, formed: Configuration | null): RaftMachine {
    const machine = new RaftMachine(member, formed, this.#config, this.#random(member.id));
    this.machines.set(member.id, machine);
    return machine;
  }

  get up(): RaftMachine[] {
    return [...this.machines.values()].filter(({ isUp }) => isUp);
  }

  /** Of the newest epoch. */
  get leader(): RaftMachine | undefined {
    return this.up
      .filter(({ node }) => node.status.role === 'leader')
      .toSorted((a, b) => b.node.status.epoch - a.node.status.epoch)[0];
  }

  start(machine: RaftMachine): void {
    this.#print(`${keyOf(machine)} starts`);
    machine.start();
    this.call(machine, (node) => node.start());
  }

  crash(machine: RaftMachine, kept: number): void {
    this.#print(`${keyOf(machine)} crashes`);
    machine.crash(kept);
    for (let at = this.loads.length - 1; at >= 0; at--) {
      if (this.loads[at]!.machine === machine) this.loads.splice(at, 1);
    }
  }

  deliver({ from, to, message }: Envelope): void {
    const machine = this.machines.get(to.id);
    if (machine?.isUp !== true) return;
    this.count(
      `message ${message.kind}${'isPreVote' in message && message.isPreVote ? ' pre' : ''}`,
    );
    this.call(machine, (node) => node.step(from, to, message));
  }

  /** Makes the oldest `count` batches durable and says so. */
  sync(machine: RaftMachine, count: number): void {
    const sequence = machine.disk.sync(count);
    this.#print(`${keyOf(machine)} has written #${sequence}`);
    this.call(machine, (node) => node.persisted(sequence));
  }

  load({ machine, effect }: ChunkLoad, isThere: boolean): void {
    const { to, snapshot, offset, bytesMax } = effect;
    const stored = machine.disk.snapshot;
    const isKept = isThere && stored?.meta.last.index === snapshot.last.index;
    const content = isKept && offset <= stored.content.length ? stored.content : null;
    const bytes = content === null ? null : content.subarray(offset, offset + bytesMax);
    const isLast = content !== null && offset + bytesMax >= content.length;
    const chunk = { to, snapshotIndex: snapshot.last.index, offset, bytes, isLast };
    this.call(machine, (node) => node.chunkLoaded(chunk));
  }

  read(machine: RaftMachine): Outcome {
    const requestId = ++this.#reads;
    this.ledger.reads.set(requestId, this.ledger.committedIndex);
    return this.ask(machine, (node) => node.read(requestId));
  }

  /** A question that may be refused. */
  ask(machine: RaftMachine, question: (node: RaftNode) => Outcome): Outcome {
    let outcome: Outcome = { refused: 'not-leader', leader: null };
    this.call(machine, (node) => {
      outcome = question(node);
      if (outcome.refused !== null) this.count(`refused ${outcome.refused}`);
      return outcome.refused === null ? outcome.effects : [];
    });
    return outcome;
  }

  /** Nothing is thrown at a driver that does what it is asked for. */
  call(machine: RaftMachine, run: (node: RaftNode) => readonly RaftEffect[]): void {
    try {
      const before = machine.node.status;
      this.#finish(machine, before, run(machine.node));
    } catch (error) {
      const isFault = error instanceof AssertionError || error instanceof TypeError;
      const checker = isFault ? 'noInvariantBreaks' : 'driverIsServed';
      const problem = `${keyOf(machine)}: ${error instanceof Error ? error.message : error}`;
      this.violations.push({ checker, problem });
    }
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #finish(machine: RaftMachine, before: RaftStatus, effects: readonly RaftEffect[]): void {
    for (const effect of effects) {
      this.#print(`${keyOf(machine)} ${describeEffect(effect)}`);
      if (!machine.perform(effect)) this.#perform(machine, effect);
    }
    // Nothing was done, and nobody has heard of anything.
    if (effects.length === 0) return;
    const seen = {
      machine,
      machines: [...this.machines.values(), ...this.retired],
      before,
      after: machine.node.status,
      effects,
      ledger: this.ledger,
    };
    for (const check of raftCheckers) {
      for (const problem of check(seen)) this.violations.push({ checker: check.name, problem });
    }
    this.#countEffects(machine, effects);
  }

  #perform(machine: RaftMachine, effect: RaftEffect): void {
    if (effect.kind === 'send') {
      this.network.push({ from: machine.member, to: effect.to, message: effect.message });
    } else if (effect.kind === 'load-chunk') {
      this.loads.push({ machine, effect });
    }
  }

  #countEffects(machine: RaftMachine, effects: readonly RaftEffect[]): void {
    const { role, epoch } = machine.node.status;
    for (const effect of effects) {
      if (effect.kind === 'became') this.count(`became ${effect.role}`);
      else if (effect.kind === 'ignored') this.count(`ignored ${effect.reason}`);
      else if (effect.kind === 'persist') {
        if (effect.truncateFrom !== null) this.count('truncation');
      } else if (effect.kind === 'apply') {
        for (const entry of effect.entries) {
          this.count(`apply ${entry.kind}`);
          if (role === 'leader' && entry.epoch === epoch) this.ledger.acknowledged.push(entry);
        }
      } else if (effect.kind !== 'send') this.count(effect.kind);
    }
  }
}
