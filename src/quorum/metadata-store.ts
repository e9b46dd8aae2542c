import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import type { KeyValueStore, KeyValueStores, StoreOperation } from '../env/ports.ts';
import { decodeMetadataRecord, NewerFormatError } from '../metadata/metadata-record-codec.ts';
import { leaderEpoch } from '../model/ids.ts';
import type { Entry, Position, SnapshotMeta } from '../raft/entry.ts';
import { decodeSnapshotMeta, encodeSnapshotMeta } from './configuration-codec.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import {
  isForOnlyVoter,
  readHardState,
  type StoredHardState,
  writeHardState,
} from './hard-state.ts';
import { decodeEntry, decodeRecords, encodeEntry, type LinkedEntry } from './quorum-entry.ts';
import { decodeSnapshot, type QuorumSnapshot } from './snapshot-chunks.ts';

/** What a store holds; checked to be whole. */
export interface LoadedMetadata {
  readonly hardState: StoredHardState;
  /** `null` if no members are known: nothing was ever appended, or a leader's log from its beginning. */
  readonly snapshot: SnapshotMeta | null;
  /** The snapshot was written before Raft and its meta is not in the store. */
  readonly isOlder: boolean;
  /** The state that the snapshot holds. */
  readonly records: readonly Uint8Array[];
  /** Bytes of each chunk of the snapshot. */
  readonly chunkBytes: readonly number[];
  /** Every entry after the snapshot up to the last of the hard state. */
  readonly entries: readonly Entry[];
}

/** What one batch changes. */
export interface StoreChange {
  readonly hardState: StoredHardState | null;
  /** Entries that are deleted, as far as they are there, before others are written. */
  readonly deleted: { readonly from: number; readonly through: number } | null;
  readonly entries: readonly LinkedEntry[];
  /** What a snapshot stands for, and its chunks; the chunks stay as they are if missing. */
  readonly snapshot: {
    readonly meta: SnapshotMeta;
    readonly chunks?: readonly Uint8Array[];
  } | null;
}

/** First bytes of keys. */
const MEMBERS = 0x63; // c
const ENTRY = 0x65; // e
const HARD_STATE = 0x68; // h
const SNAPSHOT = 0x73; // s

const MEMBERS_KEY = Uint8Array.of(MEMBERS);
const HARD_STATE_KEY = Uint8Array.of(HARD_STATE);
const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };
const CRC_BYTES = 4;
const START: Position = { index: 0, epoch: leaderEpoch(0) };

/** The values of a store as they were found, by what their keys say. */
interface RawContent {
  readonly entries: Map<number, Uint8Array>;
  readonly chunks: Map<number, Uint8Array>;
  hardState: Uint8Array | undefined;
  members: Uint8Array | undefined;
}

/**
 * The log of the metadata, its snapshot and the hard state in the key-value store `metadata/` of a
 * data directory. Its lock is the lock of the data directory. One change at a time.
 *
 *     key                        value
 *     'c'                        what the snapshot stands for, its members too (configuration-codec.ts)
 *     'e' | index int64          an entry (quorum-entry.ts)
 *     'h'                        crc32c uint32 (of what follows) | hard state (hard-state.ts)
 *     's' | number int32         a chunk of the snapshot (snapshot-chunks.ts)
 */
export class MetadataStore {
  readonly #store: KeyValueStore;
  readonly #dataDirectory: string;
  /** No entry below this index and no chunk from this number on is in the store. */
  #firstIndex = 1;
  #chunkCount = 0;

  constructor(dataDirectory: string, store: KeyValueStore) {
    this.#store = store;
    this.#dataDirectory = dataDirectory;
  }

  /** @throws StoreLockedError if the data directory is in use */
  static async open(stores: KeyValueStores, dataDirectory: string): Promise<MetadataStore> {
    return new MetadataStore(dataDirectory, await stores.open(`${dataDirectory}/metadata`));
  }

