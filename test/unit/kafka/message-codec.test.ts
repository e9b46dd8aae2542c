import { expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';
import {
  array,
  arrayOf,
  type Fields,
  int8,
  int16,
  int64,
  string,
  taggedStruct,
} from '../../../src/kafka/fields.ts';
import { FrameWriter } from '../../../src/kafka/frame-writer.ts';
import { messageCodec, skipTags } from '../../../src/kafka/message-codec.ts';
import { INT8, STRING } from '../../../src/kafka/wire-types.ts';

const FLEXIBLE_SINCE = 2;

const fields = {
  a: int8('0+'),
  gone: int8('0', { default: 5 }),
  list: array('1+', { b: int8('1+'), c: int16('2+', { default: -1 }) }, { nullable: '2+' }),
  names: arrayOf('1+', STRING),
  // Not in the order of their tags.
  second: string('2+', { tag: 1, nullable: '2+', default: null }),
  first: int8('2+', { tag: 0, default: 7 }),
  ids: arrayOf('2+', INT8, { tag: 3 }),
  struct: taggedStruct('2+', { d: int8('2+'), e: int64('2+', { default: -1 }) }, 5),
};

const nothing = { first: 7, second: null, ids: [], struct: null };
const full = { a: 1, gone: 5, list: [{ b: 2, c: 3 }], names: ['x'], ...nothing };

const codecOf = (version: number) => messageCodec(fields, version, version >= FLEXIBLE_SINCE);
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function encode(version: number, message: Parameters<ReturnType<typeof codecOf>['write']>[1]) {
  const writer = new FrameWriter();
  codecOf(version).write(writer, message);
  return Buffer.concat(writer.finish()).subarray(4).toString('hex');
}

/** Reads all, and looks whether it is moved over the same way. */
function decode(version: number, hex: string) {
  const reader = new ByteReader(bytesOf(hex));
  const message = codecOf(version).read(reader);
  const skipping = new ByteReader(bytesOf(hex));
  expect(codecOf(version).skip(skipping)).toBeGreaterThan(0);
  expect([reader.remaining, skipping.remaining]).toEqual([0, 0]);
  return message;
}

const refused = (version: number, hex: string) => {
  const bytes = bytesOf(hex);
  expect(() => codecOf(version).read(new ByteReader(bytes))).toThrow(CorruptError);
  expect(() => codecOf(version).skip(new ByteReader(bytes))).toThrow(CorruptError);
};

test('a version has its fields and no others; those it lacks are as their defaults say', () => {
  expect(encode(0, { ...full, gone: 9 })).toBe('0109');
  expect(decode(0, '0109')).toEqual({ ...full, gone: 9, list: [], names: [] });
  const plain = '01' + '0000000102' + '00000001' + '000178';
  expect(encode(1, full)).toBe(plain);
  expect(decode(1, plain)).toEqual({ ...full, list: [{ b: 2, c: -1 }] });
});

test('flexible versions have compact lengths, and a tagged section behind every struct', () => {
  const hex = '01' + '02' + '020003' + '00' + '02' + '0278' + '00';
  expect(encode(2, full)).toBe(hex);
  expect(decode(2, hex)).toEqual(full);
});

test('an array is null where that is allowed and nowhere else', () => {
  expect(encode(2, { ...full, list: null })).toBe('01' + '00' + '02' + '0278' + '00');
  expect(decode(2, '01 00 02 0278 00')).toEqual({ ...full, list: null });
  refused(2, '01 00 00 00');
  refused(1, '01 ffffffff 00000000');
});

test('tagged fields stand in the order of their tags, and not at all with their defaults', () => {
  const message = { ...full, list: [], names: [], first: 8, second: 'y', ids: [1, 2] };
  const tags = '03' + '00' + '01' + '08' + '01' + '02' + '0279' + '03' + '03' + '030102';
  expect(encode(2, message)).toBe(`010101${tags}`);
  expect(decode(2, `010101${tags}`)).toEqual(message);
  expect(encode(2, { ...message, ...nothing })).toBe('01010100');
});

test('a struct can be tagged', () => {
  const message = { ...full, list: [], names: [], struct: { d: 4, e: -1 } };
  const hex = `010101${'01' + '05' + '0a' + '04' + 'ffffffffffffffff' + '00'}`;
  expect(encode(2, message)).toBe(hex);
  expect(decode(2, hex)).toEqual(message);
});

test('tagged fields that nobody knows are moved over', () => {
  const unknown = '01' + '01' + '02' + '020003' + '01' + '630201ff' + '01' + '02' + '07' + '02ffff';
  expect(() => decode(2, unknown)).toThrow(CorruptError);
  const hex = '01 02 02 0003 01 63 02 01ff 02 0278 02 00 01 09 ff01 03 aabbcc';
  expect(decode(2, hex)).toEqual({ ...full, first: 9 });
});

test.each([
  ['one tag twice', '01 01 01 02 00 01 08 00 01 09'],
  ['tags out of order', '01 01 01 02 02 00 00 01 08'],
  ['a tagged field longer than it is', '01 01 01 01 00 02 08 00'],
  ['a tagged field shorter than it is', '01 01 01 01 01 01 0279'],
  ['a tagged field beyond the bytes', '01 01 01 01 63 05 00'],
  ['more tagged fields than bytes', '01 01 01 7f 00 00'],
  ['a tagged section that is missing', '01 01 01'],
  ['more elements than bytes', '01 0a 00 00'],
  ['a count beyond all numbers', '01 ffffffffffffffff7f'],
])('%s is refused', (_, hex) => refused(2, hex));

test('a count that is negative or beyond the bytes is refused before anything is made', () => {
  for (const count of ['ffffffff', 'fffffffe', '80000000', '7fffffff', '00000009']) {
    refused(1, `01${count}0000000000000000`);
  }
});

test('a list that is longer than anybody needs is refused before it is moved over', () => {
  const listOf = (count: number) => {
    const bytes = new Uint8Array(9 + count);
    new DataView(bytes.buffer).setInt32(1, count);
    return new ByteReader(bytes);
  };
  expect(codecOf(1).skip(listOf(500_000))).toBeLessThan(64 * 1024 * 1024);
  const long = listOf(5_000_000);
  expect(() => codecOf(1).skip(long)).toThrow('a list of 5000000 elements is too long');
  expect(long.position).toBeLessThan(1_000_000);
});

test('more tagged fields than any struct has are refused', () => {
  const bytes = new Uint8Array(10_000);
  bytes.set([0xe9, 0x07]);
  expect(() => skipTags(new ByteReader(bytes))).toThrow('there are 1001 tagged fields');
});

test('the tagged section of a header is moved over', () => {
  const reader = new ByteReader(bytesOf('01 05 02 aabb 09'));
  skipTags(reader);
  expect(reader.remaining).toBe(1);
  expect(() => skipTags(new ByteReader(bytesOf('01 05 03 aabb')))).toThrow(CorruptError);
});

test('a table that cannot be is refused where it is made', () => {
  const tagged: Fields = { a: int8('0+', { tag: 0 }) };
  expect(() => messageCodec(tagged, 0, false)).toThrow('only flexible versions');
  const nullable = { a: { ...int8('0+'), nullable: { first: 0, last: 9 } } };
  expect(() => messageCodec(nullable, 0, false)).toThrow('a number is never null');
});
