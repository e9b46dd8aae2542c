import { describe, expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';

const reader = (...bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes));

describe('ByteReader', () => {
  test('reads big-endian integers and their signs', () => {
    const r = reader(0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd, 0x80, 0, 0, 1, 1, 0, 0, 0x80);
    expect([r.int8(), r.uint8(), r.int16()]).toEqual([-1, 255, -2]);
    expect([r.int32(), r.uint32(), r.uint32le()]).toEqual([-3, 0x8000_0001, 0x8000_0001]);
    expect(r.remaining).toBe(0);
  });

  test('reads from the beginning of a view, not of its buffer', () => {
    const bytes = Uint8Array.of(9, 9, 0, 7, 9);
    const r = new ByteReader(bytes.subarray(2, 4));
    expect(r.int16()).toBe(7);
    expect(() => r.uint8()).toThrow(CorruptError);
  });

  test('reads 64-bit numbers up to 2^53 and refuses those beyond', () => {
    expect(reader(0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff).int64()).toBe(2 ** 53 - 1);
    expect(reader(0xff, 0xe0, 0, 0, 0, 0, 0, 1).int64()).toBe(-(2 ** 53) + 1);
    expect(() => reader(0, 0x20, 0, 0, 0, 0, 0, 0).int64()).toThrow('beyond 2^53');
    expect(() => reader(0, 0x20, 0, 0, 0, 0, 0, 1).int64()).toThrow('beyond 2^53');
    expect(() => reader(0x80, 0, 0, 0, 0, 0, 0, 0).int64()).toThrow('beyond 2^53');
  });

  test('reads zig-zag varints of 32 bits', () => {
    expect(reader(0).varint()).toBe(0);
    expect(reader(1).varint()).toBe(-1);
    expect(reader(0x7f).varint()).toBe(-64);
    expect(reader(0x80, 1).varint()).toBe(64);
    expect(reader(0xfe, 0xff, 0xff, 0xff, 0x0f).varint()).toBe(2 ** 31 - 1);
    expect(reader(0xff, 0xff, 0xff, 0xff, 0x0f).varint()).toBe(-(2 ** 31));
  });

  test('refuses a varint beyond its bits, one without an end and one that is cut', () => {
    expect(() => reader(0xff, 0xff, 0xff, 0xff, 0x1f).varint()).toThrow('beyond 32 bits');
    expect(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 1).varint()).toThrow('too long');
    expect(() => reader(0x80, 0x80).varint()).toThrow(CorruptError);
    expect(() => reader().varlong()).toThrow(CorruptError);
    const ten = Array.from({ length: 10 }, () => 0xff);
    expect(() => reader(...ten).uvarint()).toThrow('too long');
    expect(() => reader(...ten.slice(1), 1).uvarint()).toThrow('beyond 2^53');
    expect(() => reader(...ten.slice(1), 1).varlong()).toThrow('beyond 2^52');
  });

  test('a claimed length moves the position only if the bytes are there', () => {
    const r = reader(1, 2, 3);
    expect(() => r.view(4)).toThrow('4 bytes are claimed where 3 are left');
    expect(() => r.skip(-1)).toThrow(CorruptError);
    expect(r.position).toBe(0);
    expect(r.view(2)).toEqual(Uint8Array.of(1, 2));
    expect(r.remaining).toBe(1);
  });

  test('a claimed count is held against the bytes left', () => {
    expect(reader(1, 2, 3, 4).count(2, 2)).toBe(2);
    expect(() => reader(1, 2, 3, 4).count(3, 2)).toThrow('3 elements are claimed in 4 bytes');
    expect(() => reader(1).count(-1, 1)).toThrow(CorruptError);
  });

  test('reads UTF-8 with its byte order mark and refuses what is none', () => {
    expect(reader(0xef, 0xbb, 0xbf, 0xc3, 0xa4).utf8(5)).toBe('\ufeffä');
    expect(() => reader(0xc3).utf8(1)).toThrow('not UTF-8');
  });
});
