import type { Timers } from '../env/ports.ts';
import type { LogReadOutcome } from '../log/log-reader.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { type Offset, offset, offsetAfter } from '../model/ids.ts';
import type { OffsetWaiter } from '../replication/offset-waiters.ts';
import type { Partition, PartitionMarks } from '../replication/partition.ts';
import type { PartitionClaim, PartitionLookup } from './partition-lookup.ts';

/** Records of one partition on their way to a reader, or why there are none. */
export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly correlationId: number;
  /** What was asked for; the first batch may begin before it. */
  readonly fromOffset: number;
  readonly row: ErrorRow;
  readonly detail: string;
  /** Null on an error. */
  readonly marks: PartitionMarks | null;
  readonly batches: readonly Uint8Array[];
  /** Of all batches together. */
  readonly bytes: number;
  /** As in `LogRead`. */
  readonly release?: (() => void) | undefined;
}

/** Where a session sends what it read. It is never called inside a call of the session. */
export interface FetchSink {
  /** False asks to wait for `FetchSession.drained`. */
  send(fetched: readonly FetchedRecords[]): boolean;
  /** Called once, after `FetchSession.finish`, when nothing more will be sent. */
  end(): void;
  /** A read failed as no read should; its reader is gone. */
  failed(error: unknown): void;
}

/** A place to read a partition from. */
export interface FetchStart extends PartitionClaim {
  readonly offset: number;
  /** Repeated with all that is read from this start. */
  readonly correlationId: number;
  /** Most bytes of one read, unless the first batch is larger. */
  readonly maxBytes: number;
}

export interface FetchLimits {
  /** Most credit that is kept. */
  readonly creditBytes: number;
  /** What is read in a turn is gathered into messages of at most this, unless one read is larger. */
  readonly messageBytes: number;
}

/** What a partition costs in a message beside its batches, so that empty answers count, too. */
const ANSWER_OVERHEAD_BYTES = 256;

/** One partition that a session reads. */
interface Reader {
  readonly start: FetchStart;
  readonly partition: Partition;
  nextOffset: Offset;
  /** The first answer is sent at once, also when it is empty. */
  answered: boolean;
  waiter: OffsetWaiter | null;
  /** Moved elsewhere or dropped: whatever is under way for it is thrown away. */
  closed: boolean;
}

/**
 * The use case of reading: partitions are read from their positions on and sent while there is
 * credit; at the end of a partition its reader is parked until the high watermark moves.
 *
 * The credit is overdrawn by at most one batch. What the session holds is bounded by it, and by one
 * refusal for each position that was asked for while the sink was full.
 */
export class FetchSession {
  readonly #limits: FetchLimits;
  readonly #timers: Timers;
  readonly #lookup: PartitionLookup;
  readonly #sink: FetchSink;
  /** By topic, then by partition. */
  readonly #readers = new Map<string, Map<number, Reader>>();
  #size = 0;
  /** Readers with something to read, served in turn. */
  readonly #ready = new Set<Reader>();
  #creditBytes = 0;
  /** Taken off the credit for the reads that are under way; 0 if none is. */
  #reservedBytes = 0;
  #sinkIsFull = false;
  #pumpIsDue = false;
  #isFinishing = false;
  #closed = false;
  #gathered: FetchedRecords[] = [];
  #gatheredBytes = 0;

  constructor(limits: FetchLimits, timers: Timers, lookup: PartitionLookup, sink: FetchSink) {
    this.#limits = limits;
    this.#timers = timers;
    this.#lookup = lookup;
    this.#sink = sink;
  }

  /** Number of partitions being read. */
  get size(): number {
    return this.#size;
  }

  /** Allows `bytes` more to be sent; what exceeds the limit of a session is not kept. */
  grant(bytes: number): void {
    const limitBytes = this.#limits.creditBytes - this.#reservedBytes;
    this.#creditBytes = Math.min(this.#creditBytes + bytes, limitBytes);
    this.#pumpSoon();
  }

  /** Starts to read a partition, or moves where it is read. */
  begin(start: FetchStart): void {
    this.end(start.topic, start.partition);
    if (!Number.isSafeInteger(start.offset) || start.offset < 0) {
      const detail = `offset ${start.offset} of ${start.topic}-${start.partition} is not an offset; they begin at 0`;
      this.#gather(refused(start, Errors.OFFSET_OUT_OF_RANGE, detail));
      this.#pumpSoon();
      return;
    }
    const found = this.#lookup(start);
    if ('refusal' in found) {
      this.#gather(refused(start, found.refusal.row, found.refusal.detail));
      this.#pumpSoon();
      return;
    }
    const reader: Reader = {
      start,
      partition: found.partition,
      nextOffset: offset(start.offset),
      answered: false,
      waiter: null,
      closed: false,
    };
    const ofTopic = this.#readers.get(start.topic) ?? new Map<number, Reader>();
    ofTopic.set(start.partition, reader);
    this.#readers.set(start.topic, ofTopic);
    this.#size++;
    this.#ready.add(reader);
    this.#pumpSoon();
  }

  /**
   * Stops reading a partition; nothing happens if it is not being read, or from another start than
   * that with the correlation id, if one is given.
   */
  end(topic: string, partition: number, correlationId?: number): void {
    const reader = this.#readers.get(topic)?.get(partition);
    if (reader === undefined) return;
    if (correlationId === undefined || correlationId === reader.start.correlationId) {
      this.#drop(reader);
    }
  }

  /** The sink takes more again. */
  drained(): void {
    this.#sinkIsFull = false;
    this.#pumpSoon();
  }

