import type { Offset } from '../model/ids.ts';

/** Readers of one segment for which it is worth while. */
const MOST_ENDS = 64;

/**
 * Where the last reads of a segment ended: a reader that goes on there need not look for its place.
 * The index leads to the batch before, which with large batches is a quarter of what is read. Good as
 * long as the segment is open: when it is cut, it is closed.
 */
export class ReadEnds {
  /** By the offset of the batch that begins there; the oldest first. */
  readonly #positions = new Map<Offset, number>();

  positionOf(offset: Offset): number | undefined {
    return this.#positions.get(offset);
  }

  add(offset: Offset, position: number): void {
    this.#positions.set(offset, position);
    if (this.#positions.size <= MOST_ENDS) return;
    for (const oldest of this.#positions.keys()) {
      this.#positions.delete(oldest);
      break;
    }
  }
}
