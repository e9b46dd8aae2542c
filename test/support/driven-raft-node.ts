import { leaderEpoch } from '../../src/model/ids.ts';
import type { Member } from '../../src/raft/configuration.ts';
import type { Outcome, Persist, RaftEffect } from '../../src/raft/effects.ts';
import type { Entry, StoredState } from '../../src/raft/entry.ts';
import type { RaftMessage } from '../../src/raft/messages.ts';
import { DEFAULT_RAFT_CONFIG, type RaftConfig } from '../../src/raft/raft-config.ts';
import { RaftNode } from '../../src/raft/raft-node.ts';
import { memberOf } from '../simulation/raft/raft-cluster.ts';

export const e = leaderEpoch;

export const at = (index: number, epoch: number) => ({ index, epoch: e(epoch) });

/** A command at a place; the same place gives the same command. */
export const entryAt = (index: number, epoch: number): Entry => ({
  kind: 'command',
  ...at(index, epoch),
  bytes: Buffer.from(`${index}.${epoch}`),
});

/** Entries from 1 on, of these epochs. */
export const entriesOf = (...epochs: number[]): Entry[] =>
  epochs.map((epoch, index) => entryAt(index + 1, epoch));

export const votersOf = (count: number): Member[] =>
  Array.from({ length: count }, (_, index) => memberOf(index + 1));

export interface DrivenOptions {
  readonly voters?: number;
  readonly learners?: readonly Member[];
  /** Of the hard state. */
  readonly epoch?: number;
  readonly votedFor?: number;
  /** Epochs of the entries that are stored. */
  readonly log?: readonly number[];
  readonly config?: Partial<RaftConfig>;
}

/** Node 1 alone, with the others played by the test. Election timeouts are the shortest. */
export class DrivenRaftNode {
  readonly node: RaftNode;
  /** Writes wait for `persist` while it is true. */
  isSlow = false;
  /** All effects since the last `take`. */
  #effects: RaftEffect[] = [];
  readonly #pending: Persist[] = [];

  constructor(options: DrivenOptions = {}) {
    const { voters = 3, learners = [], epoch = 0, votedFor, log = [], config } = options;
    const stored: StoredState = {
      hardState: {
        epoch: e(epoch),
        votedFor: votedFor === undefined ? null : memberOf(votedFor),
      },
      snapshot: {
        last: at(0, 0),
        configuration: { voters: votersOf(voters), learners },
        configurationIndex: 0,
      },
      entries: entriesOf(...log),
    };
    const settings = { ...DEFAULT_RAFT_CONFIG, ...config };
    this.node = new RaftNode(memberOf(1), settings, stored, () => 0);
    this.run(this.node.start());
  }

  run(effects: readonly RaftEffect[]): void {
    for (const effect of effects) {
      this.#effects.push(effect);
      if (effect.kind === 'persist') this.#pending.push(effect);
    }
    while (!this.isSlow && this.#pending.length > 0) this.persist();
  }

  /** Does what an accepted question asks for. */
  ask(outcome: Outcome): Outcome {
    if (outcome.refused === null) this.run(outcome.effects);
    return outcome;
  }

  /** The oldest write is durable. */
  persist(): void {
    this.run(this.node.persisted(this.#pending.shift()!.sequence));
  }

  tick(count = 1): void {
    for (let tick = 0; tick < count; tick++) this.run(this.node.tick());
  }

  receive(from: number, message: RaftMessage): void {
    this.run(this.node.step(memberOf(from), memberOf(1), message));
  }

  /** Elected by node 2, with an answer of its own for the empty entry if that is to be committed. */
  lead(isCommitted = true): void {
    this.tick(DEFAULT_RAFT_CONFIG.electionTicks);
    const { epoch } = this.node.status;
    const next = e(epoch + 1);
    for (const from of [2, 3]) {
      this.receive(from, { kind: 'vote-answer', epoch: next, isPreVote: true, isGranted: true });
    }
    for (const from of [2, 3]) {
      this.receive(from, { kind: 'vote-answer', epoch: next, isPreVote: false, isGranted: true });
    }
    if (isCommitted) this.matched(2, this.node.status.last.index);
    this.take();
  }

  /** Node `from` answers that it has everything up to `matchIndex`. */
  matched(from: number, matchIndex: number): void {
    this.receive(from, { kind: 'append-answer', epoch: this.node.status.epoch, matchIndex });
  }

  append(from: number, epoch: number, prev: readonly [number, number], ...epochs: number[]): void {
    this.receive(from, {
      kind: 'append',
      epoch: e(epoch),
      prev: at(...prev),
      entries: epochs.map((one, index) => entryAt(prev[0] + 1 + index, one)),
      commitIndex: 0,
    });
  }

  take(): RaftEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** What was sent since the last `take`, of this kind. */
  sent<K extends RaftMessage['kind']>(
    kind: K,
  ): { readonly to: number; readonly message: Extract<RaftMessage, { kind: K }> }[] {
    return this.#effects.flatMap((effect) =>
      effect.kind === 'send' && effect.message.kind === kind
        ? [{ to: effect.to.id, message: effect.message as Extract<RaftMessage, { kind: K }> }]
        : [],
    );
  }

  of<K extends RaftEffect['kind']>(kind: K): Extract<RaftEffect, { kind: K }>[] {
    return this.#effects.filter(
      (effect): effect is Extract<RaftEffect, { kind: K }> => effect.kind === kind,
    );
  }
}
