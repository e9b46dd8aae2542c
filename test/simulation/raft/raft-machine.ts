import { leaderEpoch } from '../../../src/model/ids.ts';
import type { Configuration, Member } from '../../../src/raft/configuration.ts';
import type { Persist, RaftEffect } from '../../../src/raft/effects.ts';
import type { Entry, SnapshotMeta } from '../../../src/raft/entry.ts';
import type { RaftConfig } from '../../../src/raft/raft-config.ts';
import { RaftNode } from '../../../src/raft/raft-node.ts';
import { RaftDisk } from './raft-disk.ts';

/** The effects that a machine cannot do alone. */
export type OutsideEffect = Extract<
  RaftEffect,
  { kind: 'send' | 'load-chunk' | 'read-ready' | 'read-failed' }
>;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** A node with its disk and a state machine, which is the list of the commands it was given. */
export class RaftMachine {
  readonly member: Member;
  readonly disk = new RaftDisk();
  readonly config: RaftConfig;
  readonly #random: () => number;
  #node: RaftNode | null = null;
  /** The commands of the state, each with its index. */
  state: string[] = [];
  appliedIndex = 0;
  /** The log in memory, as the batches tell: what comes before it, and its entries. */
  base = { index: 0, epoch: 0 };
  log: Entry[] = [];

  /** @param formed the members with which a cluster was formed; `null` for one that joins later */
  constructor(
    member: Member,
    formed: Configuration | null,
    config: RaftConfig,
    random: () => number,
  ) {
    this.member = member;
    this.config = config;
    this.#random = random;
    if (formed === null) return;
    const last = { index: 0, epoch: leaderEpoch(0) };
    const meta = { last, configuration: formed, configurationIndex: 0 };
    this.disk.save({ meta, content: Buffer.from('[]') });
  }

  get isUp(): boolean {
    return this.#node !== null;
  }

  get node(): RaftNode {
    if (this.#node === null) throw new Error(`node ${this.member.id} is down`);
    return this.#node;
  }

  /** A new process, with what is durable. */
  start(): void {
    const { stored, snapshot } = this.disk;
    this.#node = new RaftNode(this.member, this.config, stored, this.#random);
    this.state = [];
    this.appliedIndex = 0;
    if (snapshot !== null) this.#load(snapshot.meta);
    this.base = { ...(snapshot?.meta.last ?? { index: 0, epoch: 0 }) };
    this.log = stored.entries.filter(({ index }) => index > this.base.index);
  }

  /** The power is cut; the oldest `kept` of the batches under way had become durable. */
  crash(kept: number): void {
    this.#node = null;
    this.disk.cutPower(kept);
  }

  epochAt(index: number): number | undefined {
    if (index === this.base.index) return this.base.epoch;
    return this.log[index - this.base.index - 1]?.epoch;
  }

  entryAt(index: number): Entry | undefined {
    return index > this.base.index ? this.log[index - this.base.index - 1] : undefined;
  }

  /** Does what concerns this machine alone; `true` if it was that. */
  perform(effect: RaftEffect): boolean {
    switch (effect.kind) {
      case 'persist':
        this.#follow(effect);
        this.disk.write(effect);
        return true;
      case 'apply':
        for (const entry of effect.entries) this.#apply(entry);
        this.node.applied(this.appliedIndex);
        return true;
      case 'restore':
        this.#load(effect.snapshot);
        this.node.applied(this.appliedIndex);
        return true;
      case 'forget':
        this.disk.forget(effect.throughIndex);
        return true;
      default:
        return false;
    }
  }

  /** Takes a snapshot of all that is applied. */
  compact(): readonly RaftEffect[] {
    const meta = this.node.describeSnapshot(this.appliedIndex);
    if (meta === null || meta.last.index <= (this.disk.snapshot?.meta.last.index ?? 0)) return [];
    this.disk.save({ meta, content: Buffer.from(JSON.stringify(this.state)) });
    return this.node.compact(meta);
  }

  #apply(entry: Entry): void {
    if (entry.index !== this.appliedIndex + 1) {
      throw new Error(`entry ${entry.index} is applied after ${this.appliedIndex}`);
    }
    this.appliedIndex = entry.index;
    if (entry.kind === 'command') this.state.push(`${entry.index} ${textOf(entry.bytes)}`);
  }

  #load(meta: SnapshotMeta): void {
    const snapshot = this.disk.snapshot;
    if (snapshot === null || snapshot.meta.last.index !== meta.last.index) {
      throw new Error(`the snapshot to be loaded, of ${meta.last.index}, is not on the disk`);
    }
    this.state = JSON.parse(textOf(snapshot.content)) as string[];
    this.appliedIndex = meta.last.index;
  }

  #follow({ truncateFrom, entries, chunk }: Persist): void {
    if (truncateFrom !== null) this.log.length = truncateFrom - this.base.index - 1;
    this.log.push(...entries);
    if (chunk?.isLast !== true) return;
    this.base = { ...chunk.snapshot.last };
    this.log = [];
  }
}
