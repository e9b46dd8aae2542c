import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import type { KeyValueStore, KeyValueStores, StoreOperation } from '../env/ports.ts';
import { NewerFormatError } from '../metadata/metadata-record-codec.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import { type HardState, readHardState, writeHardState } from './hard-state.ts';
import { decodeEntry, encodeEntry, type QuorumEntry } from './quorum-entry.ts';
import { decodeSnapshot, encodeSnapshot, type QuorumSnapshot } from './snapshot-chunks.ts';

/** What a store holds; checked to be whole. */
export interface LoadedMetadata {
  readonly hardState: HardState;
  readonly snapshot: QuorumSnapshot | undefined;
  /** Every entry after the snapshot up to the last index of the hard state. */
  readonly entries: readonly QuorumEntry[];
}

/** First bytes of keys. */
const ENTRY = 0x65; // e
const HARD_STATE = 0x68; // h
const SNAPSHOT = 0x73; // s

const HARD_STATE_KEY = Uint8Array.of(HARD_STATE);
const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };
const CRC_BYTES = 4;

/** The values of a store as they were found, by what their keys say. */
interface RawContent {
  readonly entries: Map<number, Uint8Array>;
  readonly chunks: Map<number, Uint8Array>;
  hardState: Uint8Array | undefined;
}

/**
 * The log of the metadata, its snapshot and the hard state in the key-value store `metadata/` of a
 * data directory. Its lock is the lock of the data directory. One call at a time.
 *
 *     key                        value
 *     'e' | index int64          an entry (quorum-entry.ts)
 *     'h'                        crc32c uint32 (of what follows) | hard state, 24 bytes
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
      if (entries.size === 0 && chunks.size === 0) return undefined;
      throw this.#damaged('the hard state is missing');
    }
    const hardState = this.#checked('the hard state', () => decodeHardState(content.hardState!));
    const snapshot = this.#checked('the snapshot', () => decodeSnapshot(chunks));
    this.#chunkCount = Math.max(-1, ...chunks.keys()) + 1;
    // Keys come in order. Entries that a snapshot stands for may be there again after a power cut:
    // its batch is not synced. The next snapshot deletes them.
    this.#firstIndex = entries.keys().next().value ?? hardState.lastIndex + 1;
    return { hardState, snapshot, entries: this.#checkEntries(entries, hardState, snapshot) };
  }

  /** Writes entries and the hard state after them, all or none, durably. */
  async write(entries: readonly QuorumEntry[], hardState: HardState): Promise<void> {
    const operations: StoreOperation[] = entries.map((entry) => ({
      type: 'put',
      key: entryKey(entry.index),
      value: encodeEntry(entry),
    }));
    operations.push({ type: 'put', key: HARD_STATE_KEY, value: encodeHardState(hardState) });
    await this.#store.batch(operations, { sync: true });
  }

  /**
   * Puts a snapshot in the place of the entries it stands for and of the one before it, in one
   * batch. Not synced: if a power cut takes the batch, what it replaces is there again.
   */
  async replaceSnapshot(snapshot: QuorumSnapshot): Promise<void> {
    const chunks = encodeSnapshot(snapshot);
    const operations: StoreOperation[] = chunks.map((value, number) => ({
      type: 'put',
      key: chunkKey(number),
      value,
    }));
    for (let number = chunks.length; number < this.#chunkCount; number++) {
      operations.push({ type: 'delete', key: chunkKey(number) });
    }
    for (let index = this.#firstIndex; index <= snapshot.lastIndex; index++) {
      operations.push({ type: 'delete', key: entryKey(index) });
    }
    await this.#store.batch(operations, { sync: false });
    this.#chunkCount = chunks.length;
    this.#firstIndex = snapshot.lastIndex + 1;
  }

  /** Epoch of an entry that is in the store. */
  async epochOf(index: number): Promise<QuorumEntry['epoch']> {
    const value = await this.#store.get(entryKey(index));
    if (value === undefined) throw this.#damaged(`entry ${index} is missing`);
    return this.#checked(`entry ${index}`, () => decodeEntry(index, value).epoch);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #readAll(): Promise<RawContent> {
    const content: RawContent = { entries: new Map(), chunks: new Map(), hardState: undefined };
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
      else throw new NewerFormatError(`the key [${key.join(' ')}] of the metadata store`);
    }
    return content;
  }

  #checkEntries(
    values: ReadonlyMap<number, Uint8Array>,
    hardState: HardState,
    snapshot: QuorumSnapshot | undefined,
  ): QuorumEntry[] {
    const first = (snapshot?.lastIndex ?? 0) + 1;
    let epoch = snapshot?.epoch ?? 0;
    const entries: QuorumEntry[] = [];
    for (let index = first; index <= hardState.lastIndex; index++) {
      const value = values.get(index);
      if (value === undefined) throw this.#damaged(`entry ${index} is missing`);
      const entry = this.#checked(`entry ${index}`, () => decodeEntry(index, value));
      if (entry.epoch < epoch || entry.epoch > hardState.epoch) {
        throw this.#damaged(`entry ${index} is of epoch ${entry.epoch}, which cannot be`);
      }
      epoch = entry.epoch;
      entries.push(entry);
    }
    for (const index of values.keys()) {
      if (index > hardState.lastIndex) throw this.#damaged(`entry ${index} is beyond the last`);
    }
    return entries;
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

function encodeHardState(state: HardState): Uint8Array {
  const out = new ByteWriter(28);
  out.int32(0);
  writeHardState(out, state);
  out.setInt32(0, crc32c(out.toBytes().subarray(CRC_BYTES)) | 0);
  return out.toBytes();
}

function decodeHardState(value: Uint8Array): HardState {
  const reader = new ByteReader(value);
  if (reader.uint32() !== crc32c(value.subarray(CRC_BYTES))) {
    throw new CorruptError('its checksum is wrong');
  }
  return readHardState(reader);
}
