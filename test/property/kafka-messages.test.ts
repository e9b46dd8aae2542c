import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../src/codec/reader.ts';
import type { Api } from '../../src/kafka/api.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import { messageCodec } from '../../src/kafka/message-codec.ts';
import { readClientId, readRequestHeader } from '../../src/kafka/request-header.ts';
import { includes } from '../../src/kafka/versions.ts';
import { kafkaCorpus } from '../fuzz/kafka-corpus.ts';
import { mutate } from '../fuzz/mutate.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import {
  codecOf,
  decoded,
  encoded,
  laterFields,
  type MessageCase,
  messageCases,
  messagesOf,
  shapeProblems,
} from '../support/kafka-messages.ts';

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

/** A value with those fields of another that only a later version has. */
function withLater(value: unknown, other: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(other)) {
    return value.map((each, at) => withLater(each, other[at]));
  }
  if (!isStruct(value) || !isStruct(other)) return value;
  const fields = Object.entries(other).map(([name, field]) => [
    name,
    name === 'later' ? field : withLater(value[name], field),
  ]);
  return Object.fromEntries(fields);
}

const isStruct = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

describe.each(messageCases().map((one) => [one.name, one] as const))(
  '%s',
  (_, one: MessageCase) => {
    const { codec, messages, api, version, direction } = one;

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

    test('what a later version adds to it is moved over', () => {
      if (!includes(api.flexible, version)) return;
      const later = laterFields(api[direction]);
      const laterCodec = messageCodec(later, version, true) as MessageCase['codec'];
      fc.assert(
        fc.property(messagesOf(later, version), (message) => {
          const bytes = encoded(laterCodec, message);
          expect(withLater(decoded(codec, bytes), message)).toEqual(message);
          expect([endOf(bytes, codec.skip), endOf(bytes, codec.read)]).toEqual(
            Array(2).fill(bytes.length),
          );
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
          if (read === 'refused') return void endOf(bytes, codec.skip);
          expect(endOf(bytes, codec.skip)).toBe(read);
          const understood = decoded(codec, bytes);
          expect(shapeProblems(api[direction], version, understood)).toEqual([]);
          expect(decoded(codec, encoded(codec, understood))).toEqual(understood);
        }),
        RUNS,
      );
    });
  },
);

/** librdkafka ends its question for the metadata of all topics with three bytes too many; Kafka passes over them. */
function strayBytes({ name }: Api, body: Uint8Array): number {
  const isStray = name === 'Metadata' && Buffer.from(body).toString('hex') === '00000000010000';
  return isStray ? 3 : 0;
}

test('requests of the clients of others are understood to their last byte, and written as they were', () => {
  for (const api of servedApis) {
    for (const frame of kafkaCorpus().get(api.key)!) {
      const reader = new ByteReader(frame);
      const { apiVersion } = readRequestHeader(reader);
      if (!includes(api.versions, apiVersion)) continue;
      readClientId(reader, includes(api.flexible, apiVersion));
      const body = frame.subarray(reader.position);
      const codec = codecOf(api, apiVersion, 'request');
      const written = Buffer.from(encoded(codec, decoded(codec, body)));
      expect(written).toEqual(Buffer.from(body).subarray(0, body.length - strayBytes(api, body)));
    }
  }
});
