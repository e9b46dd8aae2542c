import { expect, test } from 'vitest';
import { produceRequestCodec } from '../../../src/rpc/log-codecs.ts';
import type { PlainRecord } from '../../../src/rpc/log-messages.ts';
import { bytes } from './transport-world.ts';

function roundTrip(plainRecords: readonly PlainRecord[]): readonly PlainRecord[] {
  const partition = { topic: 't', partition: 0, topicId: bytes(), records: bytes(), plainRecords };
  const request = { correlationId: 1, acks: 1, timeoutMs: 0, partitions: [partition] } as const;
  const decoded = produceRequestCodec.decode(produceRequestCodec.encode(request));
  return [...decoded.partitions[0]!.plainRecords!];
}

const record: PlainRecord = {
  key: undefined,
  value: undefined,
  headers: [],
  timestampMs: 0,
  offset: 0,
};

test('a missing key, value or header value is not the same as an empty one', () => {
  const records = [
    record,
    { ...record, key: bytes() },
    { ...record, value: bytes() },
    {
      ...record,
      headers: [
        { key: 'none', value: undefined },
        { key: 'empty', value: bytes() },
      ],
    },
  ];
  expect(roundTrip(records)).toEqual(records);
});

test('headers keep their order and may repeat', () => {
  const headers = ['b', 'a', 'b', ''].map((key, i) => ({ key, value: bytes(i) }));
  expect(roundTrip([{ ...record, headers }])).toEqual([{ ...record, headers }]);
});

test('a record with too many headers is refused', () => {
  const header = { key: '', value: undefined };
  const of = (count: number): PlainRecord[] => [{ ...record, headers: Array(count).fill(header) }];
  expect(roundTrip(of(10_000))![0]!.headers).toHaveLength(10_000);
  expect(() => roundTrip(of(10_001))).toThrow('a record has more than 10000 headers');
});