  /**
   * Reads and checks everything; `undefined` if the store is empty.
   *
   * @throws DamagedMetadataError if anything is missing or fails its checksum
   * @throws NewerFormatError if a newer version of the program has written something
   */
  async load(): Promise<LoadedMetadata | undefined> {
    const content = await this.#readAll();
    const { entries, chunks } = content;
    if (content.hardState === undefined) {
      if (entries.size === 0 && chunks.size === 0 && content.members === undefined)
        return undefined;
      throw this.#damaged('the hard state is missing');
    }
    const hardState = this.#checked('the hard state', () => decodeHardState(content.hardState!));
    const stored = this.#checked('the snapshot', () => decodeSnapshot(chunks));
    this.#chunkCount = Math.max(-1, ...chunks.keys()) + 1;
    // Keys come in order. Entries that a snapshot stands for may be there again after a power cut:
    // its batch is not synced. The next snapshot deletes them.
    this.#firstIndex = entries.keys().next().value ?? hardState.last.index + 1;
    const base = stored === undefined ? START : { index: stored.lastIndex, epoch: stored.epoch };
    const log = this.#checkEntries(entries, hardState, base);
    const isOlder = content.members === undefined && isForOnlyVoter(hardState.votedFor);
    const snapshot = isOlder
      ? this.#onlyVoter(hardState, base, () => stored?.records ?? firstRecords(log))
      : this.#readMembers(content.members, stored);
    const votedFor = isOlder ? snapshot!.configuration.voters[0]! : hardState.votedFor;
    return {
      hardState: { ...hardState, votedFor },
      snapshot,
      isOlder,
      records: stored?.records ?? [],
      chunkBytes: Array.from({ length: stored?.chunkCount ?? 0 }, (_, n) => chunks.get(n)!.length),
      entries: log,
    };
  }

