import { expect, test } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { NewerFormatError } from '../../../src/metadata/metadata-record-codec.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { decodeEntry, encodeEntry, type QuorumEntry } from '../../../src/quorum/quorum-entry.ts';

const records: QuorumEntry = {
  kind: 'records',
  index: 7,
  epoch: leaderEpoch(3),
  records: [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)],
};
const change: QuorumEntry = {
  kind: 'leader-change',
  index: 8,
  epoch: leaderEpoch(4),
  leader: nodeId(1),
};

test('an entry comes back from its bytes', () => {
  expect(decodeEntry(7, encodeEntry(records))).toEqual(records);
  expect(decodeEntry(8, encodeEntry(change))).toEqual(change);
});

test('the layout of an entry on disk does not change', () => {
  const hex = Buffer.from(encodeEntry(records)).toString('hex');
  expect(hex.slice(8)).toBe('0000000302000000030000000201020000000000000001' + '03');
  expect(Buffer.from(encodeEntry(change)).toString('hex').slice(8)).toBe('000000040100000001');
});

test('a changed bit anywhere in an entry is found', () => {
  for (const entry of [records, change]) {
    const bytes = encodeEntry(entry);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeEntry(entry.index, damaged)).toThrow(CorruptError);
    }
    expect(() => decodeEntry(entry.index, bytes.subarray(0, -1))).toThrow(CorruptError);
    expect(() => decodeEntry(entry.index, new Uint8Array(0))).toThrow(CorruptError);
  }
});

test('an entry at the place of another is found', () => {
  expect(() => decodeEntry(8, encodeEntry(records))).toThrow(CorruptError);
});

test('an entry of a kind that is not known was written by a newer version', () => {
  const bytes = encodeEntry(change).slice();
  bytes[8] = 9;
  const index = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, crc32c(bytes.subarray(4), crc32c(index)));
  expect(() => decodeEntry(8, bytes)).toThrow(NewerFormatError);
});
