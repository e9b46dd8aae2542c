import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  NewerFormatError,
} from '../../../src/metadata/metadata-record-codec.ts';
import type { MetadataRecord } from '../../../src/metadata/metadata-records.ts';
import { leaderEpoch, nodeId, producerId, topicId } from '../../../src/model/ids.ts';

const ID = topicId('AbCdEfGhIjKlMnOpQrStUv');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const patched = (record: MetadataRecord, patch: (view: DataView) => void) => {
  const bytes = encodeMetadataRecord(record);
  patch(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  return bytes;
};
const partition: MetadataRecord = {
  type: 'partition',
  topicId: ID,
  index: 3,
  replicas: [nodeId(1), nodeId(2)],
  isr: [nodeId(2)],
  leader: nodeId(2),
  leaderEpoch: leaderEpoch(5),
  partitionEpoch: 7,
};

test('the layout of a record on disk does not change', () => {
  expect(
    hex(encodeMetadataRecord({ type: 'producer-ids', nextProducerId: producerId(4096) })),
  ).toBe('0008 0001 0000000000001000'.replaceAll(' ', ''));
  expect(hex(encodeMetadataRecord({ ...partition, leader: null }))).toBe(
    [
      '0004 0001',
      Buffer.from(ID).toString('hex'),
      '00000003',
      '00000002 00000001 00000002',
      '00000001 00000002',
      'ffffffff 00000005 00000007',
    ]
      .join('')
      .replaceAll(' ', ''),
  );
  const config = { type: 'topic-config', topicId: ID, key: 'k', value: 'ä' } as const;
  expect(hex(encodeMetadataRecord(config))).toBe(
    `00060001${Buffer.from(ID).toString('hex')}000000016b01${'00000002c3a4'}`,
  );
});

test('a record of an unknown type or newer version says who has written it', () => {
  const removal: MetadataRecord = { type: 'remove-topic', topicId: ID };
  const unknown = patched(removal, (view) => view.setInt16(0, 99));
  expect(() => decodeMetadataRecord(unknown)).toThrow(NewerFormatError);
  expect(() => decodeMetadataRecord(unknown)).toThrow(
    'metadata record type 99 version 1 is not known here: a newer version of varve has written it; start that version',
  );
  const newer = patched(removal, (view) => view.setInt16(2, 2));
  expect(() => decodeMetadataRecord(newer)).toThrow(NewerFormatError);
  const cluster: MetadataRecord = { type: 'cluster', format: 2, clusterId: 'c', directoryId: 'd' };
  expect(() => decodeMetadataRecord(encodeMetadataRecord(cluster))).toThrow(NewerFormatError);
});

test('what no version can have written is corrupt', () => {
  const cases: [string, Uint8Array][] = [
    ['type 0', patched(partition, (view) => view.setInt16(0, 0))],
    ['version 0', patched(partition, (view) => view.setInt16(2, 0))],
    ['a dot in the topic id', patched(partition, (view) => view.setInt8(4, 0x2e))],
    ['a negative index', patched(partition, (view) => view.setInt32(26, -1))],
    ['a list that claims more than there is', patched(partition, (view) => view.setInt32(30, 99))],
    ['a replica twice', patched(partition, (view) => view.setInt32(38, 1))],
    ['an in-sync replica that is none', patched(partition, (view) => view.setInt32(46, 9))],
    ['leader -2', patched(partition, (view) => view.setInt32(50, -2))],
    ['a byte too many', Uint8Array.of(...encodeMetadataRecord(partition), 0)],
    ['a byte too few', encodeMetadataRecord(partition).subarray(0, -1)],
    ['no bytes', new Uint8Array(0)],
  ];
  for (const [what, bytes] of cases) {
    expect(() => decodeMetadataRecord(bytes), what).toThrow(CorruptError);
  }
});

test('half a surrogate pair is not written, because it would not come back', () => {
  const config = { type: 'topic-config', topicId: ID, key: 'k', value: '\ud800' } as const;
  expect(() => encodeMetadataRecord(config)).toThrow('well-formed');
});