  /** No more calls will come: the session ends when it has sent what there is credit for. */
  finish(): void {
    this.#isFinishing = true;
    this.#pumpSoon();
  }

  /** Ends the session at once; nothing is sent any more. */
  close(): void {
    this.#closed = true;
    for (const ofTopic of this.#readers.values()) {
      for (const reader of ofTopic.values()) this.#drop(reader);
    }
    this.#gathered = [];
  }

  /** Gathers what becomes readable in one turn of the event loop into one message. */
  #pumpSoon(): void {
    if (this.#pumpIsDue || this.#closed) return;
    this.#pumpIsDue = true;
    this.#timers.nextTurn(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    // A reader that has more is added again, behind the others.
    for (const reader of this.#ready) {
      if (this.#creditBytes <= 0 || this.#sinkIsFull || this.#closed) break;
      this.#ready.delete(reader);
      this.#read(reader);
      if (this.#gatheredBytes >= this.#limits.messageBytes) this.#flush();
    }
    this.#flush();
    if (this.#isFinishing && this.#isSpent && !this.#closed) {
      this.close();
      this.#sink.end();
    }
  }

  /** Nothing is on its way, and without another call nothing will be. */
  get #isSpent(): boolean {
    if (this.#gathered.length > 0 || this.#reservedBytes > 0) return false;
    return this.#creditBytes <= 0 || this.#size === 0;
  }

  #read(reader: Reader): void {
    const { start, partition } = reader;
    const maxBytes = Math.min(start.maxBytes, this.#creditBytes);
    // What the read may bring is taken off the credit before it begins, so that reads that are under
    // way together do not overdraw it. However little is asked for, it brings one batch.
    const largestBytes = Math.max(maxBytes, partition.log.config.maxMessageBytes);
    const reservedBytes = Math.min(largestBytes, this.#creditBytes);
    const outcome = partition.read(reader.nextOffset, maxBytes);
    if (!(outcome instanceof Promise)) {
      this.#deliver(reader, outcome);
      return;
    }
    this.#creditBytes -= reservedBytes;
    this.#reservedBytes += reservedBytes;
    const giveBack = (): void => {
      this.#creditBytes += reservedBytes;
      this.#reservedBytes -= reservedBytes;
    };
    outcome.then(
      (done) => {
        giveBack();
        // Meanwhile the reader may have been moved or the session closed.
        if (!reader.closed) this.#deliver(reader, done);
        this.#pumpSoon();
      },
      (error: unknown) => {
        giveBack();
        if (reader.closed) return;
        this.#drop(reader);
        this.#sink.failed(error);
      },
    );
  }

  #deliver(reader: Reader, outcome: LogReadOutcome): void {
    if (!outcome.ok) {
      this.#drop(reader);
      this.#gather(refused(reader.start, outcome.row, outcome.detail));
      return;
    }
    const { batches, bytes, nextOffset, release } = outcome;
    if (bytes > 0 || !reader.answered) {
      this.#creditBytes -= bytes;
      this.#gather({
        topic: reader.start.topic,
        partition: reader.start.partition,
        correlationId: reader.start.correlationId,
        fromOffset: reader.nextOffset,
        row: Errors.NONE,
        detail: '',
        marks: reader.partition.marks,
        batches,
        bytes,
        release,
      });
      reader.answered = true;
      reader.nextOffset = nextOffset;
    }
    if (bytes > 0) this.#ready.add(reader);
    else this.#park(reader);
  }

  /** Waits until there is something beyond the end. */
  #park(reader: Reader): void {
    const waiter: OffsetWaiter = {
      offset: offsetAfter(reader.nextOffset, 1),
      deadlineMs: Number.POSITIVE_INFINITY,
      settle: (row) => {
        reader.waiter = null;
        if (row === null) {
          this.#ready.add(reader);
        } else {
          this.#drop(reader);
          this.#gather(refused(reader.start, row, row.message));
        }
        this.#pumpSoon();
      },
    };
    reader.waiter = waiter;
    reader.partition.whenReadable(waiter);
  }

  #drop(reader: Reader): void {
    reader.closed = true;
    this.#ready.delete(reader);
    if (reader.waiter !== null) reader.partition.stopWaiting(reader.waiter);
    const { topic, partition } = reader.start;
    const ofTopic = this.#readers.get(topic);
    if (ofTopic?.delete(partition)) this.#size--;
    if (ofTopic?.size === 0) this.#readers.delete(topic);
  }

  #gather(fetched: FetchedRecords): void {
    this.#gathered.push(fetched);
    this.#gatheredBytes += sizeOf(fetched);
  }

  /** Sends what was gathered, in messages that are not too large, as long as the sink takes them. */
  #flush(): void {
    while (this.#gathered.length > 0 && !this.#sinkIsFull && !this.#closed) {
      let count = 1;
      let bytes = sizeOf(this.#gathered[0]!);
      while (count < this.#gathered.length) {
        const size = sizeOf(this.#gathered[count]!);
        if (bytes + size > this.#limits.messageBytes) break;
        bytes += size;
        count++;
      }
      this.#gatheredBytes -= bytes;
      this.#sinkIsFull = !this.#sink.send(this.#gathered.splice(0, count));
    }
  }
}

const sizeOf = (fetched: FetchedRecords): number => fetched.bytes + ANSWER_OVERHEAD_BYTES;

function refused(start: FetchStart, row: ErrorRow, detail: string): FetchedRecords {
  const { topic, partition, correlationId, offset: fromOffset } = start;
  const nothing = { marks: null, batches: [], bytes: 0 };
  return { topic, partition, correlationId, fromOffset, row, detail, ...nothing };
}
