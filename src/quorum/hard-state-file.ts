import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { type File, FileError, type FileSystem } from '../env/ports.ts';
import { replaceFile } from '../env/replace-file.ts';
import { assert } from '../model/assert.ts';
import { DamagedMetadataError } from './damaged-metadata-error.ts';
import { readHardState, type StoredHardState, writeHardState } from './hard-state.ts';

const FILE_NAME = 'hard-state';
/** Far enough apart that no write of one slot can tear the other; each lies within one sector. */
const SLOT_DISTANCE = 4096;
const MAX_SLOT_BYTES = 512;

/** One valid slot. */
interface Slot {
  readonly place: 0 | 1;
  /** Raised by every write. */
  readonly sequence: number;
  readonly state: StoredHardState;
}

/**
 * The hard state in a file of its own beside the store, because a store that has lost its end opens
 * without a word (DESIGN D9): the file knows how far the store has to reach.
 *
 * Two slots are written in turn, at 0 and 4096, so that a torn write leaves the one before, which is
 * durable by then:
 *
 *     crc32c uint32 (of all that follows) | sequence int64 | hard state (hard-state.ts)
 */
export class HardStateFile {
  readonly #file: File;
  #newest: Slot;

  constructor(file: File, newest: Slot) {
    this.#file = file;
    this.#newest = newest;
  }

  /** Makes the file with this state, durably, its name included. */
  static async create(
    files: FileSystem,
    dataDirectory: string,
    state: StoredHardState,
  ): Promise<HardStateFile> {
    const first: Slot = { place: 0, sequence: 1, state };
    const content = new Uint8Array(2 * SLOT_DISTANCE);
    content.set(encodeSlot(first));
    await replaceFile(files, dataDirectory, FILE_NAME, content);
    return new HardStateFile(await files.open(`${dataDirectory}/${FILE_NAME}`, 'write'), first);
  }

  /**
   * Opens the file; `undefined` if there is none.
   *
   * @throws DamagedMetadataError if no slot is valid
   */
  static async open(files: FileSystem, dataDirectory: string): Promise<HardStateFile | undefined> {
    let file: File;
    try {
      file = await files.open(`${dataDirectory}/${FILE_NAME}`, 'write');
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const content = await file.read(0, 2 * SLOT_DISTANCE);
      const newest = newestSlot(content);
      if (newest === undefined) {
        throw new DamagedMetadataError(dataDirectory, `no slot of ${FILE_NAME} is valid`);
      }
      return new HardStateFile(file, newest);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get state(): StoredHardState {
    return this.#newest.state;
  }

  /**
   * Makes the state that was found durable, which comes before the first `write`: a process that died
   * may have left it in the page cache alone, and the next write goes over the slot that is durable.
   */
  async confirm(): Promise<void> {
    await this.#store(this.#newest);
  }

  /** Durable when it resolves. After an error the file must not be used any more. */
  async write(state: StoredHardState): Promise<void> {
    const place = this.#newest.place === 0 ? 1 : 0;
    const slot: Slot = { place, sequence: this.#newest.sequence + 1, state };
    await this.#store(slot);
    this.#newest = slot;
  }

  /** Written also if it is there: a sync that failed leaves pages that look clean. */
  async #store(slot: Slot): Promise<void> {
    await this.#file.write(slot.place * SLOT_DISTANCE, [encodeSlot(slot)]);
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function encodeSlot({ sequence, state }: Slot): Uint8Array {
  const out = new ByteWriter(MAX_SLOT_BYTES);
  out.int32(0);
  out.int64(sequence);
  writeHardState(out, state);
  assert(out.length <= MAX_SLOT_BYTES, 'a slot lies within one sector');
  out.setInt32(0, crc32c(out.toBytes().subarray(4)) | 0);
  return out.toBytes();
}

function newestSlot(content: Uint8Array): Slot | undefined {
  const [first, second] = [readSlot(content, 0), readSlot(content, 1)];
  if (first === undefined || second === undefined) return first ?? second;
  return first.sequence > second.sequence ? first : second;
}

/** What is read says where the slot ends, and its checksum whether that was true. */
function readSlot(content: Uint8Array, place: 0 | 1): Slot | undefined {
  const start = place * SLOT_DISTANCE;
  const bytes = content.subarray(start, start + MAX_SLOT_BYTES);
  const reader = new ByteReader(bytes);
  try {
    const checksum = reader.uint32();
    const sequence = reader.int64();
    const state = readHardState(reader);
    const isWhole = checksum === crc32c(bytes.subarray(4, reader.position));
    return isWhole ? { place, sequence, state } : undefined;
  } catch (error) {
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}
