import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { leaderEpoch, offset, producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import {
  BATCH_HEADER_BYTES,
  BatchField,
  BatchView,
  batchSizeAt,
  UnsupportedMagicError,
} from '../../../src/records/batch-view.ts';

function batchBytes(records = 1, baseSequence = 0): Uint8Array {
  const producer = { id: producerId(7), epoch: 1, baseSequence };
  const builder = new BatchBuilder({ compression: 0, producer });
  for (let i = 0; i < records; i++) {
    builder.append({ key: null, value: Uint8Array.of(i), timestampMs: 1000 + i });
  }
  return builder.build().slice();
}

/** The same batch with another 64-bit number in its header. */
function withInt64(position: number, value: bigint): BatchView {
  const bytes = batchBytes();
  new DataView(bytes.buffer).setBigInt64(position, value);
  return new BatchView(bytes, 0);
}

describe('batchSizeAt', () => {
  test('tells the size of a batch, of one that is cut, and of one that cannot be', () => {
    const bytes = batchBytes();
    expect(batchSizeAt(bytes, 0)).toBe(bytes.length);
    expect(batchSizeAt(bytes.subarray(0, 12), 0)).toBe(bytes.length);
    expect(batchSizeAt(bytes.subarray(0, 11), 0)).toBe(-1);
    expect(batchSizeAt(bytes, bytes.length)).toBe(-1);
    new DataView(bytes.buffer).setInt32(BatchField.batchLength, -13);
    expect(batchSizeAt(bytes, 0)).toBe(0);
    new DataView(bytes.buffer).setInt32(BatchField.batchLength, 2 ** 31 - 1);
    expect(batchSizeAt(bytes, 0)).toBe(2 ** 31 + 11);
  });
});

describe('BatchView', () => {
  test('is of one batch among others', () => {
    const one = batchBytes();
    const bytes = new Uint8Array([9, 9, 9, ...one, 9]);
    const view = new BatchView(bytes.subarray(1), 2);
    expect(view.bytes).toEqual(one);
    expect(view.bytes.buffer).toBe(bytes.buffer);
    expect(view.payload).toEqual(one.subarray(BATCH_HEADER_BYTES));
    expect(view.isCrcValid()).toBe(true);
  });

  test('is of whole batches only', () => {
    const bytes = batchBytes();
    for (let end = 0; end < bytes.length; end++) {
      expect(() => new BatchView(bytes.subarray(0, end), 0)).toThrow(CorruptError);
    }
    new DataView(bytes.buffer).setInt32(BatchField.batchLength, BATCH_HEADER_BYTES - 13);
    expect(() => new BatchView(bytes, 0)).toThrow('a batch claims 60 bytes');
  });

  test('is of format 2 only, and tells old formats from broken ones', () => {
    const bytes = batchBytes();
    for (const magic of [0, 1]) {
      bytes[BatchField.magic] = magic;
      expect(() => new BatchView(bytes, 0)).toThrow(UnsupportedMagicError);
      // A message of an old format may be shorter than a header of format 2.
      const message = bytes.slice(0, 26);
      new DataView(message.buffer).setInt32(BatchField.batchLength, 14);
      expect(() => new BatchView(message, 0)).toThrow(UnsupportedMagicError);
    }
    bytes[BatchField.magic] = 3;
    expect(() => new BatchView(bytes, 0)).toThrow('3 is no record format');
    expect(() => new BatchView(bytes, 0)).not.toThrow(UnsupportedMagicError);
  });

  test('refuses 64-bit numbers beyond 2^53 instead of rounding them', () => {
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(() => withInt64(BatchField.baseOffset, value).baseOffset).toThrow(CorruptError);
      expect(() => withInt64(BatchField.baseTimestamp, value).baseTimestamp).toThrow(CorruptError);
      expect(() => withInt64(BatchField.maxTimestamp, value).maxTimestamp).toThrow(CorruptError);
      expect(() => withInt64(BatchField.producerId, value).producerId).toThrow(CorruptError);
    }
    expect(withInt64(BatchField.maxTimestamp, 2n ** 53n - 1n).maxTimestamp).toBe(2 ** 53 - 1);
    expect(withInt64(BatchField.baseTimestamp, -5n).baseTimestamp).toBe(-5);
  });

  test('refuses offsets, producer ids and epochs that cannot be', () => {
    expect(() => withInt64(BatchField.baseOffset, -1n).baseOffset).toThrow(CorruptError);
    expect(() => withInt64(BatchField.producerId, -2n).producerId).toThrow(CorruptError);
    expect(() => withInt64(BatchField.baseOffset, 2n ** 53n - 1n).lastOffset).toThrow(CorruptError);
    const bytes = batchBytes();
    const header = new DataView(bytes.buffer);
    header.setInt32(BatchField.leaderEpoch, -2);
    header.setInt32(BatchField.lastOffsetDelta, -1);
    expect(() => new BatchView(bytes, 0).leaderEpoch).toThrow(CorruptError);
    expect(() => new BatchView(bytes, 0).lastOffset).toThrow(CorruptError);
  });

  test('a sequence goes on at 0 after 2^31 - 1', () => {
    expect(new BatchView(batchBytes(3, 5), 0).lastSequence).toBe(7);
    expect(new BatchView(batchBytes(3, 2 ** 31 - 3), 0).lastSequence).toBe(2 ** 31 - 1);
    expect(new BatchView(batchBytes(3, 2 ** 31 - 2), 0).lastSequence).toBe(0);
    expect(new BatchView(batchBytes(3, 2 ** 31 - 1), 0).lastSequence).toBe(1);
    expect(new BatchView(batchBytes(3, -1), 0).lastSequence).toBe(-1);
  });

  test('is placed without touching what the checksum covers', () => {
    const view = new BatchView(batchBytes(2), 0);
    const { crc } = view;
    view.assignOffset(offset(2 ** 40 + 3), leaderEpoch(6));
    expect([view.baseOffset, view.lastOffset, view.nextOffset]).toEqual([
      2 ** 40 + 3,
      2 ** 40 + 4,
      2 ** 40 + 5,
    ]);
    expect(view.leaderEpoch).toBe(6);
    expect(view.crc).toBe(crc);
    expect(view.isCrcValid()).toBe(true);
  });

  test('takes the time of the append under a new checksum', () => {
    const view = new BatchView(batchBytes(2), 0);
    expect(view.timestampType).toBe('create');
    view.setLogAppendTime(1_700_000_000_123);
    expect(view.timestampType).toBe('append');
    expect([view.baseTimestamp, view.maxTimestamp]).toEqual([1000, 1_700_000_000_123]);
    expect(view.isCrcValid()).toBe(true);
  });

  test('notices any byte that changed after the checksum', () => {
    const bytes = batchBytes(3);
    for (let at = BatchField.crc; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 0x10;
      expect(new BatchView(changed, 0).isCrcValid()).toBe(false);
    }
  });
});
