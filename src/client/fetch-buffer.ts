import { CorruptError } from '../codec/reader.ts';
import { BatchView, batchSizeAt } from '../records/batch-view.ts';
import { VarveError } from './errors.ts';
import { Fifo } from './fifo.ts';
import type { PartitionReader } from './partition-reader.ts';

/** Who is told when bytes are no longer held. */
export interface BytesOwner {
  release(bytes: number): void;
}

/** A batch of which the reader wants at least one record. */
export interface FetchedBatch {
  readonly reader: PartitionReader;
  readonly batch: BatchView;
}

/** Batches of one partition that nobody has taken yet, or something to do after those before. */
interface Arrival {
  readonly reader: PartitionReader;
  readonly generation: number;
  readonly owner: BytesOwner | undefined;
  readonly bytes: Uint8Array;
  /** The checksums of all batches before are right. */
  readonly soundBytes: number;
  /** How far `bytes` were taken. */
  position: number;
  readonly reached: (() => void) | undefined;
}

const NO_BYTES = new Uint8Array(0);

/**
 * What was fetched and not yet taken, in the order of arrival, which is fair between partitions as
 * brokers serve them in turn. What went wrong waits in the same order, so that it comes to light only
 * after all that was read before.
 */
export class FetchBuffer {
  readonly #checkCrcs: boolean;
  readonly #onFinished: (reader: PartitionReader) => void;
  readonly #arrivals = new Fifo<Arrival>();
  #arrival: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  /** @param onFinished is told of a reader that has all it wanted */
  constructor(checkCrcs: boolean, onFinished: (reader: PartitionReader) => void) {
    this.#checkCrcs = checkCrcs;
    this.#onFinished = onFinished;
  }

  /** Takes whole batches in. Throws a `VarveError` if they are none; the owner keeps the bytes then. */
  push(reader: PartitionReader, bytes: Uint8Array, owner: BytesOwner): void {
    try {
      reader.fetched(nextOffsetAfter(bytes));
    } catch (error) {
      throw corruption(error, reader);
    }
    const { generation } = reader;
    // While they are in the processor's cache. What is wrong comes to light when its turn comes.
    const soundBytes = this.#checkCrcs ? soundBytesOf(bytes) : bytes.length;
    this.#add({ reader, generation, owner, bytes, soundBytes, position: 0, reached: undefined });
  }

  /** Has `reached` called by `take` after all that was fetched for the reader before. */
  pushMark(reader: PartitionReader, reached: () => void): void {
    const { generation } = reader;
    const nothing = { owner: undefined, bytes: NO_BYTES, soundBytes: 0, position: 0 };
    this.#add({ reader, generation, ...nothing, reached });
  }

  /** The next batch that is wanted, `undefined` if none is here. Throws what marks throw. */
  take(): FetchedBatch | undefined {
    for (let first = this.#arrivals.peek(); first !== undefined; first = this.#arrivals.peek()) {
      const { reader, bytes } = first;
      const isStale = first.generation !== reader.generation;
      if (isStale || first.position === bytes.length) {
        this.#arrivals.shift();
        first.owner?.release(bytes.length - first.position);
        if (!isStale) first.reached?.();
        continue;
      }
      const batch = this.#nextBatch(first);
      if (batch !== undefined) return { reader, batch };
    }
    return undefined;
  }

  /** Records below `offset` were handed out or are not wanted. */
  advance(reader: PartitionReader, offset: number): void {
    reader.advance(offset);
    if (!reader.isFinished) return;
    this.#onFinished(reader);
    this.drop(reader);
  }

  /** Forgets what was fetched for a reader, which goes back to where it was read. */
  drop(reader: PartitionReader): void {
    reader.rewind();
    this.#arrivals.remove((arrival) => {
      if (arrival.reader !== reader) return false;
      arrival.owner?.release(arrival.bytes.length - arrival.position);
      return true;
    });
  }

  /** Resolves when `take` may have more to give, or never will again. */
  whenArrived(): Promise<void> {
    if (this.#arrivals.size > 0 || this.#isClosed) return Promise.resolve();
    this.#arrival ??= Promise.withResolvers();
    return this.#arrival.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#arrivals.remove(() => true);
    this.#wake();
  }

  #add(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#wake();
  }

  #wake(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  /** Takes a batch out of an arrival; `undefined` if nothing in it is wanted. */
  #nextBatch(arrival: Arrival): BatchView | undefined {
    const { reader } = arrival;
    let batch: BatchView;
    try {
      batch = new BatchView(arrival.bytes, arrival.position);
      if (arrival.position >= arrival.soundBytes)
        throw new CorruptError('the batch fails its checksum');
      // Read now, so that a batch which is no batch is told of here.
      arrival.position += batch.nextOffset > 0 ? batch.sizeInBytes : 0;
    } catch (error) {
      throw corruption(error, reader);
    }
    arrival.owner?.release(batch.sizeInBytes);
    if (batch.nextOffset <= reader.position) return undefined;
    const isBeyondEnd = batch.baseOffset >= reader.endOffset;
    if (!batch.isControl && batch.recordCount > 0 && !isBeyondEnd) return batch;
    // Control batches are for brokers, and compaction can leave nothing of a batch.
    this.advance(reader, batch.nextOffset);
    return undefined;
  }
}

/** The offset after the last of the batches in `bytes`. Throws `CorruptError`. */
function nextOffsetAfter(bytes: Uint8Array): number {
  let last = 0;
  for (let at = 0; at < bytes.length; ) {
    last = at;
    const size = batchSizeAt(bytes, at);
    if (size <= 0)
      throw new CorruptError(`no batch begins ${bytes.length - at} bytes before the end`);
    at += size;
  }
  return new BatchView(bytes, last).nextOffset;
}

/** How many bytes from the beginning on are batches whose checksums are right. */
function soundBytesOf(bytes: Uint8Array): number {
  let at = 0;
  try {
    while (at < bytes.length) {
      const batch = new BatchView(bytes, at);
      if (!batch.isCrcValid()) break;
      at += batch.sizeInBytes;
    }
  } catch (error) {
    // It is thrown again when the batch is taken.
    if (!(error instanceof CorruptError)) throw error;
  }
  return at;
}

/** What bytes of a batch threw, as an error that names the place. */
export function corruption(error: unknown, reader: PartitionReader): unknown {
  if (!(error instanceof CorruptError)) return error;
  const { topic, partition, position: offset } = reader;
  return new VarveError(
    'CORRUPT_MESSAGE',
    `${topic}-${partition} cannot be read at offset ${offset}: ${error.message}`,
    { cause: error, record: { topic, partition, offset } },
  );
}
