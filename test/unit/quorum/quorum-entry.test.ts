import { expect, test } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { ByteWriter } from '../../../src/codec/writer.ts';
import { NewerFormatError } from '../../../src/metadata/metadata-record-codec.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import {
  decodeEntry,
  decodeRecords,
  encodeEntry,
  encodeRecords,
  type LinkedEntry,
} from '../../../src/quorum/quorum-entry.ts';
import type { Entry } from '../../../src/raft/entry.ts';

const position = { index: 7, epoch: leaderEpoch(3) };
const three = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)];
const voter = { id: nodeId(5), directoryId: 'd' };

const linked = (entry: Entry): LinkedEntry => ({ entry, previousEpoch: leaderEpoch(2) });
const command = linked({ ...position, kind: 'command', bytes: encodeRecords(three) });
const empty = linked({ ...position, kind: 'empty' });
const members = linked({
  ...position,
  kind: 'configuration',
  configuration: { voters: [voter], learners: [{ ...voter, id: nodeId(6) }] },
});
const all = [command, empty, members];

const RECORDS_HEX = '00000003' + '000000020102' + '00000000' + '0000000103';

/** A value with its checksum before it. */
function checksummed(hex: string): Uint8Array {
  const index = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7);
  const body = Buffer.from(hex, 'hex');
  const value = new ByteWriter(body.length + 4);
  value.int32(crc32c(body, crc32c(index)) | 0);
  value.bytes(body);
  return value.toBytes();
}

test('an entry comes back from its bytes', () => {
  for (const entry of all) expect(decodeEntry(7, encodeEntry(entry))).toEqual(entry);
});

test('records come back from the bytes of a command', () => {
  expect(decodeRecords(encodeRecords(three))).toEqual(three);
  expect(decodeRecords(encodeRecords([]))).toEqual([]);
  expect(() => decodeRecords(Uint8Array.of(0, 0, 0, 1))).toThrow(CorruptError);
});

test('the layout of an entry on disk does not change', () => {
  const hex = (entry: LinkedEntry) => Buffer.from(encodeEntry(entry)).toString('hex').slice(8);
  expect(hex(command)).toBe(`${'00000003' + '04' + '00000002'}${RECORDS_HEX}`);
  expect(hex(empty)).toBe('00000003' + '03' + '00000002');
  expect(hex(members)).toBe(
    ['00000003', '05', '00000002', '00000001', '00000005', '0001', '64'].join('') +
      ['00000001', '00000006', '0001', '64'].join(''),
  );
});

test('entries of the time before Raft are read', () => {
  expect(decodeEntry(7, checksummed('00000003' + '01' + '00000001'))).toEqual({
    entry: { ...position, kind: 'empty' },
    previousEpoch: null,
  });
  const old = decodeEntry(7, checksummed(`${'00000003' + '02'}${RECORDS_HEX}`));
  expect(old).toEqual({ ...command, previousEpoch: null });
});

test('a changed bit anywhere in an entry is found', () => {
  for (const entry of all) {
    const bytes = encodeEntry(entry);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeEntry(7, damaged)).toThrow(CorruptError);
    }
    expect(() => decodeEntry(7, bytes.subarray(0, -1))).toThrow(CorruptError);
    expect(() => decodeEntry(7, new Uint8Array(0))).toThrow(CorruptError);
  }
});

test('an entry at the place of another is found', () => {
  expect(() => decodeEntry(8, encodeEntry(command))).toThrow(CorruptError);
});

test('an entry of a kind that is not known was written by a newer version', () => {
  expect(() => decodeEntry(7, checksummed('00000003' + '09' + '00000002'))).toThrow(
    NewerFormatError,
  );
});
