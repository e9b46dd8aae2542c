import { setting } from '../../../src/config/setting.ts';
import { Controller } from '../../../src/controller/controller.ts';
import { FileError } from '../../../src/env/ports.ts';
import { type MetadataMachine, MetadataQuorum } from '../../../src/quorum/metadata-quorum.ts';
import { RaftStorage, type StorageBatch } from '../../../src/quorum/raft-storage.ts';
import type { Configuration, Member } from '../../../src/raft/configuration.ts';
import type { RoleName } from '../../../src/raft/effects.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import type { Fate } from '../env/fate.ts';
import type { SimulatedMachine } from '../env/simulated-env.ts';
import type { ObservedNode, RaftInvariants } from './checkers/raft-invariants.ts';
import { MirroredLog } from './mirrored-log.ts';
import type { ClusterShape } from './plan.ts';

const DATA = '/data';

/** What a topic of these clusters can have set for itself. */
export const TOPIC_SETTING = 'retention.ms';
const topicSettings = {
  value: setting.int({ key: TOPIC_SETTING, default: 0, min: 0, doc: 'A register of the clients.' }),
};

/** The process that runs on a node. */
export interface Life {
  readonly quorum: MetadataQuorum;
  readonly controller: Controller;
}

/** What a node needs of the cluster it is in. */
export interface NodeSurroundings {
  readonly shape: ClusterShape;
  readonly invariants: RaftInvariants;
  send(from: ClusterNode, to: Member, message: RaftMessage): void;
  /** The process has ended by itself: its disk failed. */
  ended(node: ClusterNode, error: unknown): void;
  note(node: ClusterNode, text: () => string): void;
  count(name: string): void;
}

/** A machine with a disk, and the metadata quorum and controller of a broker on it, as far as they run. */
export class ClusterNode implements ObservedNode {
  readonly member: Member;
  readonly machine: SimulatedMachine;
  readonly disk = new MirroredLog();
  role: RoleName = 'follower';
  epoch = 0;
  /** `null` while it is down, or starts. */
  life: Life | null = null;
  isStarting = false;
  /** Its disk is gone, and will not come back. */
  isRetired = false;
  readonly #formed: Configuration | null;
  readonly #around: NodeSurroundings;

  /** @param formed the members with which the cluster is formed; `null` for one that joins later */
  constructor(
    member: Member,
    machine: SimulatedMachine,
    formed: Configuration | null,
    around: NodeSurroundings,
  ) {
    this.member = member;
    this.machine = machine;
    this.#formed = formed;
    this.#around = around;
  }

  /** It has taken the id of a machine that lost its disk. */
  get isReplacement(): boolean {
    return this.member.directoryId !== `d${this.member.id}`;
  }

  get isDown(): boolean {
    return this.life === null && !this.isStarting && !this.isRetired;
  }

  /** Begins a process. It has begun when `life` is there. */
  start(): void {
    this.isStarting = true;
    this.#around.note(this, () => 'starts');
    const { incarnation } = this.machine;
    this.#open().catch((error) => {
      if (this.machine.incarnation === incarnation) this.#end(error);
    });
  }

  /** Ends the process; the machine can be started again. */
  stop(kind: 'process' | 'power', fate?: Fate): void {
    this.life = null;
    this.isStarting = false;
    this.role = 'follower';
    this.machine.crash(kind, fate);
    this.machine.restart();
  }

  /** Whatever comes from outside goes through here: not to the dead, and late to who stands still. */
  deliver(fn: (life: Life) => void): boolean {
    const { life } = this;
    if (life === null) return false;
    this.machine.incarnation.deliver(() => fn(life));
    return true;
  }

  async #open(): Promise<void> {
    const { machine, member } = this;
    const { env } = machine;
    const { invariants, shape } = this.#around;
    await env.files.makeDirectory(DATA).catch((error) => {
      if (!(error instanceof FileError && error.code === 'EEXIST')) throw error;
    });
    await env.files.syncDirectory('/');
    const opened = await RaftStorage.open(env, DATA);
    invariants.opened(this, opened.loaded);
    if (opened.loaded !== undefined) this.disk.load(opened.loaded);
    this.#observe(opened.storage);
    const options = {
      ...{ dataDirectory: DATA, timing: shape.timing, limits: shape.limits },
      snapshotIntervalEntries: shape.snapshotIntervalEntries,
      onFatal: (error: unknown) => this.#end(error),
    };
    const quorum = new MetadataQuorum(options, env, this.#logger, opened);
    if (!quorum.isBegun) await quorum.begin(this.#formed);
    const controller = new Controller(
      {
        defaultPartitions: 1,
        defaultReplicationFactor: 1,
        maxPartitionsPerTopic: 4,
        sessionTimeoutMs: 9_000,
      },
      env.random,
      quorum,
      { clusterId: 'cluster', directoryId: member.directoryId },
      topicSettings,
    );
    this.life = { quorum, controller };
    this.isStarting = false;
    const network = {
      send: (to: Member, message: RaftMessage) => {
        invariants.sent(this, to, message);
        this.#around.send(this, to, message);
      },
    };
    quorum.start(member, network, this.#observed(quorum, controller));
  }

  /** The process is over, and what was under way on its disk goes as far as it goes. */
  #end(error: unknown): void {
    this.stop('process');
    this.#around.ended(this, error);
  }

  #observe(storage: RaftStorage): void {
    const write = storage.write.bind(storage);
    storage.write = async (batch: StorageBatch) => {
      this.#around.invariants.storing(this, batch);
      if (batch.truncateFrom !== null) this.#around.count('truncation');
      await write(batch);
      this.disk.write(batch);
    };
    const save = storage.saveSnapshot.bind(storage);
    storage.saveSnapshot = (meta, records) => {
      this.#around.count('snapshot made');
      this.#around.invariants.snapshot(this, meta, records);
      return save(meta, records);
    };
  }

  #observed(quorum: MetadataQuorum, { replica }: Controller): MetadataMachine {
    const { invariants, note, count } = this.#around;
    return {
      apply: (entries) => {
        const last = entries.at(-1)!;
        invariants.applied(this, entries, () => {
          replica.apply(entries);
          return replica.image;
        });
        if (this.role === 'leader') invariants.counted(this, last, quorum.status);
        for (const { kind } of entries) count(`apply ${kind}`);
        note(this, () => `applies ${entries[0]!.index}..${last.index}`);
      },
      restore: (snapshot, records) => {
        invariants.snapshot(this, snapshot, records);
        replica.restore(snapshot, records);
        count('restore');
        note(this, () => `restores a snapshot at ${snapshot.last.index}/${snapshot.last.epoch}`);
      },
      became: (role, epoch, leader) => {
        this.role = role;
        this.epoch = epoch;
        invariants.became(this, role, epoch);
        count(`became ${role}`);
        note(this, () => `is ${role} in e${epoch}${leader === null ? '' : ` of ${leader.id}`}`);
        replica.became(role, epoch, leader);
      },
      snapshot: () => replica.snapshot(),
    };
  }

  /** What the quorum passes over is told in its log alone. */
  get #logger(): Logger {
    return {
      ...silentLogger,
      debug: (fields) => {
        const { reason } = fields;
        if (typeof reason !== 'string') return;
        this.#around.count(`ignored ${reason}`);
        this.#around.note(this, () => `passes over a message of ${fields['from']}: ${reason}`);
      },
    };
  }
}
