import type { FileContent } from '../../../src/env/file-content.ts';
import type { Fate } from './fate.ts';

/** What a disk writes at once; the power may fail while it does. */
export const SECTOR_BYTES = 512;

/** Nothing and everything are the likeliest in reality; between them lies what is overlooked. */
const LIKELIHOODS = [0, 0, 0.2, 0.5, 0.5, 0.8, 1, 1];

export type ContentChange =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly size: number };

interface Pending {
  readonly change: ContentChange;
  /** `lost`: a sync of it failed and the kernel has forgotten that it is not on disk. */
  state: 'dirty' | 'lost' | 'durable';
  /** Size of the file after the change. */
  readonly sizeAfter: number;
}

/**
 * What the disk holds of one file: the content of the last sync and the changes since, any part of
 * which may be there too.
 */
export class UnsyncedContent {
  readonly #base: FileContent;
  /** In the order in which they took effect. */
  readonly #changes: Pending[] = [];
  /** How many changes have gone into the base. */
  #folded = 0;

  constructor(base: FileContent) {
    this.#base = base;
  }

  /** A point in the order of changes, for `synced` and `syncFailed`. */
  get position(): number {
    return this.#folded + this.#changes.length;
  }

  record(change: ContentChange): void {
    const sizeBefore = this.#changes.at(-1)?.sizeAfter ?? this.#base.size;
    const sizeAfter =
      change.type === 'truncate' ? change.size : Math.max(sizeBefore, endOf(change));
    this.#changes.push({ change, state: 'dirty', sizeAfter });
  }

  /** All changes before `position` are on disk, but for those that an earlier sync lost. */
  synced(position: number): void {
    this.#settle(position, 'durable');
    let count = 0;
    while (this.#changes[count]?.state === 'durable') {
      apply(this.#base, this.#changes[count]!.change);
      count++;
    }
    this.#changes.splice(0, count);
    this.#folded += count;
  }

  /**
   * The kernel reports the error once and takes the pages for clean, so the next sync succeeds
   * without them (ext4 and XFS on Linux, "fsyncgate").
   */
  syncFailed(position: number): void {
    this.#settle(position, 'lost');
  }

  clone(): UnsyncedContent {
    const copy = new UnsyncedContent(this.#base.clone());
    for (const pending of this.#changes) copy.#changes.push({ ...pending });
    copy.#folded = this.#folded;
    return copy;
  }

  /** How many changes a power cut may take. */
  get pendingCount(): number {
    return this.#changes.filter(({ state }) => state !== 'durable').length;
  }

  /**
   * What is there after a power cut. The size is that after any number of the changes, at least
   * after the last durable one. Of the writes to one sector any number, from the first, has
   * arrived, and the one after them perhaps in part: the page cache holds one version of a sector,
   * which contains all earlier writes. What was there before stays where a torn write did not come
   * to. A size that arrived without its data gives zeros; so does what a truncation that arrived cut
   * off.
   */
  survivor(fate: Fate): FileContent {
    const changes = this.#changes;
    fate.begin(LIKELIHOODS);
    const least = changes.findLastIndex(({ state }) => state === 'durable') + 1;
    const sizeCount = least + fate.arrivedOf(changes.length - least);
    const result = this.#base.clone();
    const size = changes[sizeCount - 1]?.sizeAfter ?? this.#base.size;
    const lastDurable = lastDurableOf(changes);
    const missing = new Set<number>();
    changes.forEach(({ change }, i) => {
      if (change.type === 'truncate') {
        if (i < sizeCount) result.truncate(Math.min(change.size, result.size));
        return;
      }
      forEachSector(change, (sector, start, end) => {
        const isCertain = i <= (lastDurable.get(sector) ?? -1);
        if (!isCertain && missing.has(sector)) return;
        const from = start - change.position;
        const bytes = change.bytes.subarray(from, from + end - start);
        // What makes no difference is not asked for.
        if (start >= size || holds(result, start, bytes)) return;
        const arrived = isCertain ? bytes.length : fate.arrivedBytes(bytes.length);
        if (arrived < bytes.length) missing.add(sector);
        result.write(start, bytes.subarray(0, arrived));
      });
    });
    result.truncate(size);
    return result;
  }

  #settle(position: number, state: 'lost' | 'durable'): void {
    const count = position - this.#folded;
    for (let i = 0; i < count; i++) {
      const pending = this.#changes[i]!;
      if (pending.state === 'dirty') pending.state = state;
    }
  }
}

/** For each sector the index of the last durable write to it: up to there all has arrived. */
function lastDurableOf(changes: readonly Pending[]): Map<number, number> {
  const result = new Map<number, number>();
  changes.forEach(({ change, state }, index) => {
    if (change.type === 'write' && state === 'durable') {
      forEachSector(change, (sector) => result.set(sector, index));
    }
  });
  return result;
}

/** Whether a write changes nothing; beyond the end there are zeros as soon as the file is that long. */
function holds(content: FileContent, position: number, bytes: Uint8Array): boolean {
  const present = content.read(position, bytes.length);
  return (
    Buffer.compare(present, bytes.subarray(0, present.length)) === 0 &&
    bytes.subarray(present.length).every((byte) => byte === 0)
  );
}

type Write = Extract<ContentChange, { type: 'write' }>;

const endOf = (write: Write): number => write.position + write.bytes.length;

function forEachSector(
  write: Write,
  visit: (sector: number, start: number, end: number) => void,
): void {
  let start = write.position;
  while (start < endOf(write)) {
    const sector = Math.floor(start / SECTOR_BYTES);
    const end = Math.min((sector + 1) * SECTOR_BYTES, endOf(write));
    visit(sector, start, end);
    start = end;
  }
}

function apply(content: FileContent, change: ContentChange): void {
  if (change.type === 'write') content.write(change.position, change.bytes);
  else content.truncate(change.size);
}
