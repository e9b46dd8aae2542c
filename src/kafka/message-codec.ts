import { type ByteReader, CorruptError } from '../codec/reader.ts';
import { assert } from '../model/assert.ts';
import type { Field, FieldShape, Fields, MessageOf } from './fields.ts';
import { FrameWriter } from './frame-writer.ts';
import { includes } from './versions.ts';
import { type NullableWireType, type WireType, writeLength } from './wire-types.ts';

/** Reads and writes one thing in one version of a message. */
export interface MessageCodec<T> {
  read(reader: ByteReader): T;
  write(writer: FrameWriter, value: T): void;
  /**
   * Moves over the thing, makes nothing, and says about how many bytes of heap it will take, decoded: what
   * has to be paid for before it is read (DESIGN D15).
   */
  skip(reader: ByteReader): number;
}

type Codec = MessageCodec<unknown>;
type NamedCodec = readonly [name: string, codec: Codec];

interface TaggedField {
  readonly name: string;
  readonly codec: Codec;
  readonly default: unknown;
}

/** By tag, ascending. */
type TaggedFields = ReadonlyMap<number, TaggedField>;

/** An object, and what each of its fields takes in it. */
const OBJECT_BYTES = 48;
const SLOT_BYTES = 8;

/**
 * What a list may become, decoded: hundreds of thousands of elements. Only to move over those that fit into
 * the largest request would keep everybody else waiting for seconds.
 */
const MAX_LIST_BYTES: number = 64 * 1024 * 1024;

/** The codec of a message: made once for each version, of closures, as nothing about it changes. */
export function messageCodec<F extends Fields>(
  fields: F,
  version: number,
  isFlexible: boolean,
): MessageCodec<MessageOf<F>> {
  return structCodec(fields, version, isFlexible) as MessageCodec<MessageOf<F>>;
}

function structCodec(fields: Fields, version: number, isFlexible: boolean): Codec {
  const present: NamedCodec[] = [];
  const known: [number, TaggedField][] = [];
  const defaults: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    defaults[name] = field.default;
    if (!includes(field.versions, version)) continue;
    const codec = fieldCodec(field, version, isFlexible);
    if (field.tag === undefined) present.push([name, codec]);
    else known.push([field.tag, { name, codec, default: field.default }]);
  }
  // They are written in the order of their tags, whatever the order of the table.
  const tagged: TaggedFields = new Map(known.sort(([a], [b]) => a - b));
  assert(isFlexible || tagged.size === 0, 'only flexible versions have tagged fields');
  const heapBytes = OBJECT_BYTES + SLOT_BYTES * Object.keys(defaults).length;
  return {
    read(reader) {
      // All of one message have the same shape, whatever version they come in.
      const message = { ...defaults };
      for (const [name, codec] of present) message[name] = codec.read(reader);
      if (isFlexible) {
        eachTag(reader, (tag) => {
          const field = tagged.get(tag);
          if (field === undefined) return false;
          message[field.name] = field.codec.read(reader);
          return true;
        });
      }
      return message;
    },
    write(writer, value) {
      const message = value as Record<string, unknown>;
      for (const [name, codec] of present) codec.write(writer, message[name]);
      if (isFlexible) writeTags(writer, message, tagged);
    },
    skip(reader) {
      let heap = heapBytes;
      for (const [, codec] of present) heap += codec.skip(reader);
      if (isFlexible) {
        eachTag(reader, (tag) => {
          const field = tagged.get(tag);
          if (field !== undefined) heap += field.codec.skip(reader);
          return field !== undefined;
        });
      }
      return heap;
    },
  };
}

/** Of one struct; Kafka has a handful, and numbers them from 0. */
const MAX_TAGGED_FIELDS = 1000;

/** Calls `take` for each tagged field; it reads the field, or says that it does not know it. */
function eachTag(reader: ByteReader, take: (tag: number) => boolean): void {
  let before = -1;
  const count = reader.count(reader.uvarint(), 2);
  if (count > MAX_TAGGED_FIELDS) throw new CorruptError(`there are ${count} tagged fields`);
  for (let i = 0; i < count; i++) {
    const tag = reader.uvarint();
    if (tag <= before) throw new CorruptError(`tag ${tag} stands after tag ${before}`);
    before = tag;
    const end = reader.uvarint() + reader.position;
    if (!take(tag)) reader.skip(end - reader.position);
    if (reader.position !== end) throw new CorruptError(`tagged field ${tag} has another length`);
  }
}

