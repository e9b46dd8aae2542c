import type { ShardLog } from '../coordinator/shard-log.ts';
import type { Env } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { Configuration, Member, MembershipChange } from '../raft/configuration.ts';
import { memberOf, NO_CONFIGURATION, sameMember } from '../raft/configuration.ts';
import type { RefusalReason } from '../raft/effects.ts';
import type { RaftMessage } from '../raft/messages.ts';
import type { RaftStatus } from '../raft/raft-node.ts';
import type { Logger } from '../telemetry/logger.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import { isForOnlyVoter } from './hard-state.ts';
import type { LoadedMetadata } from './metadata-store.ts';
import { DEFAULT_TIMING, type QuorumTiming, type RaftLimits, raftTiming } from './quorum-config.ts';
import {
  type PeerNetwork,
  QuorumDriver,
  type SnapshotSource,
  type StateMachine,
  type TransferOutcome,
} from './quorum-driver.ts';
import { decodeRecords, encodeRecords } from './quorum-entry.ts';
import { RaftStorage, startState } from './raft-storage.ts';

/** Most bytes of records in one entry. */
const MAX_ENTRY_BYTES = 32 * 1024 * 1024;

export interface QuorumOptions {
  readonly dataDirectory: string;
  /** A snapshot takes the place of entries when there are this many. */
  readonly snapshotIntervalEntries: number;
  readonly timing?: QuorumTiming;
  /** Of Raft, in place of its defaults. */
  readonly limits?: RaftLimits;
  /** The metadata can no longer be stored or read, and the process has to end. Called once. */
  onFatal(error: unknown): void;
}

/** What the metadata log is replayed into, and written down from for snapshots. */
export interface MetadataMachine extends StateMachine {
  snapshot(): SnapshotSource;
}

/** The network of a node that is alone in its cluster. */
export const NO_PEERS: PeerNetwork = {
  send: () => assert(false, 'the only member has nobody to write to'),
};

/**
 * This node's end of the replicated log of the metadata (DESIGN D9). It is opened, begun once in the life
 * of a data directory, and started; from then on the machine is told of what is committed and who leads.
 */
export class MetadataQuorum implements ShardLog {
  readonly #options: QuorumOptions;
  readonly #env: Env;
  readonly #logger: Logger;
  readonly #storage: RaftStorage;
  #loaded: LoadedMetadata | undefined;
  /** Missing until `start`. */
  #driver: QuorumDriver | undefined;

  /** For `open`. */
  constructor(
    options: QuorumOptions,
    env: Env,
    logger: Logger,
    opened: { readonly storage: RaftStorage; readonly loaded: LoadedMetadata | undefined },
  ) {
    this.#options = options;
    this.#env = env;
    this.#logger = logger;
    this.#storage = opened.storage;
    this.#loaded = opened.loaded;
  }

  /**
   * Opens the metadata of a data directory; an empty one waits for `begin`.
   *
   * @throws StoreLockedError if another process uses the data directory
   * @throws DamagedMetadataError if the disk has lost or changed something
   * @throws NewerFormatError if a newer version of the program has written it
   */
  static async open(options: QuorumOptions, env: Env, logger: Logger): Promise<MetadataQuorum> {
    const opened = await RaftStorage.open(env, options.dataDirectory);
    return new MetadataQuorum(options, env, logger, opened);
  }

  /** True when the directory has been part of a cluster: it is not begun again. */
  get isBegun(): boolean {
    return this.#loaded !== undefined;
  }

  /** Where the log is kept; for forming and joining, before `start`. */
  get storage(): RaftStorage {
    return this.#storage;
  }

  /**
   * Makes this directory part of a cluster that is formed of these members, or of one that exists and will
   * send its log. Only on an empty data directory (DESIGN 4b rule 7). Durable with what is stored first.
   */
  async begin(configuration: Configuration | null): Promise<void> {
    assert(!this.isBegun, 'a directory becomes part of a cluster once');
    await this.#storage.begin(configuration);
  }

