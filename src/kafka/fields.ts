import { NO_VERSIONS, type VersionRange, versions } from './versions.ts';
import {
  BOOL,
  BYTES,
  INT8,
  INT16,
  INT32,
  INT64,
  type NullableWireType,
  RECORDS,
  STRING,
  UUID,
  type WireType,
} from './wire-types.ts';

/** What a field holds: a value, an array of values or of structs, or one struct. */
export type FieldShape =
  | { readonly kind: 'value'; readonly type: WireType<never> | NullableWireType<never> }
  | { readonly kind: 'values'; readonly type: WireType<never> | NullableWireType<never> }
  | { readonly kind: 'structs'; readonly fields: Fields }
  | { readonly kind: 'struct'; readonly fields: Fields };

/** One field of a message: a row of the table from which everything about the wire follows. */
export interface Field<T> {
  readonly shape: FieldShape;
  /** Versions of the message that have the field. */
  readonly versions: VersionRange;
  /** Versions in which it may be null. */
  readonly nullable: VersionRange;
  /** Its number in the tagged section, if it stands there: then it is left out where it has its default. */
  readonly tag: number | undefined;
  /** What it is where a message does not have it. */
  readonly default: T;
}

/** Fields by name, in the order in which they stand. Names are Kafka's, their first letter lowered. */
export interface Fields {
  readonly [name: string]: Field<unknown>;
}

/** A message as an object. */
export type MessageOf<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never;
};

export interface FieldOptions<T> {
  readonly default?: T;
  readonly tag?: number;
}

export interface NullableFieldOptions<T> extends FieldOptions<T | null> {
  /** Versions in which the field may be null. */
  readonly nullable: string;
}

type Maker<T> = (range: string, options?: FieldOptions<T>) => Field<T>;

interface NullableMaker<T> {
  (range: string, options: NullableFieldOptions<T>): Field<T | null>;
  (range: string, options?: FieldOptions<T>): Field<T>;
}

type AnyOptions = FieldOptions<unknown> & { readonly nullable?: string };

const field = (
  shape: FieldShape,
  range: string,
  empty: unknown,
  options: AnyOptions = {},
): Field<never> => ({
  shape,
  versions: versions(range),
  nullable: options.nullable === undefined ? NO_VERSIONS : versions(options.nullable),
  tag: options.tag,
  default: ('default' in options ? options.default : empty) as never,
});

const maker =
  <T>(type: WireType<T>): NullableMaker<T> =>
  (range: string, options?: AnyOptions) =>
    field({ kind: 'value', type: type as WireType<never> }, range, type.empty, options);

export const int8: Maker<number> = maker(INT8);
export const int16: Maker<number> = maker(INT16);
export const int32: Maker<number> = maker(INT32);
/** What is beyond ±2^53 is read as that: nothing of ours gets there. */
export const int64: Maker<number> = maker(INT64);
export const bool: Maker<boolean> = maker(BOOL);
export const uuid: Maker<Uint8Array> = maker(UUID);
export const string: NullableMaker<string> = maker(STRING);
export const bytes: NullableMaker<Uint8Array> = maker(BYTES);
export const records: NullableMaker<readonly Uint8Array[]> = maker(RECORDS);

const NOTHING: readonly never[] = [];

/** An array of values of one type. */
export function arrayOf<T>(
  range: string,
  type: WireType<T>,
  options: NullableFieldOptions<readonly T[]>,
): Field<readonly T[] | null>;
export function arrayOf<T>(
  range: string,
  type: WireType<T>,
  options?: FieldOptions<readonly T[]>,
): Field<readonly T[]>;
export function arrayOf<T>(
  range: string,
  type: WireType<T>,
  options?: AnyOptions,
): Field<readonly T[] | null> {
  return field({ kind: 'values', type: type as WireType<never> }, range, NOTHING, options);
}

/** An array of structs. */
export function array<F extends Fields>(
  range: string,
  fields: F,
  options: NullableFieldOptions<readonly MessageOf<F>[]>,
): Field<readonly MessageOf<F>[] | null>;
export function array<F extends Fields>(
  range: string,
  fields: F,
  options?: FieldOptions<readonly MessageOf<F>[]>,
): Field<readonly MessageOf<F>[]>;
export function array<F extends Fields>(
  range: string,
  fields: F,
  options?: AnyOptions,
): Field<readonly MessageOf<F>[] | null> {
  return field({ kind: 'structs', fields }, range, NOTHING, options);
}

/** A struct in the tagged section; null where all of it has its defaults. */
export const taggedStruct = <F extends Fields>(
  range: string,
  fields: F,
  tag: number,
): Field<MessageOf<F> | null> => field({ kind: 'struct', fields }, range, null, { tag });

/** A struct that may be missing. */
export const nullableStruct = <F extends Fields>(
  range: string,
  fields: F,
): Field<MessageOf<F> | null> =>
  field({ kind: 'struct', fields }, range, null, { nullable: range });
