import { CorruptError } from '../codec/reader.ts';
import {
  boolFieldSize,
  bytesFieldSize,
  bytesTag,
  integerFieldSize,
  integerTag,
  messageFieldSize,
  type ProtobufReader,
  ProtobufWriter,
  textFieldSize,
} from './protobuf.ts';

/** How a field of a message is written and read; its number is below 16. */
export interface Field<V> {
  readonly tag: number;
  /** What it is until it is read. Of one that must be there: nothing. */
  readonly absent: V | typeof MISSING;
  size(value: V): number;
  write(writer: ProtobufWriter, value: V): void;
  /** @param before what was read of it so far */
  read(reader: ProtobufReader, before: V): V;
}

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

const MISSING: unique symbol = Symbol('missing');

/**
 * A protobuf message as a table of its fields, for messages between nodes: too many kinds to write each by
 * hand as in `log-codecs.ts`, and read often enough not to load protobufjs for them. Fields come in any
 * order, unknown ones are skipped, of a field given twice the last counts.
 */
export class MessageTable<T extends object> {
  readonly #fields: readonly (readonly [name: string, field: Field<unknown>])[];
  readonly #byTag: ReadonlyMap<number, readonly [name: string, field: Field<unknown>]>;

  constructor(fields: Fields<T>) {
    this.#fields = Object.entries<Field<unknown>>(fields as Fields<Record<string, unknown>>);
    this.#byTag = new Map(this.#fields.map((each) => [each[1].tag, each]));
  }

  encode(message: T): Uint8Array {
    const writer = new ProtobufWriter(this.size(message));
    this.write(writer, message);
    return writer.finish();
  }

  size(message: T): number {
    const values = message as Record<string, unknown>;
    let size = 0;
    for (const [name, field] of this.#fields) size += field.size(values[name]);
    return size;
  }

  write(writer: ProtobufWriter, message: T): void {
    const values = message as Record<string, unknown>;
    for (const [name, field] of this.#fields) field.write(writer, values[name]);
  }

  /**
   * Reads up to the end of the message that the reader has entered, or of all.
   *
   * @throws CorruptError if it is no such message
   */
  read(reader: ProtobufReader): T {
    const values: Record<string, unknown> = {};
    for (const [name, field] of this.#fields) values[name] = field.absent;
    while (reader.hasMore) {
      const tag = reader.tag();
      const known = this.#byTag.get(tag);
      if (known === undefined) reader.skip(tag);
      else values[known[0]] = known[1].read(reader, values[known[0]]);
    }
    for (const [name] of this.#fields) {
      if (values[name] === MISSING) throw new CorruptError(`${name} is missing`);
    }
    return values as T;
  }
}

/** @param check refuses what the field cannot be, with a `CorruptError` */
export const int32 = <V extends number = number>(
  number: number,
  check: (value: number) => V = unchecked,
): Field<V> => integer(number, (reader) => check(reader.int32()));

export const int64 = (number: number): Field<number> => integer(number, (reader) => reader.int64());

const integer = <V extends number>(
  number: number,
  read: (reader: ProtobufReader) => V,
): Field<V> => ({
  tag: integerTag(number),
  absent: 0 as V,
  size: integerFieldSize,
  write: (writer, value) => writer.integerField(number, value),
  read,
});

export const bool = (number: number): Field<boolean> => ({
  tag: integerTag(number),
  absent: false,
  size: boolFieldSize,
  write: (writer, value) => writer.boolField(number, value),
  read: (reader) => reader.bool(),
});

/** Longer ones are refused; `what` names them. */
export const text = (number: number, maxBytes: number, what: string): Field<string> => ({
  tag: bytesTag(number),
  absent: '',
  size: textFieldSize,
  write: (writer, value) => writer.textField(number, value),
  read: (reader) => {
    const value = reader.text();
    if (textFieldSize(value) > bytesFieldSize(maxBytes)) {
      throw new CorruptError(`${what} has more than ${maxBytes} bytes`);
    }
    return value;
  },
});

/** A view of the message, not a copy. */
export const bytes = (number: number): Field<Uint8Array> => ({
  tag: bytesTag(number),
  absent: NO_BYTES,
  size: (value) => bytesFieldSize(value.length),
  write: (writer, value) => writer.bytesField(number, value),
  read: (reader) => reader.bytes(),
});

const NO_BYTES = new Uint8Array(0);

/** A message that must be there. */
export const message = <T extends object>(number: number, table: MessageTable<T>): Field<T> => ({
  tag: bytesTag(number),
  absent: MISSING,
  size: (value) => messageFieldSize(table.size(value)),
  write: (writer, value) => writeMessage(writer, number, table, value),
  read: (reader) => readMessage(reader, table),
});

export const optional = <T extends object>(
  number: number,
  table: MessageTable<T>,
): Field<T | undefined> => ({
  tag: bytesTag(number),
  absent: undefined,
  size: (value) => (value === undefined ? 0 : messageFieldSize(table.size(value))),
  write: (writer, value) => {
    if (value !== undefined) writeMessage(writer, number, table, value);
  },
  read: (reader) => readMessage(reader, table),
});

export const repeated = <T extends object>(
  number: number,
  table: MessageTable<T>,
): Field<readonly T[]> => ({
  tag: bytesTag(number),
  absent: [],
  size: (values) => values.reduce((sum, one) => sum + messageFieldSize(table.size(one)), 0),
  write: (writer, values) => {
    for (const value of values) writeMessage(writer, number, table, value);
  },
  read: (reader, before) => {
    // The first one makes the list: what is absent is shared by all messages.
    const values = before.length === 0 ? [] : (before as T[]);
    values.push(readMessage(reader, table));
    return values;
  },
});

function writeMessage<T extends object>(
  writer: ProtobufWriter,
  number: number,
  table: MessageTable<T>,
  value: T,
): void {
  writer.startBytes(number, table.size(value));
  table.write(writer, value);
}

function readMessage<T extends object>(reader: ProtobufReader, table: MessageTable<T>): T {
  const outer = reader.enter();
  const value = table.read(reader);
  reader.leave(outer);
  return value;
}

function unchecked<V extends number>(value: number): V {
  return value as V;
}
