import fc from 'fast-check';
import { ByteReader } from '../../src/codec/reader.ts';
import type { Api } from '../../src/kafka/api.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import {
  bytes as bytesField,
  type Field,
  type FieldShape,
  type Fields,
} from '../../src/kafka/fields.ts';
import { FrameWriter } from '../../src/kafka/frame-writer.ts';
import { type MessageCodec, messageCodec } from '../../src/kafka/message-codec.ts';
import { includes } from '../../src/kafka/versions.ts';

/** A message as the codec knows it. */
export type Message = Readonly<Record<string, unknown>>;

/** One message of one version of one API. */
export interface MessageCase {
  /** `Fetch 12 request`. */
  readonly name: string;
  readonly api: Api;
  readonly version: number;
  readonly direction: 'request' | 'response';
  readonly codec: MessageCodec<Message>;
  /** Messages of this version; what it does not have is as it is where it is read. */
  readonly messages: fc.Arbitrary<Message>;
}

/** Every message of every version that is served, of whatever APIs the table has. */
export function messageCases(): MessageCase[] {
  return servedApis.flatMap((api) =>
    versionsOf(api).flatMap((version) =>
      (['request', 'response'] as const).map((direction) => ({
        name: `${api.name} ${version} ${direction}`,
        api,
        version,
        direction,
        codec: codecOf(api, version, direction),
        messages: messagesOf(api[direction], version),
      })),
    ),
  );
}

export function versionsOf({ versions: { first, last } }: Api): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

export function codecOf(
  api: Api,
  version: number,
  direction: 'request' | 'response',
): MessageCodec<Message> {
  const isFlexible = includes(api.flexible, version);
  return messageCodec(api[direction], version, isFlexible) as MessageCodec<Message>;
}

/** The bytes of a message, without the size of its frame. */
export function encoded(codec: MessageCodec<Message>, message: Message): Uint8Array {
  const writer = new FrameWriter();
  codec.write(writer, message);
  return new Uint8Array(Buffer.concat(writer.finish()).subarray(4));
}

export const decoded = (codec: MessageCodec<Message>, bytes: Uint8Array): Message =>
  codec.read(new ByteReader(bytes));

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('', 'orders', 'fuzzed', 'öffnung', '\u{1f600}', 'x'.repeat(127), 'y'.repeat(300)),
);
const bytes = fc.uint8Array({ maxLength: 200 });
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 });
const edges = (bits: number): number[] => [-1, 0, 1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))];

const integer = (bits: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }),
    fc.constantFrom(...edges(bits)),
  );

/** By the name of a type. */
const values: ReadonlyMap<string, fc.Arbitrary<unknown>> = new Map<string, fc.Arbitrary<unknown>>([
  ['int8', integer(8)],
  ['int16', integer(16)],
  ['int32', integer(32)],
  ['int64', fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges(54).slice(0, 4), 2 ** 32))],
  ['bool', fc.boolean()],
  ['uuid', uuid],
  ['string', text],
  ['bytes', bytes],
  // One piece, as it is when it is read.
  ['records', bytes.map((piece) => [piece])],
]);

export function messagesOf(fields: Fields, version: number): fc.Arbitrary<Message> {
  const members = Object.entries(fields).map(
    ([name, field]) => [name, fieldValues(field, version)] as const,
  );
  return fc.record(Object.fromEntries(members));
}

function fieldValues(field: Field<unknown>, version: number): fc.Arbitrary<unknown> {
  if (!includes(field.versions, version)) return fc.constant(field.default);
  const value = shapeValues(field.shape, version);
  const isNullable = includes(field.nullable, version) || field.shape.kind === 'struct';
  const all = isNullable ? fc.oneof(value, fc.constant(null)) : value;
  // What stands in the tagged section may be left out.
  return field.tag === undefined ? all : fc.oneof(all, fc.constant(field.default));
}

function shapeValues(shape: FieldShape, version: number): fc.Arbitrary<unknown> {
  if (shape.kind === 'struct') return messagesOf(shape.fields, version);
  if (shape.kind === 'structs')
    return fc.array(messagesOf(shape.fields, version), { maxLength: 3 });
  const value = values.get(shape.type.name);
  if (value === undefined) throw new Error(`there is no value of type ${shape.type.name}`);
  return shape.kind === 'value' ? value : fc.array(value, { maxLength: 4 });
}

/** The fields as a later version of Kafka may have them: with a tagged one more in every struct. */
export function laterFields(fields: Fields): Fields {
  const known = Object.entries(fields).map(([name, field]): [string, Field<unknown>] => {
    const { shape } = field;
    if (!('fields' in shape)) return [name, field];
    return [name, { ...field, shape: { ...shape, fields: laterFields(shape.fields) } }];
  });
  return { ...Object.fromEntries(known), later: bytesField('0+', { tag: 9999 }) };
}

/** Where a message is not what the table says: null, another type, or a list that is none. */
export function shapeProblems(fields: Fields, version: number, message: Message): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = message[name];
    if (!includes(field.versions, version)) {
      return value === field.default ? [] : [`${name} is not as it is where it is not there`];
    }
    if (value === null)
      return (field.tag !== undefined && field.default === null) ||
        includes(field.nullable, version)
        ? []
        : [`${name} is null`];
    const { shape } = field;
    if (shape.kind === 'value') return [];
    if (shape.kind === 'struct') return shapeProblems(shape.fields, version, value as Message);
    if (!Array.isArray(value)) return [`${name} is no list`];
    if (shape.kind === 'values') return [];
    return value.flatMap((each) => shapeProblems(shape.fields, version, each as Message));
  });
}
