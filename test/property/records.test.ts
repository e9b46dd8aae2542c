import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Compression } from '../../src/codec/compression.ts';
import { crc32c } from '../../src/codec/crc32c.ts';
import { ByteReader, CorruptError } from '../../src/codec/reader.ts';
import { producerId } from '../../src/model/ids.ts';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import { BATCH_HEADER_BYTES, BatchField, BatchView } from '../../src/records/batch-view.ts';
import { readControlRecord } from '../../src/records/control-batch.ts';
import type { NewRecord } from '../../src/records/record.ts';
import { RecordCursor } from '../../src/records/record-cursor.ts';
import { checkClientBatch, splitBatches } from '../../src/records/validate-batch.ts';

const MAX = 1024 * 1024;
const LIMITS = {
  maxBatchBytes: MAX,
  earliestTimestampMs: Number.NEGATIVE_INFINITY,
  latestTimestampMs: Number.POSITIVE_INFINITY,
};

const bytes = fc.option(fc.uint8Array({ maxLength: 200, size: 'max' }));
const newRecord: fc.Arbitrary<NewRecord> = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'binary' }), value: bytes }), {
    maxLength: 4,
  }),
  timestampMs: fc.integer({ min: -1, max: 4_000_000_000_000 }),
});
const newRecords = fc.array(newRecord, { minLength: 1, maxLength: 40 });
const compression = fc.constantFrom(...Object.values(Compression));
const producer = fc.option(
  fc.record({
    id: fc.nat(Number.MAX_SAFE_INTEGER).map(producerId),
    epoch: fc.nat(32767),
    baseSequence: fc.nat(2 ** 31 - 1),
  }),
  { nil: undefined },
);

function build(records: readonly NewRecord[], type: Compression): Uint8Array {
  const builder = new BatchBuilder({ compression: type });
  for (const record of records) builder.append(record);
  return builder.build().slice();
}

function walk(batch: BatchView, maxDecompressedBytes = MAX): NewRecord[] {
  const records: NewRecord[] = [];
  const cursor = new RecordCursor(batch, { maxDecompressedBytes });
  while (cursor.advance()) {
    const { key, value, headers, timestamp } = cursor;
    records.push({ key, value, headers, timestampMs: timestamp });
  }
  return records;
}

/** Reads all there is; returns the records, or nothing if the bytes were found corrupt. */
function readHostile(given: Uint8Array): NewRecord[] | undefined {
  try {
    const records: NewRecord[] = [];
    for (const batch of splitBatches(given)) {
      checkClientBatch(batch, LIMITS);
      const { lastOffset, maxTimestamp, producerId: id, leaderEpoch, lastSequence } = batch;
      for (const number of [lastOffset, maxTimestamp, id, leaderEpoch, lastSequence]) {
        expect(Number.isSafeInteger(number)).toBe(true);
      }
      if (batch.isControl) readControlRecord(batch);
      else records.push(...walk(batch));
    }
    return records;
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptError);
    return undefined;
  }
}

/** The same as `walk` field by field, as the format is written down. */
function walkPlainly(batch: BatchView): NewRecord[] {
  const reader = new ByteReader(batch.payload);
  const nullable = (): Uint8Array | null => {
    const length = reader.varint();
    return length === -1 ? null : reader.view(length);
  };
  let lastDelta = -1;
  const records = Array.from({ length: batch.recordCount }, () => {
    const bodyBytes = reader.varint();
    const end = reader.position + bodyBytes;
    reader.skip(1);
    const timestampMs = batch.baseTimestamp + reader.varlong();
    const delta = reader.varint();
    if (delta <= lastDelta || delta > batch.lastOffsetDelta) throw new CorruptError('offset');
    lastDelta = delta;
    const [key, value] = [nullable(), nullable()];
    const headers = Array.from({ length: reader.count(reader.varint(), 2) }, () => {
      const name = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
        reader.view(reader.varint()),
      );
      return { key: name, value: nullable() };
    });
    if (reader.position !== end) throw new CorruptError('length');
    return { key, value, headers, timestampMs };
  });
  if (reader.remaining > 0) throw new CorruptError('rest');
  return records;
}

function orCorrupt<T>(read: () => T): T | 'corrupt' {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptError);
    return 'corrupt';
  }
}

/** Makes the checksum right, so that what is behind it is tried. */
function mendCrc(batch: Uint8Array): void {
  const header = new DataView(batch.buffer, batch.byteOffset);
  header.setUint32(BatchField.crc, crc32c(batch.subarray(BatchField.attributes)));
}

