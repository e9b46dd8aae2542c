import { argumentError, VarveError } from './errors.ts';
import { describeIssues, type StandardSchemaV1 } from './standard-schema.ts';

/** Turns values into bytes and back. What it throws becomes the cause of a SERIALIZATION_FAILED. */
export interface Serializer<T> {
  serialize(value: T): Uint8Array;
  deserialize(bytes: Uint8Array): T;
}

/**
 * How keys or values are written:
 * - `bytes` (the default): as they are; when sending, a string is taken as UTF-8.
 * - `string`: UTF-8.
 * - `json`: JSON in UTF-8.
 * - a Standard Schema: JSON, checked on both sides. What is sent is the JSON of what was given (the
 *   schema's input), what is read is what the schema makes of it (its output). A schema that checks
 *   asynchronously is awaited when reading and refused when sending, since waiting would let records
 *   overtake each other.
 * - a pair of functions of your own.
 *
 * `null` is never passed to any of them: it stands for no key, or for a tombstone.
 */
export type Serialization =
  | 'bytes'
  | 'string'
  | 'json'
  | Serializer<unknown>
  | StandardSchemaV1<unknown, unknown>;

/** What may be sent under a serialization. */
export type InputOf<S extends Serialization> =
  S extends StandardSchemaV1<infer Input, unknown>
    ? Input
    : S extends Serializer<infer T>
      ? T
      : S extends 'string'
        ? string
        : S extends 'json'
          ? unknown
          : Uint8Array | string;

/** What is read under a serialization. */
export type OutputOf<S extends Serialization> =
  S extends StandardSchemaV1<unknown, infer Output>
    ? Output
    : S extends Serializer<infer T>
      ? T
      : S extends 'string'
        ? string
        : S extends 'json'
          ? unknown
          : Uint8Array;

export type Encoder = (value: unknown) => Uint8Array;
export type Decoder = (bytes: Uint8Array) => unknown;

/** @param what `key` or `value`, for messages */
export function encoderOf(serialization: Serialization, what: string): Encoder {
  switch (serialization) {
    case 'bytes':
      return (value) => encodeBytes(value, what);
    case 'string':
      return (value) => encodeString(value, what);
    case 'json':
      return (value) => encodeJson(value, what);
    default:
      return isSerializer(serialization)
        ? (value) => serialization.serialize(value)
        : schemaEncoder(schemaOf(serialization, what), what);
  }
}

/** The decoder answers with a promise only for a schema that checks asynchronously. */
export function decoderOf(serialization: Serialization, what: string): Decoder {
  switch (serialization) {
    case 'bytes':
      return (bytes) => bytes;
    case 'string':
      return decodeUtf8;
    case 'json':
      return decodeJson;
    default:
      return isSerializer(serialization)
        ? (bytes) => serialization.deserialize(bytes)
        : schemaDecoder(schemaOf(serialization, what));
  }
}

/** Wraps whatever a serializer threw. */
export function serializationError(cause: unknown, subject: string): VarveError {
  if (VarveError.is(cause)) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new VarveError('SERIALIZATION_FAILED', `${subject}: ${text}`, { cause });
}

// `Buffer.from` takes short texts from a pool, which is several times cheaper than `TextEncoder`.
const encodeUtf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(bytes);
const decodeJson = (bytes: Uint8Array): unknown => JSON.parse(utf8.decode(bytes));

function encodeBytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return encodeUtf8(value);
  throw wrongType(what, 'a Uint8Array or a string', value);
}

function encodeString(value: unknown, what: string): Uint8Array {
  if (typeof value === 'string') return encodeUtf8(value);
  throw wrongType(what, 'a string', value);
}

function encodeJson(value: unknown, what: string): Uint8Array {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw wrongType(what, 'something that JSON can express', value);
  return encodeUtf8(text);
}

function wrongType(what: string, wanted: string, value: unknown): VarveError {
  return new VarveError(
    'SERIALIZATION_FAILED',
    `the ${what} is of type ${typeof value} and must be ${wanted}; option \`${what}\` of the producer says how it is written`,
  );
}

/** Programs that are not type-checked may give anything. */
function isSerializer(
  serialization: Serializer<unknown> | object,
): serialization is Serializer<unknown> {
  const { serialize, deserialize } = serialization as Partial<Serializer<unknown>>;
  return typeof serialize === 'function' && typeof deserialize === 'function';
}

type Standard = StandardSchemaV1<unknown, unknown>['~standard'];

function schemaOf(serialization: unknown, what: string): Standard {
  // ArkType's schemas are functions.
  const holder = serialization as Partial<StandardSchemaV1<unknown, unknown>> | null;
  const standard = holder?.['~standard'];
  if (standard === undefined) {
    throw argumentError(
      `option \`${what}\` must be 'bytes', 'string', 'json', a Standard Schema or {serialize, deserialize}`,
    );
  }
  return standard;
}

function schemaEncoder(standard: Standard, what: string): Encoder {
  return (value) => {
    const result = standard.validate(value);
    if (result instanceof Promise) {
      // Nobody waits for it: without this its failure would be an unhandled rejection.
      result.catch(() => {});
      throw new VarveError(
        'SERIALIZATION_FAILED',
        `the schema of the ${what} checks asynchronously; producing needs one that does not`,
      );
    }
    if (result.issues !== undefined) throw refused(what, result.issues);
    return encodeJson(value, what);
  };
}

function schemaDecoder(standard: Standard): Decoder {
  const accepted = (result: Awaited<ReturnType<Standard['validate']>>): unknown => {
    if (result.issues !== undefined) throw new Error(describeIssues(result.issues));
    return result.value;
  };
  return (bytes) => {
    const result = standard.validate(decodeJson(bytes));
    return result instanceof Promise ? result.then(accepted) : accepted(result);
  };
}

function refused(what: string, issues: Parameters<typeof describeIssues>[0]): VarveError {
  return new VarveError(
    'SERIALIZATION_FAILED',
    `the schema refuses the ${what}: ${describeIssues(issues)}`,
  );
}
