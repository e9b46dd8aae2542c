import { assert } from '../model/assert.ts';
import { type LeaderEpoch, NO_LEADER_EPOCH, type Offset } from '../model/ids.ts';

/** From `startOffset` on, records were appended under `epoch`, until the next entry. */
export interface EpochStart {
  readonly epoch: LeaderEpoch;
  readonly startOffset: Offset;
}

/**
 * Which leader epoch each offset of a log belongs to (Kafka's leader epoch cache, KIP-101): few
 * entries, epochs and start offsets both strictly rising. All but the last have records.
 */
export class LeaderEpochs {
  #entries: EpochStart[];

  constructor(entries: readonly EpochStart[] = []) {
    this.#entries = [...entries];
  }

  get entries(): readonly EpochStart[] {
    return this.#entries;
  }

  /** -1 if the log has seen none. */
  get latestEpoch(): LeaderEpoch {
    return this.#entries.at(-1)?.epoch ?? NO_LEADER_EPOCH;
  }

  /** Records that `epoch` begins at `startOffset`; nothing happens if it is the latest already. */
  assign(epoch: LeaderEpoch, startOffset: Offset): void {
    if (epoch === this.latestEpoch) return;
    assert(epoch > this.latestEpoch, 'leader epochs of a log never fall');
    // An epoch under which nothing was written gives its place to the next one.
    while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= startOffset) {
      this.#entries.pop();
    }
    this.#entries.push({ epoch, startOffset });
  }

  /** Records the epoch of a batch from `startOffset` on, unless it, or a later one, is known. */
  learn(epoch: LeaderEpoch, startOffset: Offset): void {
    if (epoch > this.latestEpoch) this.assign(epoch, startOffset);
  }

  /** The epoch of the record at `offset`, or under which it would be written; -1 if not known. */
  epochAt(offset: Offset): LeaderEpoch {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? NO_LEADER_EPOCH;
  }

  /**
   * The largest epoch not above `epoch`, and where it ends in a log that ends at `logEndOffset`:
   * Kafka's answer to OffsetForLeaderEpoch. `undefined` if `epoch` is newer than all or unknown.
   */
  endOffsetFor(
    epoch: LeaderEpoch,
    logEndOffset: Offset,
  ): { readonly epoch: LeaderEpoch; readonly endOffset: Offset } | undefined {
    if (epoch > this.latestEpoch || epoch < 0) return undefined;
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch);
    if (next < 0) return { epoch: this.latestEpoch, endOffset: logEndOffset };
    const found = next === 0 ? epoch : this.#entries[next - 1]!.epoch;
    return { epoch: found, endOffset: this.#entries[next]!.startOffset };
  }

  /** Forgets what began at or after `endOffset`. */
  truncateFromEnd(endOffset: Offset): void {
    this.#entries = this.#entries.filter((entry) => entry.startOffset < endOffset);
  }

  /** Forgets what ended at or before `startOffset`. */
  truncateFromStart(startOffset: Offset): void {
    const first = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    if (first < 0) return;
    const { epoch } = this.#entries[first]!;
    this.#entries.splice(0, first + 1, { epoch, startOffset });
  }

  /** Content of `leader-epoch-checkpoint`. It has no checksum: it is for others, we never read it (D19). */
  format(): string {
    const lines = this.#entries.map((entry) => `${entry.epoch} ${entry.startOffset}\n`);
    return `0\n${lines.length}\n${lines.join('')}`;
  }
}