describe('record batches', () => {
  test('give back their records, with every codec', () => {
    fc.assert(
      fc.property(newRecords, compression, producer, (records, type, by) => {
        const builder = new BatchBuilder({
          compression: type,
          isTransactional: by !== undefined,
          ...(by && { producer: by }),
        });
        for (const record of records) {
          const size = builder.sizeAfter(record);
          builder.append(record);
          expect(builder.estimatedBytes).toBe(size);
        }
        const view = new BatchView(builder.build(), 0);
        expect(checkClientBatch(view, LIMITS)).toBeNull();
        expect(walk(view)).toEqual(records);
        expect(view.maxTimestamp).toBe(Math.max(...records.map((record) => record.timestampMs)));
      }),
      { numRuns: 200 },
    );
  });

  test('lie one after another in any number', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(newRecords, compression), { maxLength: 4 }), (given) => {
        const parts = given.map(([records, type]) => build(records, type));
        const views = splitBatches(Buffer.concat(parts));
        expect(views.map((view) => walk(view))).toEqual(given.map(([records]) => records));
      }),
      { numRuns: 50 },
    );
  });

  test('cut anywhere are corrupt', () => {
    fc.assert(
      fc.property(newRecords, compression, (records, type) => {
        const batch = build(records, type);
        for (let end = 1; end < batch.length; end++) {
          expect(readHostile(batch.subarray(0, end))).toBeUndefined();
        }
      }),
      { numRuns: 20 },
    );
  });

  test('whose records are cut under a right header are corrupt or still whole', {
    tags: ['slow'],
  }, () => {
    fc.assert(
      fc.property(newRecords, compression, (records, type) => {
        const batch = build(records, type);
        for (let end = BATCH_HEADER_BYTES; end < batch.length; end++) {
          const cut = batch.slice(0, end);
          new DataView(cut.buffer).setInt32(BatchField.batchLength, end - 12);
          mendCrc(cut);
          const read = readHostile(cut);
          // What zlib or zstd end with is a checksum: without it the content may be there.
          if (read !== undefined) expect(read).toEqual(records);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('with up to four bytes changed in a row are refused by a broker for their checksum', () => {
    const masks = fc.uint8Array({ minLength: 1, maxLength: 4 }).filter(([first]) => first! > 0);
    fc.assert(
      fc.property(newRecords, compression, masks, fc.nat(), (records, type, change, place) => {
        const batch = build(records, type);
        const from = BatchField.attributes;
        const at = from + (place % (batch.length - from));
        for (const [i, mask] of change.entries()) if (at + i < batch.length) batch[at + i]! ^= mask;
        const refusal = checkClientBatch(new BatchView(batch, 0), LIMITS);
        expect(refusal?.row.name).toBe('CORRUPT_MESSAGE');
      }),
      { numRuns: 200 },
    );
  });

  test('that claim another number of records than they hold are corrupt', () => {
    fc.assert(
      fc.property(newRecords, compression, fc.nat(50), (records, type, claimed) => {
        const batch = build(records, type);
        const header = new DataView(batch.buffer);
        header.setInt32(BatchField.recordCount, claimed);
        header.setInt32(BatchField.lastOffsetDelta, 50);
        mendCrc(batch);
        const isRight = claimed === records.length;
        expect(readHostile(batch)).toEqual(isRight ? records : undefined);
      }),
      { numRuns: 200 },
    );
  });

  test('with flipped bytes are corrupt or records, under a checksum made right', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(newRecords, compression, flips, fc.boolean(), (records, type, at, inHeader) => {
        const batch = build(records, type);
        // The batch length stays: the test above is about that.
        const from = inHeader ? BatchField.leaderEpoch : BATCH_HEADER_BYTES;
        const range = (inHeader ? BATCH_HEADER_BYTES : batch.length) - from;
        for (const [position, mask] of at) batch[from + (position % range)]! ^= mask;
        mendCrc(batch);
        readHostile(batch);
      }),
      { numRuns: 2000 },
    );
  });

  test('with changed bytes are read as a plain reader of the format reads them', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      maxLength: 3,
    });
    const values = fc.constantFrom(0, 1, 63, 64, 200, 8191, 8192, 20_000);
    const sized = fc.array(fc.tuple(newRecord, fc.option(values)), { minLength: 1, maxLength: 70 });
    fc.assert(
      fc.property(sized, changes, (given, changed) => {
        const records = given.map(([record, size]) => {
          return size === null ? record : { ...record, value: new Uint8Array(size), headers: [] };
        });
        const batch = build(records, Compression.none);
        const room = batch.length - BATCH_HEADER_BYTES;
        for (const [place, byte] of changed) batch[BATCH_HEADER_BYTES + (place % room)] = byte;
        const view = new BatchView(batch, 0);
        expect(orCorrupt(() => walk(view))).toEqual(orCorrupt(() => walkPlainly(view)));
      }),
      { numRuns: 500 },
    );
  });

  test('of random bytes are corrupt or records', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(7), (noise, codec) => {
        const batch = new Uint8Array(BATCH_HEADER_BYTES + noise.length);
        batch.set(noise, BATCH_HEADER_BYTES);
        const header = new DataView(batch.buffer);
        header.setInt32(BatchField.batchLength, batch.length - 12);
        header.setInt8(BatchField.magic, 2);
        header.setInt16(BatchField.attributes, codec);
        header.setInt32(BatchField.lastOffsetDelta, 5);
        header.setInt32(BatchField.recordCount, 6);
        mendCrc(batch);
        readHostile(batch);
        readHostile(noise);
      }),
      { numRuns: 2000 },
    );
  });
});
