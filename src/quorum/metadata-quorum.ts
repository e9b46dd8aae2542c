import type { LoadedEntry } from '../coordinator/coordinator-runtime.ts';
import type { ShardLog } from '../coordinator/shard-log.ts';
import type { Env, FileSystem } from '../env/ports.ts';
import { encodeMetadataRecord } from '../metadata/metadata-record-codec.ts';
import { METADATA_FORMAT } from '../metadata/metadata-records.ts';
import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type LeaderEpoch, leaderEpoch, type NodeId } from '../model/ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import { type HardState, INITIAL_HARD_STATE } from './hard-state.ts';
import { HardStateFile } from './hard-state-file.ts';
import { type LoadedMetadata, MetadataStore } from './metadata-store.ts';
import type { QuorumEntry } from './quorum-entry.ts';

/** Most bytes of records in one entry. */
const MAX_ENTRY_BYTES = 32 * 1024 * 1024;

export interface QuorumOptions {
  readonly dataDirectory: string;
  readonly nodeId: NodeId;
  /** A snapshot takes the place of entries when there are this many. */
  readonly snapshotIntervalEntries: number;
  /** Storing failed: nothing is known about the disk, and the process has to end. Called once. */
  onFatal(error: unknown): void;
}

/** A state that can be written down as records. */
export interface SnapshotSource {
  /** Every entry below this position is in the state, and is committed. */
  readonly position: number;
  records(): readonly Uint8Array[];
}

interface Waiter {
  readonly position: number;
  resolve(): void;
  reject(error: ApiError): void;
}

/**
 * The replicated log of the metadata (DESIGN D9), with this node as its one voter. What is appended
 * in one turn, or while the disk is busy, is stored together; it is committed when both the store
 * and the hard state file are durable, in this order: a store that is behind the file has lost
 * something.
 */
export class MetadataQuorum implements ShardLog {
  readonly #options: QuorumOptions;
  readonly #env: Env;
  readonly #logger: Logger;
  readonly #store: MetadataStore;
  /** Missing until the cluster is formed. */
  #file: HardStateFile | undefined;
  #hardState: HardState = INITIAL_HARD_STATE;
  /** Index of the last entry that was appended, stored or not. */
  #appendedIndex = 0;
  #snapshotIndex = 0;
  #snapshotSource: (() => SnapshotSource) | undefined;
  #loaded: LoadedEntry<Uint8Array>[] = [];
  /** Appended and not yet being stored; bounded by those who wait for it. */
  #queue: QuorumEntry[] = [];
  #waiters: Waiter[] = [];
  /** Not null while entries are on their way to the disk. */
  #flushing: Promise<void> | null = null;
  /** Why nothing can be appended any more. */
  #stoppedBy: ApiError | null = null;

  /** For `open`. */
  constructor(options: QuorumOptions, env: Env, logger: Logger, store: MetadataStore) {
    this.#options = options;
    this.#env = env;
    this.#logger = logger;
    this.#store = store;
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
    const store = await MetadataStore.open(env.stores, options.dataDirectory);
    const quorum = new MetadataQuorum(options, env, logger, store);
    try {
      await quorum.#recover(env.files);
    } catch (error) {
      // What went wrong first says more than what may go wrong in closing after it.
      await quorum.close().catch(() => {});
      throw error;
    }
    return quorum;
  }

  /** True when there is a cluster; nothing can be appended before. */
  get isFormed(): boolean {
    return this.#hardState.lastIndex > 0;
  }

  /** The epoch that this node leads in. */
  get epoch(): LeaderEpoch {
    return this.#hardState.epoch;
  }

  get nextPosition(): number {
    return this.#appendedIndex + 1;
  }

