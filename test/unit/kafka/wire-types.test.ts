import { describe, expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';
import { FrameWriter } from '../../../src/kafka/frame-writer.ts';
import {
  BOOL,
  BYTES,
  INT8,
  INT16,
  INT32,
  INT64,
  type NullableWireType,
  RECORDS,
  STRING,
  UUID,
  type WireType,
} from '../../../src/kafka/wire-types.ts';

// biome-ignore lint/suspicious/noExplicitAny: types of all kinds are tested alike
type AnyType = WireType<any>;
// biome-ignore lint/suspicious/noExplicitAny: types of all kinds are tested alike
type AnyNullableType = NullableWireType<any>;

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

function written(write: (writer: FrameWriter) => void): string {
  const writer = new FrameWriter();
  write(writer);
  return Buffer.concat(writer.finish()).subarray(4).toString('hex');
}

const id = bytesOf('00112233445566778899aabbccddeeff');

/** Type, value, and how it stands in versions that are not flexible and that are. */
const forms: readonly [AnyType, unknown, string, string][] = [
  [INT8, -2, 'fe', 'fe'],
  [INT16, -2, 'fffe', 'fffe'],
  [INT32, 0x01020304, '01020304', '01020304'],
  [INT64, -2, 'fffffffffffffffe', 'fffffffffffffffe'],
  [INT64, 2 ** 53 - 1, '001fffffffffffff', '001fffffffffffff'],
  [BOOL, true, '01', '01'],
  [BOOL, false, '00', '00'],
  [UUID, id, '00112233445566778899aabbccddeeff', '00112233445566778899aabbccddeeff'],
  [STRING, 'aü', '000361c3bc', '0461c3bc'],
  [STRING, '', '0000', '01'],
  [STRING, 'x'.repeat(127), `007f${'78'.repeat(127)}`, `8001${'78'.repeat(127)}`],
  [BYTES, bytesOf('0102'), '000000020102', '030102'],
  [BYTES, bytesOf(''), '00000000', '01'],
  [RECORDS, [bytesOf('0102')], '000000020102', '030102'],
];

test.each(forms)('%o: %o', (type, value, plain, compact) => {
  for (const [hex, isCompact] of [
    [plain, false],
    [compact, true],
  ] as const) {
    expect(written((writer) => type.write(writer, value, isCompact))).toBe(hex);
    const reader = new ByteReader(bytesOf(hex));
    expect(type.read(reader, isCompact)).toEqual(value);
    expect(reader.remaining).toBe(0);
    const skipping = new ByteReader(bytesOf(hex));
    expect(type.skip(skipping, isCompact)).toBeGreaterThan(0);
    expect(skipping.remaining).toBe(0);
  }
});

const nullables: readonly [AnyNullableType, string][] = [
  [STRING, 'ffff'],
  [BYTES, 'ffffffff'],
  [RECORDS, 'ffffffff'],
];

describe.each(nullables)('%o', (type, plain) => {
  test('null stands as -1, or 0 in the compact form', () => {
    for (const [hex, isCompact] of [
      [plain, false],
      ['00', true],
    ] as const) {
      expect(written((writer) => type.writeNullable(writer, null, isCompact))).toBe(hex);
      const reader = new ByteReader(bytesOf(hex));
      expect(type.readNullable(reader, isCompact)).toBeNull();
      const skipping = new ByteReader(bytesOf(hex));
      type.skipNullable(skipping, isCompact);
      expect([reader.remaining, skipping.remaining]).toEqual([0, 0]);
    }
  });

  test('null where nothing may be null is refused', () => {
    expect(() => type.read(new ByteReader(bytesOf(plain)), false)).toThrow(CorruptError);
    expect(() => type.read(new ByteReader(bytesOf('00')), true)).toThrow(CorruptError);
  });
});

test('several pieces of records stand behind each other, uncopied', () => {
  const pieces = [bytesOf('0102'), bytesOf('03')];
  const writer = new FrameWriter();
  RECORDS.write(writer, pieces, true);
  INT8.write(writer, 9, true);
  const frame = writer.finish();
  expect(Buffer.concat(frame).toString('hex')).toBe('00000005' + '04' + '010203' + '09');
  expect(frame.filter((piece) => pieces.includes(piece))).toEqual(pieces);
});

const malformed: readonly [string, AnyType, string, boolean][] = [
  ['a negative length', STRING, 'fffe', false],
  ['a negative length', BYTES, 'fffffffe', false],
  ['a length beyond the bytes', STRING, '000361', false],
  ['a length beyond the bytes', STRING, '0461', true],
  ['a length beyond the bytes', RECORDS, '7fffffff00', false],
  ['a length beyond all numbers', BYTES, 'ffffffffffffffffff7f', true],
  ['a length without an end', BYTES, 'ffffff', true],
  ['a length that is too long', BYTES, '8080808080808080808001', true],
  ['a string longer than an int16 can say', STRING, `818002${'78'.repeat(32_768)}`, true],
  ['a length that is cut short', STRING, '00', false],
  ['nothing', INT64, '', false],
  ['a number that is cut short', INT64, '00000000000000', false],
  ['an id that is cut short', UUID, '0011', true],
];

test.each(malformed)('%s is refused: %o %s', (_, type, hex, isCompact) => {
  const bytes = bytesOf(hex);
  expect(() => type.read(new ByteReader(bytes), isCompact)).toThrow(CorruptError);
  expect(() => type.skip(new ByteReader(bytes), isCompact)).toThrow(CorruptError);
});

test('text that is not UTF-8 is refused where it is read', () => {
  for (const hex of ['0002c328', '0001ff', '0003eda080']) {
    expect(() => STRING.read(new ByteReader(bytesOf(hex)), false)).toThrow(CorruptError);
  }
});

test('a number beyond 2^53 is read as the last one before it', () => {
  const read = (hex: string) => INT64.read(new ByteReader(bytesOf(hex)), false);
  const { MAX_SAFE_INTEGER: most, MIN_SAFE_INTEGER: least } = Number;
  for (const hex of ['001fffffffffffff', '0020000000000000', '7fffffffffffffff']) {
    expect(read(hex)).toBe(most);
  }
  for (const hex of ['ffe0000000000001', 'ffdfffffffffffff', '8000000000000000']) {
    expect(read(hex)).toBe(least);
  }
});

test('a string that no length can be given for is not written', () => {
  const long = 'x'.repeat(32_768);
  for (const isCompact of [true, false]) {
    expect(() => STRING.write(new FrameWriter(), long, isCompact)).toThrow('int16');
  }
});

test('what is read are views of the message', () => {
  const bytes = bytesOf('03010200112233445566778899aabbccddeeff');
  const reader = new ByteReader(bytes);
  const read = [BYTES.read(reader, true), UUID.read(reader, true)];
  bytes.fill(7);
  expect(read).toEqual([new Uint8Array(2).fill(7), new Uint8Array(16).fill(7)]);
});
