import type { LoadedEntry } from '../coordinator/coordinator-runtime.ts';
import type { ShardLog } from '../coordinator/shard-log.ts';
import type { Env } from '../env/ports.ts';
import { encodeMetadataRecord } from '../metadata/metadata-record-codec.ts';
import { METADATA_FORMAT } from '../metadata/metadata-records.ts';
import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { LeaderEpoch, NodeId } from '../model/ids.ts';
import type { Configuration, Member } from '../raft/configuration.ts';
import type { RoleName } from '../raft/effects.ts';
import type { Entry, SnapshotMeta } from '../raft/entry.ts';
import type { Logger } from '../telemetry/logger.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import { INITIAL_HARD_STATE } from './hard-state.ts';
import { DEFAULT_TIMING, type QuorumTiming, raftTiming } from './quorum-config.ts';
import { cannotStore, QuorumDriver, type SnapshotSource } from './quorum-driver.ts';
import { decodeRecords, encodeRecords } from './quorum-entry.ts';
import { RaftStorage, type StartState, startState } from './raft-storage.ts';

/** Most bytes of records in one entry. */
const MAX_ENTRY_BYTES = 32 * 1024 * 1024;

export interface QuorumOptions {
  readonly dataDirectory: string;
  readonly nodeId: NodeId;
  /** A snapshot takes the place of entries when there are this many. */
  readonly snapshotIntervalEntries: number;
  readonly timing?: QuorumTiming;
  /** Storing failed: nothing is known about the disk, and the process has to end. Called once. */
  onFatal(error: unknown): void;
}

/**
 * The replicated log of the metadata (DESIGN D9), with this node as its one voter: it is elected when it
 * opens, and what it has stored is committed.
 */
export class MetadataQuorum implements ShardLog {
  readonly #options: QuorumOptions;
  readonly #env: Env;
  readonly #logger: Logger;
  readonly #storage: RaftStorage;
  /** Missing until the cluster is formed. */
  #driver: QuorumDriver | undefined;
  #loaded: LoadedEntry<Uint8Array>[] = [];
  /** The only voter's log ends with what it appended last. */
  #nextPosition = 1;
  /** Why nothing can be appended any more. */
  #stoppedBy: ApiError | null = null;

  /** For `open`. */
  constructor(options: QuorumOptions, env: Env, logger: Logger, storage: RaftStorage) {
    this.#options = options;
    this.#env = env;
    this.#logger = logger;
    this.#storage = storage;
  }

  /**
   * Opens the metadata of a data directory and begins to lead in a new epoch; an empty one waits for
   * `form`.
   *
   * @throws StoreLockedError if another process uses the data directory
   * @throws DamagedMetadataError if the disk has lost or changed something
   * @throws NewerFormatError if a newer version of the program has written it
   */
  static async open(options: QuorumOptions, env: Env, logger: Logger): Promise<MetadataQuorum> {
    const { storage, loaded } = await RaftStorage.open(env, options.dataDirectory);
    const quorum = new MetadataQuorum(options, env, logger, storage);
    if (loaded === undefined || !quorum.isFormed) return quorum;
    try {
      await quorum.#lead(startState(storage, loaded), []);
    } catch (error) {
      // What went wrong first says more than what may go wrong in closing after it.
      await quorum.close().catch(() => {});
      throw error;
    }
    const fields = { epoch: quorum.epoch, entries: loaded.entries.length };
    logger.info({ ...fields, lastIndex: loaded.hardState.last.index }, 'the metadata was loaded');
    return quorum;
  }

  /** True when there is a cluster; nothing can be appended before. */
  get isFormed(): boolean {
    return this.#storage.hardState.last.index > 0;
  }

  /** The epoch that this node leads in. */
  get epoch(): LeaderEpoch {
    return this.#storage.hardState.epoch;
  }

  get nextPosition(): number {
    return this.#nextPosition;
  }

