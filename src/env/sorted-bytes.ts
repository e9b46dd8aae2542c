import type { StoreOperation, StoreRange } from './ports.ts';

type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** A map of bytes to bytes in byte order: a sorted array. Keeps and hands out copies. */
export class SortedBytes {
  #entries: Entry[] = [];

  get(key: Uint8Array): Uint8Array | undefined {
    const found = this.#entries[this.#indexOf(key)];
    return found !== undefined && isSame(found[0], key) ? found[1].slice() : undefined;
  }

  apply(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      const { key } = operation;
      const at = this.#indexOf(key);
      const found = this.#entries[at];
      const replaced = found !== undefined && isSame(found[0], key) ? 1 : 0;
      if (operation.type === 'delete') this.#entries.splice(at, replaced);
      else this.#entries.splice(at, replaced, [key.slice(), operation.value.slice()]);
    }
  }

  range(range: StoreRange): Entry[] {
    const start = this.#indexOf(range.from);
    const found = this.#entries.slice(start, Math.max(start, this.#indexOf(range.to)));
    if (range.reverse === true) found.reverse();
    return found
      .slice(0, range.limit ?? found.length)
      .map(([key, value]) => [key.slice(), value.slice()]);
  }

  clone(): SortedBytes {
    const copy = new SortedBytes();
    // Entries are never changed in place, so the copy may share them.
    copy.#entries = this.#entries.slice();
    return copy;
  }

  /** Where the first key that is not below `key` stands. */
  #indexOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(this.#entries[middle]![0], key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Keys are short: a call into native code takes longer. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) if (a[at]! !== b[at]!) return a[at]! < b[at]!;
  return a.length < b.length;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && !isBelow(a, b) && !isBelow(b, a);
