import type { Timer, Timers } from '../env/ports.ts';
import type { LogReadOutcome } from '../log/log-reader.ts';
import { type Offset, offsetAfter } from '../model/ids.ts';
import { BATCH_HEADER_BYTES } from '../records/batch-view.ts';
import type { OffsetWaiter } from '../replication/offset-waiters.ts';
import type { Partition } from '../replication/partition.ts';

/** A partition that was read to its end. */
export interface PartitionEnd {
  readonly partition: Partition;
  readonly nextOffset: Offset;
}

/**
 * Waits at the ends of partitions until so many bytes have come in all of them together, one of them
 * is no longer served, or time is over. It keeps nothing of what comes, it only counts: how long a
 * reader waits must not cost memory.
 */
export class FetchWait {
  /** Resolves at the end of a turn, so that all that came in it is read together. */
  readonly ended: Promise<void>;
  readonly #end: () => void;
  readonly #timers: Timers;
  readonly #timer: Timer;
  readonly #parked = new Map<OffsetWaiter, Partition>();
  #missingBytes: number;
  #isOver = false;

  constructor(timers: Timers, ends: readonly PartitionEnd[], missingBytes: number, waitMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#timers = timers;
    this.#missingBytes = missingBytes;
    this.#timer = timers.after(waitMs, () => this.stop());
    for (const end of ends) this.#park(end);
  }

  /** Ends the waiting now. */
  stop(): void {
    this.#isOver = true;
    this.#timer.cancel();
    for (const [waiter, partition] of this.#parked) partition.stopWaiting(waiter);
    this.#parked.clear();
    this.#end();
  }

  #park(end: PartitionEnd): void {
    const { partition, nextOffset } = end;
    const waiter: OffsetWaiter = {
      offset: offsetAfter(nextOffset, 1),
      deadlineMs: Number.POSITIVE_INFINITY,
      settle: (row) => {
        this.#parked.delete(waiter);
        if (this.#isOver) return;
        // Even the smallest batch is enough, or there is something to refuse: no need to count.
        if (row !== null || this.#missingBytes <= BATCH_HEADER_BYTES) this.#stopSoon();
        else this.#count(end);
      },
    };
    this.#parked.set(waiter, partition);
    partition.whenReadable(waiter);
  }

  #count(end: PartitionEnd): void {
    const outcome = end.partition.read(end.nextOffset, this.#missingBytes);
    if (!(outcome instanceof Promise)) {
      this.#counted(end, outcome);
      return;
    }
    outcome.then(
      (read) => this.#counted(end, read),
      // Whoever reads it next meets the same, and can say so.
      () => this.#stopSoon(),
    );
  }

  #counted({ partition }: PartitionEnd, outcome: LogReadOutcome): void {
    if (outcome.ok) outcome.release?.();
    if (this.#isOver) return;
    if (outcome.ok) this.#missingBytes -= outcome.bytes;
    if (!outcome.ok || this.#missingBytes <= 0) this.#stopSoon();
    else if (outcome.bytes > 0) this.#park({ partition, nextOffset: outcome.nextOffset });
  }

  #stopSoon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timers.nextTurn(() => this.stop());
  }
}