  /** Makes a new cluster of this node alone. Only on an empty data directory (DESIGN 4b rule 7). */
  async form(clusterId: string, directoryId: string): Promise<void> {
    assert(!this.isFormed, 'a cluster is formed once, on an empty data directory');
    if (this.#stoppedBy !== null) throw this.#stoppedBy;
    const format = METADATA_FORMAT;
    const cluster = encodeMetadataRecord({ type: 'cluster', format, clusterId, directoryId });
    const voters = [{ id: this.#options.nodeId, directoryId }];
    const configuration = { voters, learners: [] };
    const snapshot = { last: INITIAL_HARD_STATE.last, configuration, configurationIndex: 0 };
    try {
      await this.#storage.begin(snapshot);
      await this.#lead(startState(this.#storage, undefined), [cluster]);
    } catch (error) {
      this.#stoppedBy = cannotStore(error);
      throw error;
    }
    this.#logger.info({ clusterId, directoryId }, 'a new cluster was formed');
  }

  /** What is committed, from the snapshot on, oldest first. Handed over once, and forgotten here. */
  takeEntries(): LoadedEntry<Uint8Array>[] {
    const entries = this.#loaded;
    this.#loaded = [];
    return entries;
  }

  /** From now on snapshots are made of what `source` gives. */
  provideSnapshots(source: () => SnapshotSource): void {
    this.#driver?.provideSnapshots(source);
  }

  append(records: readonly Uint8Array[]): number {
    assert(this.isFormed, 'a cluster is formed before anything is appended');
    if (this.#stoppedBy !== null) throw this.#stoppedBy;
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    if (bytes > MAX_ENTRY_BYTES) {
      const detail = `one change of the metadata takes ${bytes} bytes, at most ${MAX_ENTRY_BYTES} are possible`;
      throw new ApiError(Errors.REQUEST_TOO_LARGE, detail);
    }
    this.#nextPosition = this.#driver!.propose(encodeRecords(records)).index + 1;
    return this.#nextPosition;
  }

  committed(position: number): Promise<void> {
    assert(position <= this.nextPosition, 'only what was appended can be waited for');
    return this.#driver?.committed(position - 1) ?? Promise.resolve();
  }

  /** Stores what was appended, refuses more, and lets the data directory go. */
  async close(): Promise<void> {
    this.#stoppedBy ??= new ApiError(Errors.NOT_CONTROLLER, 'the controller has stopped');
    await (this.#driver ?? this.#storage).close();
  }

  /** Is elected, appends `records` if there are any, and resolves when all that is in the log is applied. */
  async #lead(start: StartState, records: readonly Uint8Array[]): Promise<void> {
    const self = this.#onlyVoter(start);
    let first: (position: number) => void = () => {};
    let failed: (error: unknown) => void = () => {};
    const led = new Promise<number>((resolve, reject) => {
      first = resolve;
      failed = reject;
    });
    let isLoading = true;
    const driver = new QuorumDriver(
      {
        ...this.#options,
        ...{ self, ...raftTiming(this.#options.timing ?? DEFAULT_TIMING) },
        onFatal: (error) => (isLoading ? failed(error) : this.#options.onFatal(error)),
      },
      start,
      {
        ...this.#env,
        logger: this.#logger,
        storage: this.#storage,
        network: { send: () => assert(false, 'the only voter has nobody to write to') },
        machine: {
          apply: (entries) => {
            if (isLoading) this.#load(entries);
          },
          restore: ({ last }, state) => {
            this.#loaded.push({ position: last.index, records: state });
          },
          became: (role: RoleName) => {
            if (role !== 'leader') return;
            // With the entry that begins the epoch: one batch for both.
            if (records.length > 0) driver.propose(encodeRecords(records));
            first(driver.status.last.index);
          },
        },
      },
    );
    this.#driver = driver;
    driver.start();
    const lastIndex = await led;
    await driver.committed(lastIndex);
    this.#nextPosition = lastIndex + 1;
    isLoading = false;
  }

  #load(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'command') continue;
      this.#loaded.push({ position: entry.index, records: decodeRecords(entry.bytes) });
    }
  }

  #onlyVoter({
    snapshot,
    entries,
  }: {
    snapshot: SnapshotMeta | null;
    entries: readonly Entry[];
  }): Member {
    const newest = entries.findLast((entry) => entry.kind === 'configuration');
    const members: Configuration | undefined = newest?.configuration ?? snapshot?.configuration;
    const [self, ...others] = members?.voters ?? [];
    if (self !== undefined && others.length === 0) return self;
    const what = `${members?.voters.length ?? 0} voters are in its log, and only one is possible`;
    throw new DamagedMetadataError(this.#options.dataDirectory, what);
  }
}
