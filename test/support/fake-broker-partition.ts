import { type ErrorRow, Errors } from '../../src/model/errors.ts';
import { leaderEpoch, offset } from '../../src/model/ids.ts';
import { BatchView } from '../../src/records/batch-view.ts';
import { RecordCursor } from '../../src/records/record-cursor.ts';

/** A record as it was stored. */
export interface StoredRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs: number;
}

const MAX_SEQUENCE = 2 ** 31;

/** A partition that stores what it is given by Kafka's rules for idempotent producers. */
export class FakePartition {
  leaderId: number;
  leaderEpoch = 0;
  logStartOffset = 0;
  nextOffset = 0;
  readonly batches: BatchView[] = [];
  /** Told when there is more to read. */
  readonly watchers = new Set<() => void>();
  readonly #producers = new Map<number, { epoch: number; last: BatchView[] }>();

  constructor(leaderId: number) {
    this.leaderId = leaderId;
  }

  /** The base offset, or why the batch is refused. */
  append(bytes: Uint8Array): number | ErrorRow {
    const batch = new BatchView(bytes.slice(), 0);
    if (!batch.isCrcValid()) return Errors.CORRUPT_MESSAGE;
    if (batch.hasProducer) {
      const outcome = this.#checkSequence(batch);
      if (outcome !== undefined) return outcome;
    }
    const base = this.nextOffset;
    batch.assignOffset(offset(base), leaderEpoch(this.leaderEpoch));
    this.batches.push(batch);
    this.nextOffset += batch.lastOffsetDelta + 1;
    for (const watcher of this.watchers) watcher();
    return base;
  }

  /** Adds a batch as it is, whatever it says. */
  appendRaw(batch: BatchView): void {
    batch.assignOffset(offset(this.nextOffset), leaderEpoch(this.leaderEpoch));
    this.batches.push(batch);
    this.nextOffset += batch.lastOffsetDelta + 1;
    for (const watcher of this.watchers) watcher();
  }

  /** As after the expiry of producer ids. */
  forgetProducers(): void {
    this.#producers.clear();
  }

  records(): StoredRecord[] {
    return this.batches.flatMap((batch) => {
      const cursor = new RecordCursor(batch, { maxDecompressedBytes: 1 << 24 });
      const records: StoredRecord[] = [];
      while (cursor.advance()) {
        records.push({
          offset: cursor.offset,
          key: textOf(cursor.key),
          value: textOf(cursor.value),
          timestampMs: cursor.timestamp,
        });
      }
      return records;
    });
  }

  values(): (string | null)[] {
    return this.records().map(({ value }) => value);
  }

  #checkSequence(batch: BatchView): number | ErrorRow | undefined {
    const known = this.#producers.get(batch.producerId);
    if (known !== undefined && batch.producerEpoch < known.epoch)
      return Errors.INVALID_PRODUCER_EPOCH;
    if (known === undefined || batch.producerEpoch > known.epoch) {
      if (known !== undefined && batch.baseSequence !== 0)
        return Errors.OUT_OF_ORDER_SEQUENCE_NUMBER;
      this.#producers.set(batch.producerId, { epoch: batch.producerEpoch, last: [batch] });
      return undefined;
    }
    for (const one of known.last) {
      const isSame =
        one.baseSequence === batch.baseSequence && one.lastSequence === batch.lastSequence;
      if (isSame) return one.baseOffset;
    }
    const expected = (known.last.at(-1)!.lastSequence + 1) % MAX_SEQUENCE;
    if (batch.baseSequence !== expected) return Errors.OUT_OF_ORDER_SEQUENCE_NUMBER;
    known.last.push(batch);
    if (known.last.length > 5) known.last.shift();
    return undefined;
  }
}

const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);
