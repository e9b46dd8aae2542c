import type { FileSystem, KeyValueStores } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import { type LeaderEpoch, leaderEpoch } from '../model/ids.ts';
import { type Configuration, sameMember } from '../raft/configuration.ts';
import type { Entry, HardState, Position, SnapshotMeta, StoredState } from '../raft/entry.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import { INITIAL_HARD_STATE, isForOnlyVoter, type StoredHardState } from './hard-state.ts';
import { HardStateFile } from './hard-state-file.ts';
import { type LoadedMetadata, MetadataStore, type StoreChange } from './metadata-store.ts';
import type { LinkedEntry } from './quorum-entry.ts';
import { encodeSnapshot, lastIndexOfChunk } from './snapshot-chunks.ts';
import { type StreamPiece, sliceOfStream } from './snapshot-stream.ts';

/** A snapshot that has come from a leader, whole. */
export interface CompleteSnapshot {
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
}

/** What becomes durable at once, in this order: hard state, truncation, entries; or a snapshot in the place of all. */
export interface StorageBatch {
  readonly hardState: HardState | null;
  readonly truncateFrom: number | null;
  readonly entries: readonly Entry[];
  readonly snapshot: CompleteSnapshot | null;
}

/** What was found when the storage was opened. */
export interface StartState extends StoredState {
  /** The state that `snapshot` stands for. */
  readonly records: readonly Uint8Array[];
}

type Ports = { readonly files: FileSystem; readonly stores: KeyValueStores };

/**
 * Raft's state on the disk: the store, and beside it the file `hard-state`, which is written after every
 * batch of the store and so knows how far the store has to reach (DESIGN D9). One write at a time.
 *
 * Why no loss goes unnoticed, and no truncation is taken for one. Every batch carries a hard state with
 * the number of the batch, one more than the one before, and the file has the hard state of the last
 * batch that is durable. So:
 *
 * - The last batches are lost: the number in the store is behind that in the file. Nothing else puts it
 *   there, as the file is written when the store's sync is done. A new leader's truncation lowers the last
 *   index and raises the number like any batch.
 * - Batches in the middle are lost, the last one is there: its hard state names the last entry (index
 *   and epoch), and each entry the epoch of its predecessor, down to the snapshot. An index and an epoch
 *   name one entry in all logs, so what passes this chain is the log that the last batch saw: entries that
 *   a lost batch wrote are missing, and those that it cut off or replaced are of another epoch. A lost vote
 *   or epoch is one of an older batch, and the last one carries the newer.
 * - Only a snapshot of this node itself is not synced and in no chain. Without it, what it took the place
 *   of is there again, which says the same.
 *
 * The file may be behind the store by what was written when the process ended. That is lawful; but it was
 * perhaps only in the page cache, and is stored again before anybody relies on it (`changedFrom`).
 */
export class RaftStorage {
  readonly #files: FileSystem;
  readonly #dataDirectory: string;
  readonly #store: MetadataStore;
  /** Missing until `begin`. */
  #file: HardStateFile | undefined;
  #hardState: StoredHardState = INITIAL_HARD_STATE;
  #snapshot: SnapshotMeta | null = null;
  /** Of each chunk of the snapshot. */
  #chunkBytes: readonly number[] = [];
  /** By index, from that of the snapshot to the last one. */
  #epochs = new Map<number, LeaderEpoch>([[0, leaderEpoch(0)]]);
  /** The snapshot's meta goes into the next batch: it is not in the store. */
  #isMetaDue = false;

  constructor(files: FileSystem, dataDirectory: string, store: MetadataStore) {
    this.#files = files;
    this.#dataDirectory = dataDirectory;
    this.#store = store;
  }

