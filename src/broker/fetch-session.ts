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
}

/** Where a session sends what it read. */
export interface FetchSink {
  /** False asks to wait for `FetchSession.drained`. */
  send(fetched: readonly FetchedRecords[]): boolean;
}

/** A place to read a partition from. */
export interface FetchStart extends PartitionClaim {
  readonly offset: number;
  /** Repeated with all that is read from this start. */
  readonly correlationId: number;
  /** Most bytes of one read, unless the first batch is larger. */
  readonly maxBytes: number;
}

/** Gathered reads are sent when they have this many bytes (DESIGN D5). */
const MESSAGE_BYTES = 1024 * 1024;

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
 * Memory is bounded by the credit, plus one batch a partition, plus what the sink holds when it says
 * "wait".
 */
export class FetchSession {
  readonly #creditLimitBytes: number;
  readonly #timers: Timers;
  readonly #lookup: PartitionLookup;
  readonly #sink: FetchSink;
  readonly #readers = new Map<string, Reader[]>();
  /** Readers with something to read, each once, served in turn. */
  readonly #ready: Reader[] = [];
  #creditBytes = 0;
  #sinkIsFull = false;
  #pumpIsDue = false;
  #closed = false;
  #gathered: FetchedRecords[] = [];
  #gatheredBytes = 0;

  constructor(creditLimitBytes: number, timers: Timers, lookup: PartitionLookup, sink: FetchSink) {
    this.#creditLimitBytes = creditLimitBytes;
    this.#timers = timers;
    this.#lookup = lookup;
    this.#sink = sink;
  }

  /** Number of partitions being read. */
  get size(): number {
    let size = 0;
    for (const readers of this.#readers.values()) size += readers.length;
    return size;
  }

  /** Bytes that may still be sent; below zero after a large batch. */
  get creditBytes(): number {
    return this.#creditBytes;
  }

  /** Allows `bytes` more to be sent; what exceeds the limit of a session is not kept. */
  grant(bytes: number): void {
    this.#creditBytes = Math.min(this.#creditBytes + bytes, this.#creditLimitBytes);
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
    const readers = this.#readers.get(start.topic) ?? [];
    readers.push(reader);
    this.#readers.set(start.topic, readers);
    this.#ready.push(reader);
    this.#pumpSoon();
  }

  /** Stops reading a partition; nothing happens if it is not being read. */
  end(topic: string, partition: number): void {
    const readers = this.#readers.get(topic);
    const at = readers?.findIndex((reader) => reader.start.partition === partition) ?? -1;
    if (readers === undefined || at < 0) return;
    this.#drop(readers[at]!);
  }

  /** The sink takes more again. */
  drained(): void {
    this.#sinkIsFull = false;
    this.#pumpSoon();
  }

  close(): void {
    this.#closed = true;
    for (const readers of this.#readers.values()) {
      for (const reader of [...readers]) this.#drop(reader);
    }
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
    if (this.#closed) return;
    while (this.#creditBytes > 0 && !this.#sinkIsFull) {
      const reader = this.#ready.shift();
      if (reader === undefined) break;
      if (!reader.closed) this.#read(reader);
    }
    this.#flush();
  }

  #read(reader: Reader): void {
    // What a read may bring is taken off the credit before it begins, so that reads which are
    // under way together cannot overdraw it.
    const reserved = Math.min(reader.start.maxBytes, this.#creditBytes);
    this.#creditBytes -= reserved;
    const outcome = reader.partition.read(reader.nextOffset, reserved);
    if (!(outcome instanceof Promise)) {
      this.#deliver(reader, reserved, outcome);
      return;
    }
    outcome.then(
      (done) => {
        // Meanwhile the reader may have been moved or the session closed.
        this.#deliver(reader, reserved, done);
        this.#pumpSoon();
      },
      (error: unknown) => {
        const row = Errors.KAFKA_STORAGE_ERROR;
        this.#deliver(reader, reserved, { ok: false, row, detail: String(error) });
        this.#pumpSoon();
      },
    );
  }

  #deliver(reader: Reader, reserved: number, outcome: LogReadOutcome): void {
    this.#creditBytes += reserved;
    if (reader.closed) return;
    if (!outcome.ok) {
      this.#drop(reader);
      this.#gather(refused(reader.start, outcome.row, outcome.detail));
      return;
    }
    if (outcome.bytes > 0 || !reader.answered) {
      const fromOffset = reader.nextOffset;
      reader.answered = true;
      reader.nextOffset = outcome.nextOffset;
      this.#creditBytes -= outcome.bytes;
      this.#gather({
        topic: reader.start.topic,
        partition: reader.start.partition,
        correlationId: reader.start.correlationId,
        fromOffset,
        row: Errors.NONE,
        detail: '',
        marks: reader.partition.marks,
        batches: outcome.batches,
      });
      this.#gatheredBytes += outcome.bytes;
      if (this.#gatheredBytes >= MESSAGE_BYTES) this.#flush();
    }
    if (outcome.bytes > 0) this.#ready.push(reader);
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
          this.#ready.push(reader);
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
    if (reader.waiter !== null) reader.partition.stopWaiting(reader.waiter);
    const readers = this.#readers.get(reader.start.topic);
    const at = readers?.indexOf(reader) ?? -1;
    if (readers !== undefined && at >= 0) readers.splice(at, 1);
    if (readers?.length === 0) this.#readers.delete(reader.start.topic);
  }

  #gather(fetched: FetchedRecords): void {
    this.#gathered.push(fetched);
  }

  #flush(): void {
    if (this.#gathered.length === 0 || this.#sinkIsFull) return;
    const fetched = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#sinkIsFull = !this.#sink.send(fetched);
  }
}

function refused(start: FetchStart, row: ErrorRow, detail: string): FetchedRecords {
  const { topic, partition, correlationId, offset: fromOffset } = start;
  return { topic, partition, correlationId, fromOffset, row, detail, marks: null, batches: [] };
}