/** Moves over the tagged fields of a header. */
export const skipTags = (reader: ByteReader): void => eachTag(reader, () => false);

function writeTags(
  writer: FrameWriter,
  message: Readonly<Record<string, unknown>>,
  tagged: TaggedFields,
): void {
  const given = [...tagged].filter(([, field]) => {
    const value = message[field.name];
    return Array.isArray(value) ? value.length > 0 : value !== field.default;
  });
  writer.fields.uvarint(given.length);
  for (const [tag, { name, codec }] of given) {
    // Its length stands first: it is written apart. Tagged fields are few and small.
    const apart = new FrameWriter();
    codec.write(apart, message[name]);
    const content = apart.fields.toBytes().subarray(4);
    writer.fields.uvarint(tag);
    writer.fields.uvarint(content.length);
    writer.fields.bytes(content);
  }
}

function fieldCodec(field: Field<unknown>, version: number, isFlexible: boolean): Codec {
  const isNullable = includes(field.nullable, version);
  const { shape } = field;
  if (shape.kind === 'struct') {
    const codec = structCodec(shape.fields, version, isFlexible);
    return isNullable ? nullableStructCodec(codec) : codec;
  }
  if (shape.kind === 'value') return valueCodec(shape.type, isFlexible, isNullable);
  return arrayCodec(elementCodec(shape, version, isFlexible), isFlexible, isNullable);
}

/** A byte says whether there is a struct: -1 for none. */
const nullableStructCodec = (struct: Codec): Codec => ({
  read: (reader) => (reader.int8() < 0 ? null : struct.read(reader)),
  write: (writer, value) => {
    writer.fields.int8(value === null ? -1 : 1);
    if (value !== null) struct.write(writer, value);
  },
  skip: (reader) => (reader.int8() < 0 ? 0 : struct.skip(reader)),
});

const elementCodec = (
  shape: Extract<FieldShape, { kind: 'values' | 'structs' }>,
  version: number,
  isFlexible: boolean,
): Codec =>
  shape.kind === 'structs'
    ? structCodec(shape.fields, version, isFlexible)
    : valueCodec(shape.type, isFlexible, false);

function valueCodec(
  type: WireType<never> | NullableWireType<never>,
  isCompact: boolean,
  isNullable: boolean,
): Codec {
  const known = type as WireType<unknown>;
  if (!isNullable) {
    return {
      read: (reader) => known.read(reader, isCompact),
      write: (writer, value) => known.write(writer, value, isCompact),
      skip: (reader) => known.skip(reader, isCompact),
    };
  }
  assert('readNullable' in type, 'a number is never null');
  const nullable = type as NullableWireType<unknown>;
  return {
    read: (reader) => nullable.readNullable(reader, isCompact),
    write: (writer, value) => nullable.writeNullable(writer, value, isCompact),
    skip: (reader) => nullable.skipNullable(reader, isCompact),
  };
}

function arrayCodec(element: Codec, isCompact: boolean, isNullable: boolean): Codec {
  /** The number of elements; -1 for null. Each takes a byte at least. */
  const readCount = (reader: ByteReader): number => {
    const count = isCompact ? reader.uvarint() - 1 : reader.int32();
    if (count === -1 && isNullable) return -1;
    return reader.count(count, 1);
  };
  return {
    read(reader) {
      const count = readCount(reader);
      if (count === -1) return null;
      const elements: unknown[] = [];
      for (let i = 0; i < count; i++) elements.push(element.read(reader));
      return elements;
    },
    write(writer, value) {
      const elements = value as readonly unknown[] | null;
      writeLength(writer, elements?.length ?? -1, isCompact, true);
      for (const one of elements ?? []) element.write(writer, one);
    },
    skip(reader) {
      const count = readCount(reader);
      let heap = OBJECT_BYTES;
      for (let i = 0; i < count; i++) {
        heap += SLOT_BYTES + element.skip(reader);
        if (heap > MAX_LIST_BYTES)
          throw new CorruptError(`a list of ${count} elements is too long`);
      }
      return heap;
    },
  };
}
