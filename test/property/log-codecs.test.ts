import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../src/codec/reader.ts';
import {
  fetchRequestCodec,
  fetchResponseCodec,
  MAX_ENTRIES,
  produceRequestCodec,
  produceResponseCodec,
} from '../../src/rpc/log-codecs.ts';
import type { MessageCodec } from '../../src/rpc/method.ts';
import { EncodedRecords } from '../../src/rpc/plain-record-codec.ts';
import { loadProto } from '../../src/rpc/proto-codec.ts';

/** The hand-written codecs against protobufjs, on messages of every kind and on bytes of none. */
const root = loadProto('varve/v1/log.proto');

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('orders', 'öffnung'),
);
const int32 = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 1, 127, 128, 2 ** 31 - 1, -(2 ** 31)));
const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(-1, 0, 1, 2 ** 32, 2 ** 35, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1),
);
const bytes = fc.uint8Array({ maxLength: 300 });
const topicId = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const error = fc.option(
  fc.record({ code: int32, name: text, retriable: fc.boolean(), message: text }),
  { nil: undefined },
);
const some = <T>(entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(entry, { maxLength: 5 });

/** Of an optional field: -1 is "not set". */
const leaderEpoch = fc.integer({ min: -1 });
const optionalBytes = fc.option(bytes, { nil: undefined });
const plainRecords = some(
  fc.record({
    key: optionalBytes,
    value: optionalBytes,
    headers: some(fc.record({ key: text, value: optionalBytes })),
    timestampMs: int64,
    offset: int64,
  }),
);

interface Kind {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the four codecs are tested alike
  readonly codec: MessageCodec<any>;
  // biome-ignore lint/suspicious/noExplicitAny: the four codecs are tested alike
  readonly message: fc.Arbitrary<any>;
}

const kinds: Kind[] = [
  {
    name: 'ProduceRequest',
    codec: produceRequestCodec,
    message: fc.record({
      correlationId: int64,
      acks: fc.constantFrom(0, 1, 2, 3, -1),
      timeoutMs: int32,
      partitions: some(
        fc.record({ topic: text, partition: int32, topicId, records: bytes, plainRecords }),
      ),
    }),
  },
  {
    name: 'ProduceResponse',
    codec: produceResponseCodec,
    message: fc.record({
      correlationId: int64,
      creditBytes: int64,
      partitions: some(
        fc.record({
          topic: text,
          partition: int32,
          error,
          baseOffset: int64,
          logAppendTimeMs: int64,
          logStartOffset: int64,
          leaderId: int32,
          leaderEpoch: int32,
        }),
      ),
    }),
  },
  {
    name: 'FetchRequest',
    codec: fetchRequestCodec,
    message: fc.record({
      correlationId: int64,
      creditBytes: int64,
      isolationLevel: fc.constantFrom(0, 1, 2),
      maxPartitionBytes: int32,
      positions: some(
        fc.record({ topic: text, partition: int32, topicId, offset: int64, leaderEpoch }),
      ),
      stops: some(fc.record({ topic: text, partition: int32 })),
      plainRecords: fc.boolean(),
    }),
  },
  {
    name: 'FetchResponse',
    codec: fetchResponseCodec,
    message: fc.record({
      partitions: some(
        fc.record({
          topic: text,
          partition: int32,
          correlationId: int64,
          error,
          highWatermark: int64,
          lastStableOffset: int64,
          logStartOffset: int64,
          records: fc.array(bytes, { maxLength: 3 }),
          plainRecords,
        }),
      ),
    }),
  },
];

/** A message for comparing: bytes, also in pieces, as hexadecimal digits. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof EncodedRecords) return [...value].map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) =>
      key === 'records' && Array.isArray(field)
        ? [key, field.map(comparable).join('')]
        : [key, comparable(field)],
    ),
  );
}

/** What protobufjs understands, in the same form. */
function understood(type: protobuf.Type, encoded: Uint8Array): unknown {
  const plain = (of: protobuf.Type, message: Record<string, unknown>): unknown =>
    Object.fromEntries(
      of.fieldsArray.map((field) => {
        const one = (value: unknown): unknown => {
          if (value === null || value === undefined) return undefined;
          if (field.resolvedType instanceof protobuf.Type) {
            return plain(field.resolvedType, value as Record<string, unknown>);
          }
          if (field.type === 'int64') return Number(String(value));
          // protobufjs gives an empty array for bytes that were not sent.
          return field.type === 'bytes' ? comparable(new Uint8Array(value as number[])) : value;
        };
        if (field.options?.['proto3_optional'] && !Object.hasOwn(message, field.name)) {
          return [field.name, field.type === 'bytes' ? undefined : -1];
        }
        const value = message[field.name];
        return [field.name, field.repeated ? (value as unknown[]).map(one) : one(value)];
      }),
    );
  return plain(type, type.decode(encoded) as unknown as Record<string, unknown>);
}

/** What protobufjs writes; pieces of records are joined first. */
function written(
  type: protobuf.Type,
  message: { partitions?: { records?: unknown }[] },
): Uint8Array {
  const joined = {
    ...message,
    ...(message.partitions === undefined
      ? {}
      : {
          partitions: message.partitions.map((partition) =>
            Array.isArray(partition.records)
              ? { ...partition, records: Buffer.concat(partition.records) }
              : partition,
          ),
        }),
  };
  return type.encode(type.fromObject(joined)).finish();
}

/** A message, or `CorruptError`; anything else is a bug. */
function decodeOrRefuse<T>(codec: MessageCodec<T>, encoded: Uint8Array): T | undefined {
  try {
    const message = codec.decode(encoded);
    // Plain records are decoded by who goes through them.
    comparable(message);
    return message;
  } catch (failure) {
    if (failure instanceof CorruptError) return undefined;
    throw failure;
  }
}

/** One field that no version knows, of every wire type that there is. */
const unknownField = fc
  .tuple(fc.integer({ min: 11, max: 100_000 }), fc.constantFrom(0, 1, 2, 5), fc.uint8Array())
  .map(([field, wireType, content]) => {
    const writer = protobuf.Writer.create().uint32(((field << 3) | wireType) >>> 0);
    if (wireType === 0) writer.int64(-content.length);
    else if (wireType === 1) writer.fixed64(content.length);
    else if (wireType === 2) writer.bytes(content);
    else writer.fixed32(content.length);
    return writer.finish();
  });

/** The fields of a message, each with its tag, so that they can be put together otherwise. */
function fieldsOf(encoded: Uint8Array): Uint8Array[] {
  const reader = protobuf.Reader.create(encoded);
  const fields: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    reader.skipType(reader.uint32() & 7);
    fields.push(encoded.slice(start, reader.pos));
  }
  return fields;
}

