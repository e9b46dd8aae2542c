import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../../src/codec/reader.ts';
import { ByteWriter, varintBytes, varlongBytes } from '../../../src/codec/writer.ts';

const EDGES = [
  0,
  1,
  63,
  64,
  127,
  128,
  8191,
  8192,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 52 - 1,
];

describe('ByteWriter', () => {
  test('writes what a reader reads back', () => {
    const writer = new ByteWriter(1);
    writer.int8(-1);
    writer.int16(-2);
    writer.int32(-3);
    writer.uint32(0xffff_fffc);
    writer.int64(-5);
    writer.int64(2 ** 53 - 1);
    writer.bytes(Uint8Array.of(1, 2));
    expect(writer.utf8('größe €')).toBe(11);
    const reader = new ByteReader(writer.toBytes());
    expect([reader.int8(), reader.int16(), reader.int32(), reader.uint32()]).toEqual([
      -1, -2, -3, 0xffff_fffc,
    ]);
    expect([reader.int64(), reader.int64()]).toEqual([-5, 2 ** 53 - 1]);
    expect(reader.view(2)).toEqual(Uint8Array.of(1, 2));
    expect(reader.utf8(reader.remaining)).toBe('größe €');
  });

  test('loses nothing while it grows, whatever is written last', () => {
    const writes: ((writer: ByteWriter) => void)[] = [
      (writer) => writer.int8(7),
      (writer) => writer.int16(7),
      (writer) => writer.int32(7),
      (writer) => writer.uint32(7),
      (writer) => writer.int64(7),
      (writer) => writer.uvarint(7),
      (writer) => writer.uvarint(128 * 7),
      (writer) => writer.bytes(Uint8Array.of(7)),
      (writer) => writer.utf8('\u0007'),
    ];
    for (const write of writes) {
      const writer = new ByteWriter(1);
      writer.int8(1);
      write(writer);
      expect(writer.toBytes()[0]).toBe(1);
      expect(writer.toBytes().at(-1)).toBe(7);
    }
  });

  test('writes varints of every length, and says before how long they are', () => {
    for (const value of EDGES.flatMap((edge) => [edge, -edge])) {
      const writer = new ByteWriter();
      writer.varlong(value);
      expect(varlongBytes(value)).toBe(writer.length);
      expect(new ByteReader(writer.toBytes()).varlong()).toBe(value === 0 ? 0 : value);
      if ((value | 0) !== value) continue;
      writer.clear();
      writer.varint(value);
      expect(varintBytes(value)).toBe(writer.length);
      expect(new ByteReader(writer.toBytes()).varint()).toBe(value === 0 ? 0 : value);
    }
    const writer = new ByteWriter();
    for (const value of EDGES) writer.uvarint(value);
    const reader = new ByteReader(writer.toBytes());
    for (const value of EDGES) expect(reader.uvarint()).toBe(value);
  });

  test('refuses numbers it would have to round', () => {
    const writer = new ByteWriter();
    expect(() => writer.int64(2 ** 53)).toThrow('safe integers');
    expect(() => writer.varlong(-(2 ** 53) + 1)).toThrow('safe integers');
    expect(() => writer.uvarint(-1)).toThrow('safe integers');
    expect(() => writer.uvarint(0.5)).toThrow('safe integers');
  });

  test('overwrites only what was written, and starts anew when cleared', () => {
    const writer = new ByteWriter();
    writer.int32(1);
    writer.int32(2);
    writer.setInt32(0, 7);
    expect(writer.toBytes()).toEqual(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 2));
    expect(() => writer.setInt32(5, 1)).toThrow('overwritten');
    writer.clear();
    expect(writer.length).toBe(0);
  });
});
