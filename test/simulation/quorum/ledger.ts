import { crc32c } from '../../../src/codec/crc32c.ts';
import {
  emptyImage,
  imageRecords,
  type MetadataImage,
  replay,
} from '../../../src/metadata/image.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
} from '../../../src/metadata/metadata-record-codec.ts';
import { decodeRecords } from '../../../src/quorum/quorum-entry.ts';
import type { Entry } from '../../../src/raft/entry.ts';
import { describeEntry } from '../raft/describe.ts';

/** What everybody has said and done since the cluster was formed. */
export class Ledger {
  /** By epoch, who led or spoke as the leader. */
  readonly leaders = new Map<number, string>();
  /** By voter and epoch, for whom. */
  readonly votes = new Map<string, string>();
  /** By `index/epoch`, what was stored there and the epoch of the one before. */
  readonly stored = new Map<string, string>();
  /** By index, what somebody has applied; by whom the first time in which epoch. */
  readonly committed: (Entry | undefined)[] = [undefined];
  readonly committedIn: number[] = [0];
  /** Values that some topic was set to. */
  readonly wasSet = new Set<string>();
  /** By index: the metadata after that entry, of what was committed alone. */
  readonly #images: MetadataImage[] = [emptyImage];
  readonly #hashes = new Map<number, number>();

  get committedIndex(): number {
    return this.committed.length - 1;
  }

  get image(): MetadataImage {
    return this.#images.at(-1)!;
  }

  commit(entry: Entry, epoch: number): void {
    let image = this.image;
    if (entry.kind === 'command') {
      for (const record of decodeRecords(entry.bytes)) {
        const change = decodeMetadataRecord(record);
        image = replay(image, change, entry.index);
        if (change.type === 'topic-config') this.wasSet.add(`${change.value}`);
      }
    }
    this.committed.push(entry);
    this.committedIn.push(epoch);
    this.#images.push(image);
  }

  /** Of the metadata after this entry. */
  hashAt(index: number): number {
    const known = this.#hashes.get(index) ?? hashOf(this.#images[index]!);
    this.#hashes.set(index, known);
    return known;
  }

  /** The members that the newest committed change has left. */
  get configuration() {
    const change = this.committed.findLast((entry) => entry?.kind === 'configuration');
    return change?.kind === 'configuration' ? change.configuration : undefined;
  }
}

/** Equal for equal images, in whatever order they name things. */
export const hashOf = (image: MetadataImage): number =>
  hashOfRecords(Array.from(imageRecords(image), encodeMetadataRecord));

export function hashOfRecords(records: readonly Uint8Array[]): number {
  let sum = 0;
  for (const record of records) sum = (sum + crc32c(record)) >>> 0;
  return sum;
}

/** Equal for equal entries. */
export const contentOf = (entry: Entry): string =>
  entry.kind === 'command'
    ? `${entry.index}/${entry.epoch} ${entry.bytes.length} bytes ${crc32c(entry.bytes).toString(16)}`
    : describeEntry(entry);