  /**
   * Applies a change, all or nothing. Without a sync a power cut may take it, and what it replaced is
   * there again.
   */
  async write(change: StoreChange, options: { readonly sync: boolean }): Promise<void> {
    const { deleted, entries, snapshot, hardState } = change;
    const operations: StoreOperation[] = [];
    // Also those that came back after a power cut.
    const from = deleted === null ? 1 : Math.max(deleted.from, this.#firstIndex);
    for (let index = from; index <= (deleted?.through ?? 0); index++) {
      operations.push({ type: 'delete', key: entryKey(index) });
    }
    for (const linked of entries) {
      const key = entryKey(linked.entry.index);
      operations.push({ type: 'put', key, value: encodeEntry(linked) });
    }
    if (snapshot !== null) {
      operations.push({ type: 'put', key: MEMBERS_KEY, value: encodeSnapshotMeta(snapshot.meta) });
      operations.push(...this.#replaceChunks(snapshot.chunks));
    }
    if (hardState !== null) {
      operations.push({ type: 'put', key: HARD_STATE_KEY, value: encodeHardState(hardState) });
    }
    await this.#store.batch(operations, options);
    if (snapshot?.chunks === undefined) return;
    this.#chunkCount = snapshot.chunks.length;
    this.#firstIndex = snapshot.meta.last.index + 1;
  }

  /** The value of a chunk as it is now; `undefined` if there is none. */
  chunk(number: number): Promise<Uint8Array | undefined> {
    return this.#store.get(chunkKey(number));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  #replaceChunks(chunks: readonly Uint8Array[] | undefined): StoreOperation[] {
    if (chunks === undefined) return [];
    const operations: StoreOperation[] = chunks.map((value, number) => ({
      type: 'put',
      key: chunkKey(number),
      value,
    }));
    for (let number = chunks.length; number < this.#chunkCount; number++) {
      operations.push({ type: 'delete', key: chunkKey(number) });
    }
    return operations;
  }

  async #readAll(): Promise<RawContent> {
    const content: RawContent = {
      entries: new Map(),
      chunks: new Map(),
      hardState: undefined,
      members: undefined,
    };
    for await (const [key, value] of this.#store.entries(EVERYTHING)) {
      const reader = new ByteReader(key);
      const kind = reader.uint8();
      if (kind === ENTRY && key.length === 9) {
        content.entries.set(
          this.#checked('the key of an entry', () => reader.int64()),
          value,
        );
      } else if (kind === SNAPSHOT && key.length === 5) content.chunks.set(reader.int32(), value);
      else if (kind === HARD_STATE && key.length === 1) content.hardState = value;
      else if (kind === MEMBERS && key.length === 1) content.members = value;
      else throw new NewerFormatError(`the key [${key.join(' ')}] of the metadata store`);
    }
    return content;
  }

  /**
   * The log from `base` to what the hard state says, without a gap. A store that has lost batches in its
   * middle may hold entries of a log that was cut off in their place: each tells the epoch of the one
   * before it, and the hard state that of the last.
   */
  #checkEntries(
    values: ReadonlyMap<number, Uint8Array>,
    hardState: StoredHardState,
    base: Position,
  ): Entry[] {
    const { last } = hardState;
    let { epoch } = base;
    const entries: Entry[] = [];
    for (let index = base.index + 1; index <= last.index; index++) {
      const value = values.get(index);
      if (value === undefined) throw this.#damaged(`entry ${index} is missing`);
      const { entry, previousEpoch } = this.#checked(`entry ${index}`, () =>
        decodeEntry(index, value),
      );
      if (entry.epoch < epoch || entry.epoch > hardState.epoch) {
        throw this.#damaged(`entry ${index} is of epoch ${entry.epoch}, which cannot be`);
      }
      if (previousEpoch !== null && previousEpoch !== epoch) {
        const what = `entry ${index} follows one of epoch ${previousEpoch}, not of epoch ${epoch}`;
        throw this.#damaged(what);
      }
      epoch = entry.epoch;
      entries.push(entry);
    }
    for (const index of values.keys()) {
      if (index > last.index) throw this.#damaged(`entry ${index} is beyond the last`);
    }
    if (last.index < base.index || epoch !== last.epoch) {
      const end = `${Math.max(last.index, base.index)} of epoch ${epoch}`;
      throw this.#damaged(`the log ends at ${end}, not at ${last.index} of epoch ${last.epoch}`);
    }
    return entries;
  }

  #readMembers(
    value: Uint8Array | undefined,
    stored: QuorumSnapshot | undefined,
  ): SnapshotMeta | null {
    if (value === undefined) {
      if (stored === undefined) return null;
      throw this.#damaged('the members of the snapshot are missing');
    }
    const meta = this.#checked('the members of the snapshot', () => decodeSnapshotMeta(value));
    const { index, epoch } = meta.last;
    if (index !== (stored?.lastIndex ?? 0) || epoch !== (stored?.epoch ?? 0)) {
      throw this.#damaged(`the members of the snapshot are those of another one, at ${index}`);
    }
    return meta;
  }

  /** Before Raft the node itself was the only voter, and the first record named its directory. */
  #onlyVoter(
    { votedFor }: StoredHardState,
    last: Position,
    records: () => readonly Uint8Array[],
  ): SnapshotMeta {
    const what = 'the record of the cluster';
    const record = this.#checked(what, () =>
      decodeMetadataRecord(records()[0] ?? new Uint8Array(0)),
    );
    if (record.type !== 'cluster') throw this.#damaged(`${what} is missing`);
    const voter = { id: votedFor!.id, directoryId: record.directoryId };
    return { last, configuration: { voters: [voter], learners: [] }, configurationIndex: 0 };
  }

  #checked<T>(what: string, decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      throw this.#damaged(`${what} cannot be read: ${error.message}`, { cause: error });
    }
  }

  #damaged(what: string, options?: ErrorOptions): DamagedMetadataError {
    return new DamagedMetadataError(this.#dataDirectory, what, options);
  }
}

function entryKey(index: number): Uint8Array {
  const key = new ByteWriter(9);
  key.int8(ENTRY);
  key.int64(index);
  return key.toBytes();
}

function chunkKey(number: number): Uint8Array {
  const key = new ByteWriter(5);
  key.int8(SNAPSHOT);
  key.int32(number);
  return key.toBytes();
}

const firstRecords = (log: readonly Entry[]): Uint8Array[] => {
  const first = log.find((entry) => entry.kind === 'command');
  return first === undefined ? [] : decodeRecords(first.bytes);
};

function encodeHardState(state: StoredHardState): Uint8Array {
  const out = new ByteWriter(128);
  out.int32(0);
  writeHardState(out, state);
  out.setInt32(0, crc32c(out.toBytes().subarray(CRC_BYTES)) | 0);
  return out.toBytes();
}

function decodeHardState(value: Uint8Array): StoredHardState {
  const reader = new ByteReader(value);
  if (reader.uint32() !== crc32c(value.subarray(CRC_BYTES))) {
    throw new CorruptError('its checksum is wrong');
  }
  return readHardState(reader);
}
