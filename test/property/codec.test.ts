import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../src/codec/reader.ts';
import { ByteWriter, varintBytes, varlongBytes } from '../../src/codec/writer.ts';

const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const LONG = 2 ** 52;

/** A field of each kind with a value that it can hold. */
const field = fc.oneof(
  fc.record({ kind: fc.constant('int8' as const), value: int(8) }),
  fc.record({ kind: fc.constant('int16' as const), value: int(16) }),
  fc.record({ kind: fc.constant('int32' as const), value: int(32) }),
  fc.record({ kind: fc.constant('uint32' as const), value: fc.nat(2 ** 32 - 1) }),
  fc.record({ kind: fc.constant('int64' as const), value: fc.maxSafeInteger() }),
  fc.record({ kind: fc.constant('varint' as const), value: int(32) }),
  fc.record({
    kind: fc.constant('varlong' as const),
    value: fc.integer({ min: -LONG, max: LONG - 1 }),
  }),
  fc.record({ kind: fc.constant('uvarint' as const), value: fc.maxSafeNat() }),
);

describe('reader and writer', () => {
  test('fields of any kind in any order are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(field), fc.nat(40), (fields, capacity) => {
        const writer = new ByteWriter(capacity);
        for (const { kind, value } of fields) {
          const before = writer.length;
          writer[kind](value);
          if (kind === 'varint') expect(varintBytes(value)).toBe(writer.length - before);
          if (kind === 'varlong') expect(varlongBytes(value)).toBe(writer.length - before);
        }
        const reader = new ByteReader(writer.toBytes());
        for (const { kind, value } of fields) expect(reader[kind]()).toBe(value);
        expect(reader.remaining).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('random bytes read as anything give a safe integer or are corrupt', () => {
    const kinds = fc.constantFrom('int64', 'varint', 'varlong', 'uvarint', 'uint32le');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.array(kinds), (bytes, order) => {
        const reader = new ByteReader(bytes);
        try {
          for (const kind of order) {
            expect(Number.isSafeInteger(reader[kind as 'int64']())).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptError);
        }
        expect(reader.position).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});