/** Changes of encoded messages: flipped bytes, cut ends, parts put in or taken out. */
const damage = fc.array(
  fc.tuple(
    fc.constantFrom('flip', 'cut', 'insert', 'remove'),
    fc.nat(),
    fc.integer({ max: 255, min: 0 }),
  ),
  { minLength: 1, maxLength: 6 },
);

function damaged(encoded: Uint8Array, changes: [string, number, number][]): Uint8Array {
  let result = [...encoded];
  for (const [how, place, value] of changes) {
    const at = result.length === 0 ? 0 : place % result.length;
    if (how === 'flip' && result.length > 0) result[at]! ^= value;
    else if (how === 'cut') result = result.slice(0, at);
    else if (how === 'insert') result.splice(at, 0, value);
    else result.splice(at, 1 + (value % 4));
  }
  return new Uint8Array(result);
}

describe.each(kinds)('$name', ({ name, codec, message }) => {
  const type = root.lookupType(`varve.v1.${name}`);

  test('that is written by hand is what protobufjs understands', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(understood(type, codec.encode(value))).toMatchObject(comparable(value) as object);
      }),
      { numRuns: 500 },
    );
  });

  test('that is written in pieces has the same bytes', () => {
    fc.assert(
      fc.property(message, (value) => {
        const pieces = codec.encodePieces?.(value) ?? [codec.encode(value)];
        expect(new Uint8Array(Buffer.concat(pieces))).toEqual(new Uint8Array(codec.encode(value)));
      }),
      { numRuns: 200 },
    );
  });

  test('that is written by protobufjs is understood by hand', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(comparable(codec.decode(written(type, value)))).toEqual(comparable(value));
      }),
      { numRuns: 500 },
    );
  });

  test('has nothing in it that protobufjs would leave out', () => {
    fc.assert(
      fc.property(message, (value) => {
        const encoded = codec.encode(value);
        const decoded = type.toObject(type.decode(encoded), { longs: Number, bytes: Array });
        expect(encoded.length).toBe(type.encode(type.fromObject(decoded)).finish().length);
      }),
      { numRuns: 200 },
    );
  });

  test('may have its fields in any order, and unknown ones between them', () => {
    const positions = fc.array(fc.nat(), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(message, fc.array(unknownField), positions, (value, unknown, places) => {
        // Entries of one repeated field keep their order; everything else moves.
        const fields = fieldsOf(codec.encode(value));
        const scalars = fields.filter((field) => (field[0]! & 7) === 0);
        const entries = fields.filter((field) => (field[0]! & 7) !== 0);
        const mixed = [...entries];
        for (const [i, field] of [...scalars, ...unknown].entries()) {
          mixed.splice(places[i % places.length]! % (mixed.length + 1), 0, field);
        }
        const encoded = Buffer.concat(mixed);
        expect(comparable(codec.decode(encoded))).toEqual(comparable(value));
      }),
      { numRuns: 300 },
    );
  });

  test('may have unknown fields in its entries', () => {
    fc.assert(
      fc.property(message, unknownField, (value, unknown) => {
        const grown = fieldsOf(codec.encode(value)).map((field) => {
          if ((field[0]! & 7) !== 2) return field;
          const reader = protobuf.Reader.create(field);
          const tag = reader.uint32();
          const content = Buffer.concat([unknown, reader.bytes(), unknown]);
          return protobuf.Writer.create().uint32(tag).bytes(content).finish();
        });
        expect(comparable(codec.decode(Buffer.concat(grown)))).toEqual(comparable(value));
      }),
      { numRuns: 300 },
    );
  });

  test('that is damaged is understood somehow or refused as corrupt', () => {
    fc.assert(
      fc.property(message, damage, (value, changes) => {
        const encoded = damaged(codec.encode(value), changes);
        const decoded = decodeOrRefuse(codec, encoded);
        // What was understood can be written again.
        if (decoded !== undefined) codec.encode(decoded);
      }),
      { numRuns: 2000 },
    );
  });

  test('is made of random bytes only by accident, and those are refused as corrupt', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (encoded) => {
        decodeOrRefuse(codec, encoded);
      }),
      { numRuns: 3000 },
    );
  });

  test('with too many entries is refused', () => {
    const repeated = type.fieldsArray.filter((field) => field.repeated);
    for (const field of repeated) {
      const tag = (field.id << 3) | 2;
      const entries = (count: number): Uint8Array =>
        new Uint8Array(count * 2).map((_, i) => (i % 2 === 0 ? tag : 0));
      expect(codec.decode(entries(MAX_ENTRIES))[field.name]).toHaveLength(MAX_ENTRIES);
      expect(() => codec.decode(entries(MAX_ENTRIES + 1))).toThrow(CorruptError);
    }
  });
});
