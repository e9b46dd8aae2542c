import type { Clock, Timers } from '../env/ports.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import {
  type LeaderEpoch,
  NO_LEADER_EPOCH,
  type Offset,
  offset,
  partitionName,
} from '../model/ids.ts';
import type { Partition, PartitionMarks } from '../replication/partition.ts';
import { FetchWait, type PartitionEnd } from './fetch-wait.ts';
import {
  type PartitionClaim,
  type PartitionLookup,
  type PartitionRefusal,
  readerRow,
} from './partition-lookup.ts';

/** One partition that a reader asks for. */
export interface FetchQuestion extends PartitionClaim {
  readonly offset: number;
  /** Most bytes of this partition. */
  readonly maxBytes: number;
}

/** What holds for all questions of a request together. */
export interface FetchTerms {
  /** The answer waits until so much is there; never for more than `maxBytes`. */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** How long it waits at most; from 0. */
  readonly maxWaitMs: number;
}

/** What is answered to one question. */
export interface FetchAnswer {
  readonly row: ErrorRow;
  readonly detail: string;
  /** Null on an error. */
  readonly marks: PartitionMarks | null;
  /** Whole batches; the first may begin before the offset that was asked for. */
  readonly batches: readonly Uint8Array[];
  /** Of all batches together. */
  readonly bytes: number;
  /** As in `LogRead`. */
  readonly release?: (() => void) | undefined;
  /** Who to ask instead; -1 unless the row says to ask elsewhere, or if nobody is known. */
  readonly leaderId: number;
  /** The current epoch; -1 as with `leaderId`. */
  readonly leaderEpoch: LeaderEpoch;
}

interface Reading {
  readonly answer: FetchAnswer;
  /** Where the partition is to be read on; null for an error. */
  readonly end: PartitionEnd | null;
  /** There was more to read. */
  readonly hasMore: boolean;
}

/**
 * The use case of reading by one question and one answer (Kafka's Fetch). It is answered as soon as
 * there are `minBytes`, a partition has an error, or the wait is over; nothing that was read is held
 * while it waits.
 *
 * Partitions are read in the order of the questions. The first one that has something gives its first
 * batch, however large; all else keeps to both limits, and what does not fit is left for the next
 * request, whole.
 */
export class FetchOnce {
  /**
   * In the order of the questions; empty after `cancel`. What is lent with the answers is the caller's
   * to release. Rejects only for what nobody expected.
   */
  readonly answered: Promise<readonly FetchAnswer[]>;
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #lookup: PartitionLookup;
  readonly #questions: readonly FetchQuestion[];
  readonly #terms: FetchTerms;
  readonly #beganMs: number;
  #wait: FetchWait | null = null;
  #isCancelled = false;

  constructor(
    timers: Timers,
    clock: Clock,
    lookup: PartitionLookup,
    questions: readonly FetchQuestion[],
    terms: FetchTerms,
  ) {
    this.#timers = timers;
    this.#clock = clock;
    this.#lookup = lookup;
    this.#questions = questions;
    this.#terms = terms;
    this.#beganMs = clock.monotonicMs();
    this.answered = this.#answer();
  }

  /** Nobody wants the answer any more; nothing happens if it was given. */
  cancel(): void {
    this.#isCancelled = true;
    this.#wait?.stop();
  }

  async #answer(): Promise<readonly FetchAnswer[]> {
    let readings = await this.#readAll();
    const missingBytes = this.#missingBytes(readings);
    if (missingBytes > 0 && !this.#isCancelled) {
      release(readings);
      const ends = readings.flatMap(({ end }) => end ?? []);
      this.#wait = new FetchWait(this.#timers, ends, missingBytes, this.#restMs);
      await this.#wait.ended;
      if (this.#isCancelled) return [];
      readings = await this.#readAll();
    }
    if (!this.#isCancelled) return readings.map(({ answer }) => answer);
    release(readings);
    return [];
  }

  get #restMs(): number {
    return this.#terms.maxWaitMs - (this.#clock.monotonicMs() - this.#beganMs);
  }

