import { expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';
import { ByteWriter } from '../../../src/codec/writer.ts';
import {
  readBrokerEpoch,
  readCount,
  readPort,
  readText,
  writeText,
} from '../../../src/metadata/record-fields.ts';

const int32 = (value: number): ByteReader => {
  const out = new ByteWriter();
  out.int32(value);
  return new ByteReader(out.toBytes());
};

test('numbers that no field can hold are corrupt', () => {
  expect([readCount(int32(0)), readPort(int32(65_535))]).toEqual([0, 65_535]);
  expect(() => readCount(int32(-1))).toThrow(CorruptError);
  expect(() => readPort(int32(-1))).toThrow(CorruptError);
  expect(() => readPort(int32(65_536))).toThrow(CorruptError);
  const out = new ByteWriter();
  out.int64(-1);
  expect(() => readBrokerEpoch(new ByteReader(out.toBytes()))).toThrow(CorruptError);
});

test('a text comes back, and none is taken on trust for its length', () => {
  const out = new ByteWriter();
  writeText(out, 'ä');
  expect(readText(new ByteReader(out.toBytes()))).toBe('ä');
  expect(() => readText(int32(1))).toThrow(CorruptError);
  expect(() => readText(int32(-1))).toThrow(CorruptError);
});