  /**
   * Takes part, as what the log says that this node is; a voter that is alone leads at once.
   *
   * @throws DamagedMetadataError if this node had the data directory under another directory id
   */
  start(self: Member, network: PeerNetwork, machine: MetadataMachine): void {
    assert(this.#driver === undefined, 'a node starts once');
    this.#checkIsSelf(self);
    const { snapshotIntervalEntries, onFatal, timing = DEFAULT_TIMING, limits } = this.#options;
    const { tickMs, raft } = raftTiming(timing);
    const driver = new QuorumDriver(
      {
        ...{ self, tickMs, raft: { ...raft, ...limits } },
        ...{ snapshotIntervalEntries, onFatal },
      },
      startState(this.#storage, this.#loaded),
      { ...this.#env, logger: this.#logger, storage: this.#storage, network, machine },
    );
    this.#loaded = undefined;
    this.#driver = driver;
    driver.provideSnapshots(() => machine.snapshot());
    driver.start();
  }

  /** The newest members that the directory had in its log when it was opened. Before `start`. */
  get storedMembers(): Configuration {
    const { snapshot, entries } = startState(this.#storage, this.#loaded);
    const newest = entries.findLast((entry) => entry.kind === 'configuration');
    return newest?.configuration ?? snapshot?.configuration ?? NO_CONFIGURATION;
  }

  /**
   * The records that were stored when the directory was opened, oldest first; perhaps with some that were
   * never committed. Before `start`.
   */
  *storedRecords(): Generator<Uint8Array> {
    if (this.#loaded === undefined) return;
    yield* this.#loaded.records;
    for (const entry of this.#loaded.entries) {
      if (entry.kind === 'command') yield* decodeRecords(entry.bytes);
    }
  }

  get status(): RaftStatus {
    return this.#started.status;
  }

  /** Everything up to here is in the machine. */
  get appliedIndex(): number {
    return this.#started.appliedIndex;
  }

  get nextPosition(): number {
    return this.#started.lastIndex + 1;
  }

  append(records: readonly Uint8Array[]): number {
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    if (bytes > MAX_ENTRY_BYTES) {
      const detail = `one change of the metadata takes ${bytes} bytes, at most ${MAX_ENTRY_BYTES} are possible`;
      throw new ApiError(Errors.REQUEST_TOO_LARGE, detail);
    }
    return this.#started.propose(encodeRecords(records)).index + 1;
  }

  /** Resolves with a position: a machine that has all below it may answer what was asked before. */
  async read(): Promise<number> {
    return (await this.#running().read()) + 1;
  }

  /** A message of a peer has come, which its network vouches for. */
  received(from: Member, to: Member, message: RaftMessage): void {
    this.#driver?.received(from, to, message);
  }

  unreachable(peer: Member): void {
    this.#driver?.unreachable(peer);
  }

  reachable(peer: Member): void {
    this.#driver?.reachable(peer);
  }

  /** See `QuorumDriver.changeMembership`. */
  async changeMembership(change: MembershipChange): Promise<RefusalReason | null> {
    return await this.#running().changeMembership(change);
  }

  /** See `QuorumDriver.transferLeadership`. */
  async transferLeadership(to: Member): Promise<TransferOutcome> {
    return await this.#running().transferLeadership(to);
  }

  /** Stores what was appended, refuses more, and lets the data directory go. */
  async close(): Promise<void> {
    await (this.#driver ?? this.#storage).close();
  }

  /** For what peers and clients may ask for at any time. */
  #running(): QuorumDriver {
    if (this.#driver !== undefined) return this.#driver;
    throw new ApiError(Errors.NOT_CONTROLLER, 'this node is not part of a cluster yet');
  }

  get #started(): QuorumDriver {
    assert(this.#driver !== undefined, 'a node takes part when it is started');
    return this.#driver;
  }

  /**
   * Who comes with another directory has lost what this one promised. The log alone says nothing of that:
   * a node that takes the place of one whose disk is gone is sent the members of before first.
   */
  #checkIsSelf(self: Member): void {
    const { hardState, snapshot } = startState(this.#storage, this.#loaded);
    const formed = snapshot?.last.index === 0 ? snapshot.configuration : NO_CONFIGURATION;
    const { votedFor } = hardState;
    const isOwnVote = votedFor?.id === self.id && !isForOnlyVoter(votedFor);
    const known = memberOf(formed, self.id) ?? (isOwnVote ? votedFor : null);
    if (known === null || sameMember(known, self)) return;
    const what = `its log knows node ${self.id} with data directory ${known.directoryId}, and this one is ${self.directoryId}`;
    throw new DamagedMetadataError(this.#options.dataDirectory, what);
  }
}