  /** How much more is to be waited for; 0 or less for an answer now. */
  #missingBytes(readings: readonly Reading[]): number {
    if (readings.length === 0 || this.#restMs <= 0) return 0;
    let bytes = 0;
    let hasMore = false;
    for (const reading of readings) {
      if (reading.end === null) return 0;
      bytes += reading.answer.bytes;
      hasMore ||= reading.hasMore;
    }
    // What is there and was not read brings the next request on; waiting would not bring it here.
    if (bytes > 0 && hasMore) return 0;
    return Math.min(this.#terms.minBytes, this.#terms.maxBytes) - bytes;
  }

  /** One after the other: what one may bring is known when those before it are read. */
  async #readAll(): Promise<Reading[]> {
    const readings: Reading[] = [];
    let bytes = 0;
    try {
      for (const question of this.#questions) {
        if (this.#isCancelled) break;
        const reading = this.#read(question, bytes);
        const done = reading instanceof Promise ? await reading : reading;
        readings.push(done);
        bytes += done.answer.bytes;
      }
    } catch (error) {
      release(readings);
      throw error;
    }
    return readings;
  }

  // Hot path: recent batches come in the same turn, and no promise is made for them.
  #read(question: FetchQuestion, bytesBefore: number): Reading | Promise<Reading> {
    const found = this.#lookup(question);
    if ('refusal' in found) return refused(found.refusal);
    const { partition } = found;
    const { offset: wanted } = question;
    if (!Number.isSafeInteger(wanted) || wanted < 0) {
      const name = partitionName(partition.topicPartition);
      const detail = `offset ${wanted} of ${name} is not an offset; they begin at 0`;
      return refused({ row: Errors.OFFSET_OUT_OF_RANGE, detail });
    }
    const from = offset(wanted);
    const roomBytes = this.#terms.maxBytes - bytesBefore;
    const maxBytes = Math.max(0, Math.min(question.maxBytes, roomBytes));
    const { logStartOffset, logEndOffset } = partition.log;
    const isInside = from >= logStartOffset && from <= logEndOffset;
    const mayExceed = bytesBefore === 0;
    if (maxBytes === 0 && isInside && !mayExceed) return nothing(partition, from);
    const { highWatermark } = partition;
    const outcome = partition.read(from, maxBytes);
    const take = (read: Awaited<typeof outcome>): Reading => {
      if (!read.ok) return this.#refuse(question, read);
      const { batches, bytes, nextOffset, release: giveBack } = read;
      if (bytes > maxBytes && !mayExceed) {
        giveBack?.();
        return nothing(partition, from);
      }
      const answer = { ...success(partition), batches, bytes, release: giveBack };
      return { answer, end: { partition, nextOffset }, hasMore: nextOffset < highWatermark };
    };
    return outcome instanceof Promise ? outcome.then(take) : take(outcome);
  }

  /** Meanwhile the partition may have moved: then who leads it is known by now. */
  #refuse(question: FetchQuestion, why: Pick<PartitionRefusal, 'row' | 'detail'>): Reading {
    const found = this.#lookup(question);
    return refused('refusal' in found ? found.refusal : why);
  }
}

const NO_LEADER = { leaderId: -1, leaderEpoch: NO_LEADER_EPOCH };

function success(partition: Partition): FetchAnswer {
  const nobody = { batches: [], bytes: 0, ...NO_LEADER };
  return { row: Errors.NONE, detail: '', marks: partition.marks, ...nobody };
}

const nothing = (partition: Partition, from: Offset): Reading => ({
  answer: success(partition),
  end: { partition, nextOffset: from },
  hasMore: from < partition.highWatermark,
});

function refused(
  why: Pick<PartitionRefusal, 'row' | 'detail'> & Partial<PartitionRefusal>,
): Reading {
  const { detail, leaderId = -1, leaderEpoch = NO_LEADER_EPOCH } = why;
  const row = readerRow(why.row);
  const answer = { row, detail, marks: null, batches: [], bytes: 0, leaderId, leaderEpoch };
  return { answer, end: null, hasMore: false };
}

function release(readings: readonly Reading[]): void {
  for (const { answer } of readings) answer.release?.();
}
