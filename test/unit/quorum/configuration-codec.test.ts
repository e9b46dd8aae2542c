import { expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';
import { ByteWriter } from '../../../src/codec/writer.ts';
import { nodeId } from '../../../src/model/ids.ts';
import {
  decodeSnapshotMeta,
  encodeSnapshotMeta,
  readConfiguration,
  readMember,
  writeConfiguration,
  writeMember,
} from '../../../src/quorum/configuration-codec.ts';
import { metaAt, threeVoters, voter } from '../../support/storage-story.ts';

const written = (write: (out: ByteWriter) => void): Uint8Array => {
  const out = new ByteWriter();
  write(out);
  return out.toBytes();
};

test('members come back from their bytes', () => {
  const configuration = { ...threeVoters, learners: [{ id: nodeId(9), directoryId: 'ä' }] };
  const bytes = written((out) => writeConfiguration(out, configuration));
  expect(readConfiguration(new ByteReader(bytes))).toEqual(configuration);
});

test('the layout of members does not change', () => {
  const one = { voters: [{ id: nodeId(5), directoryId: 'dir' }], learners: [] };
  const bytes = written((out) => writeConfiguration(out, one));
  expect(Buffer.from(bytes).toString('hex')).toBe(
    ['00000001', '00000005', '0003', '646972', '00000000'].join(''),
  );
});

test('a member that no disk could hold is refused', () => {
  const long = { id: nodeId(1), directoryId: 'x'.repeat(256) };
  expect(() => written((out) => writeMember(out, long))).toThrow('is short');
  const bytes = Buffer.concat([Buffer.from('000000010100', 'hex'), Buffer.alloc(256)]);
  expect(() => readMember(new ByteReader(bytes))).toThrow(CorruptError);
  const many = Buffer.from('7fffffff', 'hex');
  expect(() => readConfiguration(new ByteReader(many))).toThrow(CorruptError);
});

test('what a snapshot stands for comes back, and any changed bit is found', () => {
  const meta = { ...metaAt(2 ** 40, 7), configurationIndex: 12 };
  const bytes = encodeSnapshotMeta(meta);
  expect(decodeSnapshotMeta(bytes)).toEqual(meta);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => decodeSnapshotMeta(damaged)).toThrow(CorruptError);
  }
  expect(() => decodeSnapshotMeta(new Uint8Array(0))).toThrow(CorruptError);
  expect(meta.configuration.voters[0]).toEqual(voter(1));
});
