import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as protobuf from 'protobufjs';
import { CorruptError } from '../codec/reader.ts';
import type { MessageCodec } from './method.ts';
import { toBytes } from './plain-bytes.ts';
import { protoDirectory } from './proto-directory.ts';
import { ProtobufReader, requestHeapBytes, WIRE_BYTES } from './protobuf.ts';

/** How large a request may be, and what it may come to. */
export interface RequestBudget {
  readonly maxBytes: number;
  /** Of the outermost message. */
  readonly maxFields: number;
  /** What it may take in memory when it is decoded, by its own bytes. */
  heapBytes(messageBytes: number): number;
}

/** A request of administration is small: topics, names, settings. */
export const ADMIN_BUDGET: RequestBudget = {
  maxBytes: 1024 * 1024,
  maxFields: 10_000,
  heapBytes: requestHeapBytes,
};

/** What a request of administration may come to in memory beside its own bytes; none that is larger does. */
export const unaryHeapBytes = (messageBytes: number): number =>
  requestHeapBytes(Math.min(messageBytes, ADMIN_BUDGET.maxBytes));

/**
 * Loads a `.proto` file with what it imports. Call it when the first message is due, not before:
 * protobufjs alone takes 20 ms to load.
 */
export function loadProto(file: string): protobuf.Root {
  const { Root } = createRequire(import.meta.url)('protobufjs') as typeof protobuf;
  const root = new Root();
  root.resolvePath = (_origin, target) => join(protoDirectory(), target);
  root.loadSync(file);
  root.resolveAll();
  return root;
}

/** The messages of a package by name, from a file that is read at the first message and never again. */
export function protoTypes(file: string, packageName: string): (name: string) => protobuf.Type {
  let root: protobuf.Root | undefined;
  return (name) => {
    root ??= loadProto(file);
    return root.lookupType(`${packageName}.${name}`);
  };
}

/** A codec by reflection, for everything that is not the hot path (DESIGN D6). */
export function reflectedCodec<T extends object>(type: () => protobuf.Type): MessageCodec<T> {
  return {
    encode: (message) => toBytes(encode(type(), message)),
    decode: (bytes) => toPlain(type(), decode(type(), bytes)) as T,
  };
}

/** The same for what a server receives: size and number of fields are bounded before (DESIGN D15). */
export function reflectedRequestCodec<T extends object>(
  type: () => protobuf.Type,
  budget: RequestBudget = ADMIN_BUDGET,
): MessageCodec<T> {
  const codec = reflectedCodec<T>(type);
  return {
    encode: codec.encode,
    decode: (bytes) => {
      checkBudget(type(), bytes, budget);
      return codec.decode(bytes);
    },
  };
}

/** Texts and messages, at any depth, are walked through before protobufjs takes memory for them. */
function checkBudget(type: protobuf.Type, bytes: Uint8Array, budget: RequestBudget): void {
  const { maxBytes, maxFields } = budget;
  if (bytes.length > maxBytes) {
    throw new CorruptError(`${bytes.length} bytes are more than the ${maxBytes} allowed`);
  }
  const reader = new ProtobufReader(bytes, budget.heapBytes(bytes.length));
  for (let fields = 1; reader.hasMore; fields++) {
    if (fields > maxFields) throw new CorruptError(`more than ${maxFields} fields`);
    walkField(reader, type);
  }
}

function walkField(reader: ProtobufReader, type: protobuf.Type): void {
  const tag = reader.tag();
  const field = type.fieldsById[tag >>> 3];
  if (field === undefined) {
    reader.skip(tag);
    return;
  }
  const inner = field.resolvedType;
  const isMessage = inner !== null && 'fieldsArray' in inner;
  const isText = field.type === 'string' || field.type === 'bytes';
  if (field.repeated && !isMessage && !isText) {
    reader.passOverNumbers(tag);
    return;
  }
  if ((tag & 7) !== WIRE_BYTES) {
    reader.skip(tag);
    return;
  }
  if (!isMessage && !field.map) {
    reader.passOverText();
    return;
  }
  // Once for what protobufjs makes of it, once for what we make of that.
  const outer = reader.enter(2);
  while (reader.hasMore) {
    if (isMessage) walkField(reader, inner);
    else walkText(reader);
  }
  reader.leave(outer);
}

/** A field of an entry of a map; the keys and values of ours are texts. */
function walkText(reader: ProtobufReader): void {
  const tag = reader.tag();
  if ((tag & 7) === WIRE_BYTES) reader.passOverText();
  else reader.skip(tag);
}

function encode(type: protobuf.Type, message: object): Buffer {
  return type.encode(type.fromObject(message as Record<string, unknown>)).finish() as Buffer;
}

function decode(type: protobuf.Type, bytes: Uint8Array): Fields {
  try {
    return type.decode(bytes) as unknown as Fields;
  } catch (cause) {
    throw new CorruptError(`not a ${type.name}: ${(cause as Error).message}`, { cause });
  }
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * A decoded message as our interfaces describe it: every field is there, an absent message or member
 * of a oneof is undefined, a map has no prototype (so that no key of it is magic), and an enum is its
 * name, the first one for a number that this version does not know.
 */
function toPlain(type: protobuf.Type, message: Fields): Fields {
  const plain: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (field.map) {
      plain[field.name] = Object.assign(Object.create(null), value);
    } else if (field.repeated) {
      plain[field.name] = (value as unknown[]).map((one) => toPlainValue(field, one));
    } else if (field.partOf !== null && message[field.partOf.name] !== field.name) {
      // Of several members on the wire only the last one counts.
      plain[field.name] = undefined;
    } else {
      plain[field.name] = toPlainValue(field, value);
    }
  }
  return plain;
}

function toPlainValue(field: protobuf.Field, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  const type = field.resolvedType;
  if (type !== null && 'fieldsArray' in type) return toPlain(type, value as Fields);
  if (type !== null) return type.valuesById[value as number] ?? type.valuesById[0];
  if (field.type !== 'int64') return value;
  const number = typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber();
  if (!Number.isSafeInteger(number)) {
    throw new CorruptError(`${field.name} ${String(value)} is beyond 2^53`);
  }
  return number;
}