  /**
   * Opens and checks what is stored, and makes all of it durable. What is not in order is refused, and
   * nothing is changed then.
   *
   * @throws StoreLockedError if another process uses the data directory
   * @throws DamagedMetadataError if the disk has lost or changed something
   * @throws NewerFormatError if a newer version of the program has written it
   */
  static async open(
    ports: Ports,
    dataDirectory: string,
  ): Promise<{ readonly storage: RaftStorage; readonly loaded: LoadedMetadata | undefined }> {
    const store = await MetadataStore.open(ports.stores, dataDirectory);
    const storage = new RaftStorage(ports.files, dataDirectory, store);
    try {
      return { storage, loaded: await storage.#recover() };
    } catch (error) {
      // What went wrong first says more than what may go wrong in closing after it.
      await storage.close().catch(() => {});
      throw error;
    }
  }

  /** What `write` and `begin` have made durable, or `open` has found. */
  get hardState(): StoredHardState {
    return this.#hardState;
  }

  /** The newest, its chunks stored; at index 0 the empty state of a new cluster. */
  get snapshot(): SnapshotMeta | null {
    return this.#snapshot;
  }

  /**
   * Makes the file, before the first write. With `members` a cluster is formed of them: they are stored with
   * the first batch. Again if it was begun before: the name of the file is perhaps not durable.
   */
  async begin(members: Configuration | null): Promise<void> {
    assert(this.#hardState.last.index === 0, 'a log begins once');
    // Comes after the store was made, so that one fsync of the folder covers both their names.
    await this.#file?.close();
    this.#file = undefined;
    this.#file = await HardStateFile.create(this.#files, this.#dataDirectory, this.#hardState);
    const { last } = INITIAL_HARD_STATE;
    this.#snapshot = members && { last, configuration: members, configurationIndex: 0 };
    this.#isMetaDue = members !== null;
  }

  /** Durable when it resolves. After an error nothing is known about the disk: no call may follow but `close`. */
  async write(batch: StorageBatch): Promise<void> {
    const { hardState, truncateFrom, entries, snapshot } = batch;
    const before = this.#hardState;
    if (snapshot !== null) {
      this.#epochs = new Map([[snapshot.meta.last.index, snapshot.meta.last.epoch]]);
    }
    if (truncateFrom !== null) this.#cut(truncateFrom);
    const linked = entries.map((entry) => this.#link(entry));
    const changedFrom = truncateFrom ?? before.last.index + 1;
    const deletedFrom = snapshot === null ? truncateFrom : 1;
    await this.#commit({
      hardState: {
        epoch: hardState?.epoch ?? before.epoch,
        votedFor: hardState === null ? before.votedFor : hardState.votedFor,
        batch: before.batch + 1,
        last: this.#lastAfter(batch),
        changedFrom: snapshot === null ? changedFrom : 0,
      },
      deleted: deletedFrom === null ? null : { from: deletedFrom, through: before.last.index },
      entries: linked,
      snapshot: snapshot ?? (this.#isMetaDue ? { meta: this.#snapshot! } : null),
    });
    this.#isMetaDue = false;
  }

  /**
   * Puts a snapshot of this node's own state in the place of the entries it stands for. Not synced: if a
   * power cut takes it, what it replaces is there again.
   */
  async saveSnapshot(meta: SnapshotMeta, records: readonly Uint8Array[]): Promise<void> {
    const { index, epoch } = meta.last;
    assert(index > (this.#snapshot?.last.index ?? 0), 'snapshots get newer');
    assert(this.#epochs.get(index) === epoch, 'a snapshot is made of what is stored');
    const chunks = encodeSnapshot({ lastIndex: index, epoch, records });
    const change: StoreChange = {
      hardState: null,
      deleted: { from: 1, through: index },
      entries: [],
      snapshot: { meta, chunks },
    };
    await this.#store.write(change, { sync: false });
    for (const each of this.#epochs.keys()) if (each < index) this.#epochs.delete(each);
    this.#snapshotIs(meta, chunks);
  }

  /** A piece of a snapshot for a follower; `null` if the snapshot is not there any more. */
  async readPiece(index: number, offset: number, bytesMax: number): Promise<StreamPiece | null> {
    if (this.#snapshot?.last.index !== index) return null;
    return await sliceOfStream(this.#chunkBytes, offset, bytesMax, async (number) => {
      const value = await this.#store.chunk(number);
      // Another one may have taken its place meanwhile.
      return value !== undefined && lastIndexOfChunk(value) === index ? value : null;
    });
  }

  async close(): Promise<void> {
    await this.#file?.close();
    await this.#store.close();
  }

  async #recover(): Promise<LoadedMetadata | undefined> {
    this.#file = await HardStateFile.open(this.#files, this.#dataDirectory);
    const loaded = await this.#store.load();
    checkAgreement(this.#dataDirectory, loaded, this.#file?.state);
    if (loaded === undefined) return undefined;
    const { hardState, snapshot, entries } = loaded;
    this.#hardState = hardState;
    this.#snapshot = snapshot;
    this.#chunkBytes = loaded.chunkBytes;
    this.#epochs = new Map(entries.map(({ index, epoch }) => [index, epoch]));
    const base = snapshot?.last ?? INITIAL_HARD_STATE.last;
    this.#epochs.set(base.index, base.epoch);
    const file = this.#file!;
    await file.confirm();
    const isAhead = hardState.batch > file.state.batch;
    if (isAhead || loaded.isOlder) await this.#storeAgain(loaded, file.state);
    return loaded;
  }

  /**
   * What the file does not vouch for was perhaps only in the page cache: the batch too that deleted what
   * stood behind the present end, up to that of the file.
   */
  async #storeAgain(loaded: LoadedMetadata, vouched: StoredHardState): Promise<void> {
    const { hardState, snapshot, records, isOlder } = loaded;
    const { last, batch } = hardState;
    const changedFrom = Math.min(hardState.changedFrom, vouched.last.index + 1);
    const entries = loaded.entries.filter(({ index }) => index >= changedFrom);
    const isSnapshotIn = snapshot !== null && (changedFrom === 0 || isOlder);
    await this.#commit({
      hardState: { ...hardState, batch: batch + 1, changedFrom },
      deleted: { from: last.index + 1, through: vouched.last.index },
      entries: entries.map((entry) => this.#link(entry)),
      snapshot: isSnapshotIn || snapshot?.last.index === 0 ? withChunks(snapshot, records) : null,
    });
  }

  async #commit(change: StoreChange & { readonly hardState: StoredHardState }): Promise<void> {
    const { hardState, snapshot } = change;
    assert(this.#file !== undefined, 'a log is begun before anything is written');
    await this.#store.write(change, { sync: true });
    await this.#file.write(hardState);
    this.#hardState = hardState;
    if (snapshot?.chunks !== undefined) this.#snapshotIs(snapshot.meta, snapshot.chunks);
  }

  #lastAfter({ entries, snapshot, truncateFrom }: StorageBatch): Position {
    const last = entries.at(-1);
    if (last !== undefined) return { index: last.index, epoch: last.epoch };
    if (snapshot !== null) return snapshot.meta.last;
    if (truncateFrom === null) return this.#hardState.last;
    return { index: truncateFrom - 1, epoch: this.#epochs.get(truncateFrom - 1)! };
  }

  #cut(from: number): void {
    const { index } = this.#hardState.last;
    assert(from > (this.#snapshot?.last.index ?? 0), 'what a snapshot stands for is not cut off');
    for (let at = from; at <= index; at++) this.#epochs.delete(at);
  }

  #link(entry: Entry): LinkedEntry {
    const previousEpoch = this.#epochs.get(entry.index - 1);
    assert(previousEpoch !== undefined, 'a log has no gap');
    this.#epochs.set(entry.index, entry.epoch);
    return { entry, previousEpoch };
  }

  #snapshotIs(meta: SnapshotMeta, chunks: readonly Uint8Array[]): void {
    this.#snapshot = meta;
    this.#chunkBytes = chunks.map(({ length }) => length);
  }
}

/** The state in which a cluster was formed has no chunks. */
function withChunks(meta: SnapshotMeta, records: readonly Uint8Array[]) {
  const { index, epoch } = meta.last;
  if (index === 0) return { meta };
  return { meta, chunks: encodeSnapshot({ lastIndex: index, epoch, records }) };
}

/** What a node is started with, when `open`, or `begin` after it, is done. */
export const startState = (
  { hardState, snapshot }: RaftStorage,
  loaded: LoadedMetadata | undefined,
): StartState => ({
  ...{ hardState, snapshot },
  ...{ records: loaded?.records ?? [], entries: loaded?.entries ?? [] },
});

/** A store that is behind the file has lost what was durable. */
function checkAgreement(
  dataDirectory: string,
  loaded: LoadedMetadata | undefined,
  file: StoredHardState | undefined,
): void {
  if (file === undefined) {
    if (loaded === undefined) return;
    throw new DamagedMetadataError(dataDirectory, 'the file hard-state is missing');
  }
  const store = loaded?.hardState ?? INITIAL_HARD_STATE;
  const isSame =
    store.batch === file.batch &&
    store.epoch === file.epoch &&
    store.last.index === file.last.index &&
    store.last.epoch === file.last.epoch;
  const isAhead = store.batch > file.batch && store.epoch >= file.epoch;
  if ((isSame || isAhead) && keepsVote(store, file)) return;
  const what = `the store ends with ${endOf(store)}, the file hard-state with ${endOf(file)}`;
  throw new DamagedMetadataError(dataDirectory, what);
}

/** A vote of the file is one of the store, unless that has a newer epoch. */
function keepsVote(store: StoredHardState, file: StoredHardState): boolean {
  if (store.epoch > file.epoch || file.votedFor === null) return true;
  if (store.votedFor === null) return false;
  if (isForOnlyVoter(file.votedFor)) return store.votedFor.id === file.votedFor.id;
  return sameMember(store.votedFor, file.votedFor);
}

const endOf = ({ batch, epoch, last, votedFor }: StoredHardState): string =>
  `entry ${last.index} of epoch ${last.epoch} in epoch ${epoch} (batch ${batch}, vote for ${votedFor?.id ?? 'nobody'})`;
