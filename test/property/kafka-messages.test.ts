import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../src/codec/reader.ts';
import { mutate } from '../fuzz/mutate.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { encoded, type MessageCase, messageCases } from '../support/kafka-messages.ts';

const RUNS = { numRuns: 25 };

/** Where a step ends, or that it refuses; any other error is thrown on. */
function endOf(bytes: Uint8Array, step: (reader: ByteReader) => unknown): number | 'refused' {
  const reader = new ByteReader(bytes);
  try {
    step(reader);
    return reader.position;
  } catch (error) {
    if (error instanceof CorruptError) return 'refused';
    throw error;
  }
}

describe.each(messageCases().map((one) => [one.name, one] as const))(
  '%s',
  (_, one: MessageCase) => {
    const { codec, messages } = one;

    test('what is written is read again, all of it, and moved over by the same way', () => {
      fc.assert(
        fc.property(messages, (message) => {
          const bytes = encoded(codec, message);
          const reader = new ByteReader(bytes);
          expect(codec.read(reader)).toEqual(message);
          expect(reader.remaining).toBe(0);
          expect(endOf(bytes, codec.skip)).toBe(bytes.length);
        }),
        RUNS,
      );
    });

    test('what is cut short anywhere is refused', () => {
      fc.assert(
        fc.property(messages, fc.nat(), (message, seed) => {
          const bytes = encoded(codec, message);
          if (bytes.length === 0) return;
          const cut = bytes.subarray(0, seed % bytes.length);
          expect([endOf(cut, codec.read), endOf(cut, codec.skip)]).toEqual(['refused', 'refused']);
        }),
        RUNS,
      );
    });

    test('damaged bytes are refused, or read as far as they are moved over', () => {
      fc.assert(
        fc.property(messages, messages, fc.nat(), (message, other, seed) => {
          const corpus = [encoded(codec, message), encoded(codec, other)];
          const bytes = mutate(new SimulatedRandom(seed), corpus);
          const read = endOf(bytes, codec.read);
          // Texts, nulls and numbers are looked at when they are read, lengths and counts by both.
          if (read !== 'refused') expect(endOf(bytes, codec.skip)).toBe(read);
          else endOf(bytes, codec.skip);
        }),
        RUNS,
      );
    });
  },
);