  /** Makes a new cluster of this node alone. Only on an empty data directory (DESIGN 4b rule 7). */
  async form(clusterId: string, directoryId: string): Promise<void> {
    assert(!this.isFormed, 'a cluster is formed once, on an empty data directory');
    if (this.#stoppedBy !== null) throw this.#stoppedBy;
    const format = METADATA_FORMAT;
    const cluster = encodeMetadataRecord({ type: 'cluster', format, clusterId, directoryId });
    try {
      // Comes after the store was made, so that one fsync of the folder covers both their names.
      // Done anew if it was begun before: its name is perhaps not durable.
      await this.#file?.close();
      this.#file = await HardStateFile.create(this.#env.files, this.#options.dataDirectory);
      await this.#lead([cluster]);
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
    this.#snapshotSource = source;
  }

  append(records: readonly Uint8Array[]): number {
    assert(this.isFormed, 'a cluster is formed before anything is appended');
    if (this.#stoppedBy !== null) throw this.#stoppedBy;
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    if (bytes > MAX_ENTRY_BYTES) {
      const detail = `one change of the metadata takes ${bytes} bytes, at most ${MAX_ENTRY_BYTES} are possible`;
      throw new ApiError(Errors.REQUEST_TOO_LARGE, detail);
    }
    const index = ++this.#appendedIndex;
    this.#queue.push({ kind: 'records', index, epoch: this.epoch, records });
    this.#flushing ??= this.#flushNextTurn();
    return index + 1;
  }

  committed(position: number): Promise<void> {
    assert(position <= this.nextPosition, 'only what was appended can be waited for');
    if (position <= this.#hardState.commitIndex + 1) return Promise.resolve();
    if (this.#stoppedBy !== null) return Promise.reject(this.#stoppedBy);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ position, resolve, reject });
    });
  }

  /** Stores what was appended, refuses more, and lets the data directory go. */
  async close(): Promise<void> {
    this.#stoppedBy ??= new ApiError(Errors.NOT_CONTROLLER, 'the controller has stopped');
    await this.#flushing;
    await this.#file?.close();
    await this.#store.close();
  }

  async #recover(files: FileSystem): Promise<void> {
    const { dataDirectory } = this.#options;
    this.#file = await HardStateFile.open(files, dataDirectory);
    const loaded = await this.#store.load();
    checkAgreement(dataDirectory, loaded, this.#file?.state);
    if (loaded === undefined) return;
    const { hardState, snapshot, entries } = loaded;
    this.#hardState = hardState;
    this.#appendedIndex = hardState.lastIndex;
    this.#snapshotIndex = snapshot?.lastIndex ?? 0;
    // The file does not vouch for the last entries if the process was killed before it was written.
    // They were perhaps only in the page cache, so they are stored again before they count.
    const vouched = this.#file?.state.lastIndex ?? 0;
    await this.#file?.confirm();
    this.#queue.push(...entries.filter((entry) => entry.index > vouched));
    await this.#lead([]);
    if (snapshot !== undefined) {
      this.#loaded.push({ position: snapshot.lastIndex, records: snapshot.records });
    }
    for (const entry of entries) {
      if (entry.kind === 'records') {
        this.#loaded.push({ position: entry.index, records: entry.records });
      }
    }
    const fields = { epoch: this.epoch, lastIndex: hardState.lastIndex, entries: entries.length };
    this.#logger.info(fields, 'the metadata was loaded');
  }

  /**
   * Begins the next epoch with a leader-change entry, and `records` after it. One voter elects
   * itself by making its vote durable; the entry may be in the same batch, for nobody acts on
   * either before that.
   */
  async #lead(records: readonly Uint8Array[]): Promise<void> {
    const epoch = leaderEpoch(this.#hardState.epoch + 1);
    const leader = this.#options.nodeId;
    this.#queue.push({ kind: 'leader-change', index: ++this.#appendedIndex, epoch, leader });
    if (records.length > 0) {
      this.#queue.push({ kind: 'records', index: ++this.#appendedIndex, epoch, records });
      this.#loaded.push({ position: this.#appendedIndex, records });
    }
    await this.#storeQueue(epoch);
  }

  #flushNextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#env.timers.nextTurn(() => resolve(this.#flush()));
    });
  }

  /** Stores until nothing is left; what is appended meanwhile makes the next group. */
  async #flush(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        await this.#storeQueue(this.epoch);
        this.#resolveCommitted();
        await this.#snapshotIfDue();
      }
    } catch (error) {
      this.#fail(error);
    }
    // No await since the queue was found empty: nothing can have been appended.
    this.#flushing = null;
  }

  /** Makes everything in the queue durable and committed. */
  async #storeQueue(epoch: LeaderEpoch): Promise<void> {
    const entries = this.#queue;
    this.#queue = [];
    const lastIndex = entries.at(-1)!.index;
    // The only voter: what it has stored is stored by a majority.
    const hardState = { epoch, votedFor: this.#options.nodeId, commitIndex: lastIndex, lastIndex };
    await this.#store.write(entries, hardState);
    await this.#file!.write(hardState);
    this.#hardState = hardState;
  }

  #resolveCommitted(): void {
    const reached = this.#hardState.commitIndex + 1;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.position > reached);
    for (const waiter of waiters) if (waiter.position <= reached) waiter.resolve();
  }

  async #snapshotIfDue(): Promise<void> {
    const source = this.#snapshotSource?.();
    if (source === undefined) return;
    const lastIndex = source.position - 1;
    if (lastIndex - this.#snapshotIndex < this.#options.snapshotIntervalEntries) return;
    assert(lastIndex <= this.#hardState.commitIndex, 'only committed entries go into a snapshot');
    // Before any await: the records are those of this position.
    const records = source.records();
    const epoch = await this.#store.epochOf(lastIndex);
    await this.#store.replaceSnapshot({ lastIndex, epoch, records });
    this.#snapshotIndex = lastIndex;
    this.#logger.info({ lastIndex }, 'a snapshot of the metadata was stored');
  }

  #fail(error: unknown): void {
    const waiters = this.#waiters;
    const stoppedBy = cannotStore(error);
    this.#stoppedBy = stoppedBy;
    this.#waiters = [];
    this.#queue = [];
    for (const waiter of waiters) waiter.reject(stoppedBy);
    this.#logger.error({ err: error }, 'the metadata could not be stored');
    this.#options.onFatal(error);
  }
}

const cannotStore = (cause: unknown): ApiError =>
  new ApiError(Errors.NOT_CONTROLLER, `this node cannot store the metadata: ${cause}`, { cause });

/** The file is written after the store: a store that is behind it has lost what was durable. */
function checkAgreement(
  dataDirectory: string,
  loaded: LoadedMetadata | undefined,
  file: HardState | undefined,
): void {
  if (file === undefined) {
    if (loaded === undefined) return;
    throw new DamagedMetadataError(dataDirectory, 'the file hard-state is missing');
  }
  const store = loaded?.hardState ?? INITIAL_HARD_STATE;
  if (store.lastIndex < file.lastIndex || store.epoch < file.epoch) {
    const ends = ({ lastIndex, epoch }: HardState) => `entry ${lastIndex} of epoch ${epoch}`;
    const what = `the store ends at ${ends(store)}, the file hard-state at ${ends(file)}`;
    throw new DamagedMetadataError(dataDirectory, what);
  }
}
