import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { AssertionError } from '../../../src/model/assert.ts';
import {
  bytesTag,
  integerFieldSize,
  integerTag,
  ProtobufReader,
  ProtobufWriter,
  textFieldSize,
} from '../../../src/rpc/protobuf.ts';
import { bytes } from './transport-world.ts';

const reader = (...values: number[]): ProtobufReader => new ProtobufReader(bytes(...values));

describe('reading', () => {
  test('takes a varint of ten bytes as two’s complement', () => {
    expect(reader(...Array(9).fill(0xff), 1).int64()).toBe(-1);
    expect(reader(...Array(9).fill(0xff), 1).int32()).toBe(-1);
  });

  test('takes the low 32 bits for an int32', () => {
    expect(reader(0x81, 0x80, 0x80, 0x80, 0x10).int32()).toBe(1);
    expect(reader(0xff, 0xff, 0xff, 0xff, 0x0f).int32()).toBe(-1);
  });

  test.each([
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['2^53 + 1', [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['2^63 - 1', [...Array(8).fill(0xff), 0x7f]],
    ['-2^63', [...Array(9).fill(0x80), 1]],
  ])('refuses %s instead of rounding it', (_name, values) => {
    expect(() => reader(...values).int64()).toThrow(CorruptError);
  });

  test('takes 2^53 - 1 and its negative', () => {
    expect(reader(...Array(7).fill(0xff), 0x0f).int64()).toBe(Number.MAX_SAFE_INTEGER);
    const low = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xf0, 0xff, 1];
    expect(reader(...low).int64()).toBe(Number.MIN_SAFE_INTEGER);
  });

  test.each([
    ['a varint that does not end', [0x80]],
    ['a varint of eleven bytes', [...Array(10).fill(0x80), 1]],
    ['field number 0', [0x00]],
    ['a tag beyond 32 bits', [0x80, 0x80, 0x80, 0x80, 0x80, 1]],
  ])('refuses %s as a tag', (_name, values) => {
    expect(() => reader(...values).tag()).toThrow(CorruptError);
  });

  test.each([
    ['a length beyond the end', [5, 1, 2]],
    ['a length beyond 32 bits', [0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a negative length', [...Array(9).fill(0xff), 1]],
  ])('refuses %s before it takes memory', (_name, values) => {
    expect(() => reader(...values).bytes()).toThrow(CorruptError);
    expect(() => reader(...values).enter()).toThrow(CorruptError);
    expect(() => reader(...values).skip(bytesTag(1))).toThrow(CorruptError);
  });

  test('gives bytes as a view', () => {
    const message = bytes(2, 7, 8);
    const view = new ProtobufReader(message).bytes();
    expect(view).toEqual(bytes(7, 8));
    expect(view.buffer).toBe(message.buffer);
  });

  test('refuses text that is not UTF-8', () => {
    expect(() => reader(2, 0xc3, 0x28).text()).toThrow('a text is not UTF-8');
    expect(reader(3, 0xe2, 0x82, 0xac).text()).toBe('€');
  });

  test('does not let a submessage reach beyond its end', () => {
    const inside = reader(1, 2, 9, 9);
    inside.enter();
    expect(() => inside.bytes()).toThrow(CorruptError);
  });

  test('skips fields of every wire type, but no groups', () => {
    const fields = reader(0x80, 1, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0xff, 0xff, 1, 2, 3, 4, 99);
    fields.skip(0);
    fields.skip(1);
    fields.skip(2);
    fields.skip(5);
    expect(fields.int32()).toBe(99);
    expect(() => fields.skip(3)).toThrow('wire type 3 is not supported');
    for (const wireType of [4, 6, 7]) expect(() => fields.skip(wireType)).toThrow(CorruptError);
  });
});

describe('writing', () => {
  test('round trips integers of every size', () => {
    for (let power = 0; power <= 53; power++) {
      for (const near of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
        for (const value of [near, -near]) {
          if (!Number.isSafeInteger(value) || value === 0) continue;
          const writer = new ProtobufWriter(integerFieldSize(value));
          writer.integerField(3, value);
          const back = new ProtobufReader(writer.finish());
          expect(back.tag()).toBe(integerTag(3));
          expect(back.int64()).toBe(value);
          expect(back.hasMore).toBe(false);
        }
      }
    }
  });

  test.each(['a', 'é', '€', '😀', 'a😀é', '\ud800', '\ud800a', 'a\udc00', '\ud800\ud800\udc00'])(
    'reckons the size of %j',
    (text) => {
      const writer = new ProtobufWriter(textFieldSize(text));
      writer.textField(1, text);
      const back = new ProtobufReader(writer.finish());
      back.tag();
      expect(back.text()).toBe(text.toWellFormed());
    },
  );

  test('leaves default values out', () => {
    const writer = new ProtobufWriter(0);
    writer.integerField(1, 0);
    writer.textField(2, '');
    writer.bytesField(3, bytes());
    writer.boolField(4, false);
    expect(writer.finish()).toEqual(bytes());
  });

  test('asserts that the reckoned size was right, and that integers are safe', () => {
    expect(() => new ProtobufWriter(1).finish()).toThrow(AssertionError);
    expect(() => new ProtobufWriter(20).integerField(1, 2 ** 53)).toThrow(AssertionError);
    expect(() => new ProtobufWriter(20).integerField(1, Number.NaN)).toThrow(AssertionError);
    expect(() => new ProtobufWriter(20).integerField(1, 1.5)).toThrow(AssertionError);
  });
});
