import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  NewerFormatError,
} from '../../../src/metadata/metadata-record-codec.ts';
import { brokerEpoch, nodeId } from '../../../src/model/ids.ts';
import { plainRegistration } from '../../support/broker-registration.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** Broker 1 in epoch 5, incarnation `i5`, directory `d`, at h:1, without a rack. */
const fields = '00000001 0000000000000005 00000002 6935 00000001 64 00000001 68 00000001 00000000';
const details = [
  '00000001  00000001 41  00000001 68  00002384  00000003 53534c',
  '00000003 703a31',
  '00000001  00000001 66  0001 0002',
  '00  0000000000000007  0000000000000004',
].join('');
const full = plainRegistration(1, 5, {
  listeners: [{ name: 'A', host: 'h', port: 9092, securityProtocol: 'SSL' }],
  peerAddress: 'p:1',
  features: [{ name: 'f', min: 1, max: 2 }],
  state: 'fenced',
  statePosition: 7,
  servedEpoch: brokerEpoch(4),
});

test('a registration that the first version wrote is read, and written as it was', () => {
  const old = bytesOf(`0002 0001 ${fields}`);
  expect(decodeMetadataRecord(old)).toEqual(plainRegistration(1, 5));
  expect(hex(encodeMetadataRecord(plainRegistration(1, 5)))).toBe(hex(old));
});

test('the layout of records of brokers does not change', () => {
  expect(hex(encodeMetadataRecord(full))).toBe(hex(bytesOf(`0002 0002 ${fields} ${details}`)));
  const of = { nodeId: nodeId(1), brokerEpoch: brokerEpoch(5) };
  const written = (['fenced', 'unfenced', 'shutting-down'] as const).map((state) =>
    hex(encodeMetadataRecord({ type: 'broker-change', ...of, state })),
  );
  const start = '00000001 0000000000000005';
  expect(written).toEqual([0, 1, 2].map((state) => hex(bytesOf(`0009 0001 ${start} 0${state}`))));
  expect(hex(encodeMetadataRecord({ type: 'unregister-broker', ...of }))).toBe(
    hex(bytesOf(`000a 0001 ${start}`)),
  );
  const level = { type: 'feature-level', name: 'metadata.version', level: 2 } as const;
  expect(hex(encodeMetadataRecord(level))).toBe(
    hex(bytesOf(`000b 0001 00000010 ${Buffer.from('metadata.version').toString('hex')} 0002`)),
  );
});

test('a level from the future, or of a feature from there, is not worked with', () => {
  const level = (name: string, to: number) => () =>
    decodeMetadataRecord(encodeMetadataRecord({ type: 'feature-level', name, level: to }));
  expect(level('metadata.version', 3)).toThrow(NewerFormatError);
  expect(level('metadata.version', 3)).toThrow(
    'level 3 of feature "metadata.version" is not known here: a newer version of varve has written it; start that version',
  );
  expect(level('other', 1)).toThrow(NewerFormatError);
  expect(level('metadata.version', 0)).toThrow(CorruptError);
  const newer = bytesOf(`0002 0003 ${fields} ${details}`);
  expect(() => decodeMetadataRecord(newer)).toThrow(NewerFormatError);
});

test('what no version can have written of a broker is corrupt', () => {
  const with2 = (text: string) => bytesOf(`0002 0002 ${fields} ${text}`);
  const cases: [string, Uint8Array][] = [
    ['nothing new', with2('00000000 00000000 00000000 01 0000000000000005 0000000000000005')],
    ['state 3', with2('00000000 00000000 00000000 03 0000000000000005 0000000000000005')],
    ['served epoch -2', with2('00000000 00000000 00000000 00 0000000000000005 fffffffffffffffe')],
    [
      'a state of position -1',
      with2('00000000 00000000 00000000 00 ffffffffffffffff 0000000000000005'),
    ],
    ['more listeners than bytes', with2('7fffffff')],
    ['more features than bytes', with2('00000000 00000000 7fffffff')],
    [
      'level 0',
      with2('00000000 00000000 00000001 00000000 0000 0001 00 0000000000000005 0000000000000005'),
    ],
    [
      'a range backwards',
      with2('00000000 00000000 00000001 00000000 0002 0001 00 0000000000000005 0000000000000005'),
    ],
    ['a port', with2(details.replace('00002384', '00012384'))],
    ['a state', bytesOf('0009 0001 00000001 0000000000000005 ff')],
  ];
  for (const [what, bytes] of cases) {
    expect(() => decodeMetadataRecord(bytes), what).toThrow(CorruptError);
  }
});
