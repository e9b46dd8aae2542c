import { Compression, compress, decompress } from '../../src/codec/compression.ts';
import { crc32c } from '../../src/codec/crc32c.ts';
import { CorruptError } from '../../src/codec/reader.ts';
import { findByTime } from '../../src/log/time-lookup.ts';
import { offset, producerId } from '../../src/model/ids.ts';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import { BATCH_HEADER_BYTES, BatchField, type BatchView } from '../../src/records/batch-view.ts';
import { buildTransactionMarker, readControlRecord } from '../../src/records/control-batch.ts';
import { RecordCursor } from '../../src/records/record-cursor.ts';
import { checkClientBatch, splitBatches } from '../../src/records/validate-batch.ts';
import type { Target } from './target.ts';

/** What a block may decompress to here. */
const MAX_BYTES = 64 * 1024;
const text = new TextEncoder();
const isCorrupt = (error: unknown): boolean => error instanceof CorruptError;

const contents: readonly Uint8Array[] = [
  new Uint8Array(0),
  text.encode('a'),
  text.encode('the same again and again, '.repeat(40)),
  Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 31) >>> 3),
  // More than is allowed: a bomb.
  new Uint8Array(MAX_BYTES + 1),
];

const compressions: readonly Target[] = (['gzip', 'snappy', 'lz4', 'zstd'] as const).map(
  (name) => ({
    name: `${name} block`,
    weight: 2,
    corpus: contents.map((content) => compress(Compression[name], content)),
    run: (bytes) => {
      const { length } = decompress(Compression[name], bytes, MAX_BYTES);
      if (length > MAX_BYTES) throw new Error(`${length} bytes came out of ${bytes.length}`);
    },
    refuses: isCorrupt,
  }),
);

function batch(type: Compression, count: number): Uint8Array {
  const producer = { id: producerId(7), epoch: 1, baseSequence: 0 };
  const builder = new BatchBuilder({ compression: type, ...(count > 1 ? { producer } : {}) });
  for (let i = 0; i < count; i++) {
    builder.append({
      key: i % 3 === 0 ? null : text.encode(`key ${i}`),
      value: i % 5 === 0 ? null : text.encode(`value ${i} `.repeat(i % 4)),
      headers: Array.from({ length: i % 3 }, (_, at) => ({ key: `h${at}`, value: null })),
      timestampMs: 1_700_000_000_000 + i,
    });
  }
  return builder.build().slice();
}

const limits = {
  maxBatchBytes: MAX_BYTES,
  earliestTimestampMs: Number.NEGATIVE_INFINITY,
  latestTimestampMs: Number.POSITIVE_INFINITY,
};

/** Whatever a reader asks of a record. */
function walk(view: BatchView): void {
  const cursor = new RecordCursor(view, { maxDecompressedBytes: MAX_BYTES });
  let records = 0;
  while (cursor.advance()) {
    records++;
    const { offset: at, timestamp, key, value, headers } = cursor;
    const isInside = at >= view.baseOffset && at <= view.lastOffset;
    if (!isInside || !Number.isSafeInteger(timestamp)) {
      throw new Error(`a record at ${at} of time ${timestamp} in ${view.baseOffset}`);
    }
    if ((key?.length ?? 0) + (value?.length ?? 0) > MAX_BYTES || headers.length > MAX_BYTES) {
      throw new Error('a record is larger than its batch may be');
    }
  }
  if (records !== view.recordCount) throw new Error(`${records} of ${view.recordCount} records`);
}

const batches: Target = {
  name: 'record batches',
  weight: 6,
  corpus: [
    ...Object.values(Compression).map((type) => batch(type, 12)),
    batch(Compression.none, 1),
    Buffer.concat([batch(Compression.none, 2), batch(Compression.lz4, 3)]),
    buildTransactionMarker({
      type: 'commit',
      producerId: producerId(1),
      producerEpoch: 0,
      coordinatorEpoch: 3,
      timestampMs: 1,
    }),
  ],
  run: (bytes) => {
    for (const view of splitBatches(bytes)) {
      checkClientBatch(view, limits);
      if (view.isControl) readControlRecord(view);
      else walk(view);
    }
    findByTime(bytes, 1_700_000_000_005, offset(0));
  },
  refuses: isCorrupt,
  mend: mendFirstBatch,
};

function mendFirstBatch(bytes: Uint8Array): void {
  if (bytes.length < BATCH_HEADER_BYTES) return;
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  // Mostly the length is what a mutation has made wrong.
  header.setInt32(BatchField.batchLength, bytes.length - 12);
  header.setUint32(BatchField.crc, crc32c(bytes.subarray(BatchField.attributes)));
}

export const recordTargets: readonly Target[] = [...compressions, batches];
