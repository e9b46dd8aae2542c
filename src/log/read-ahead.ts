import type { Clock, Timers } from '../env/ports.ts';
import type { BatchRange } from './batch-slice.ts';
import type { LentSegmentRead } from './segment-read.ts';

/** Each keeps one buffer of a read, a little more than a megabyte. */
const MOST_STRETCHES = 8;
/** So long one waits for its reader before another reader's may take its place. */
const KEEP_MS = 1000;

/** As much of a log as concerns what was read from it. */
interface Truncatable {
  readonly generation: number;
}

/** What a reader will ask for next, being read or read. */
interface Stretch {
  readonly log: Truncatable;
  readonly range: BatchRange;
  /** Of the log, when it was begun. */
  readonly generation: number;
  readonly beganMs: number;
  /** Null if it could not be read; never rejects. */
  readonly read: Promise<LentSegmentRead | null>;
}

/**
 * The next stretch for readers that go on where they stopped: it is read and checked while they are
 * busy with the one before, so that they need not wait for it.
 *
 * With more readers than there is room for, some have it and the others read as if there were none:
 * were the oldest always put out, none of many that take turns would ever find theirs.
 */
export class ReadAhead {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** The oldest first. */
  #stretches: Stretch[] = [];

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** What was begun for this range, for whom asks first; undefined if there is nothing, or nothing good. */
  take(log: Truncatable, range: BatchRange): Promise<LentSegmentRead | null> | undefined {
    const at = this.#stretches.findIndex(
      (stretch) =>
        stretch.log === log &&
        stretch.range.from === range.from &&
        stretch.range.maxBytes <= range.maxBytes,
    );
    if (at === -1) return undefined;
    const [taken] = this.#stretches.splice(at, 1) as [Stretch];
    // After a truncation other batches may be there, and what is served may end earlier than it did.
    const isGood = taken.generation === log.generation && taken.range.endOffset <= range.endOffset;
    if (isGood) return taken.read;
    discard(taken);
    return undefined;
  }

  /** Begins to read a range that will be asked for, if there is room for it. */
  begin(log: Truncatable, range: BatchRange, read: () => Promise<LentSegmentRead | null>): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#stretches.length === MOST_STRETCHES) {
      if (nowMs - this.#stretches[0]!.beganMs < KEEP_MS) return;
      discard(this.#stretches.shift()!);
    }
    const { generation } = log;
    // The answer at hand goes out first.
    const begun = new Promise<void>((resolve) => this.#timers.nextTurn(resolve)).then(() =>
      generation === log.generation ? read() : null,
    );
    this.#stretches.push({ log, range, generation, beganMs: nowMs, read: begun });
  }

  /** Nobody reads this log any more. */
  forget(log: Truncatable): void {
    for (const stretch of this.#stretches) if (stretch.log === log) discard(stretch);
    this.#stretches = this.#stretches.filter((stretch) => stretch.log !== log);
  }
}

function discard({ read }: Stretch): void {
  void read.then((brought) => brought?.release?.());
}
