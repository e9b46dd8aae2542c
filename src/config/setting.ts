import { assert } from '../model/assert.ts';
import {
  byteUnits,
  describeQuantity,
  noUnits,
  parseQuantity,
  timeUnits,
  type Units,
} from './units.ts';

/** A setting has a value that it cannot have, or there is no such setting. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
  /** Key of the setting. */
  readonly key: string;
  /** What is wrong and what would be right, without the key and where it came from. */
  readonly problem: string;

  /** @param origin where the value was given, such as `varve.yaml:3:5` */
  constructor(key: string, problem: string, origin?: string) {
    super(`${origin === undefined ? '' : `${origin}: `}${key}: ${problem}`);
    this.key = key;
    this.problem = problem;
  }
}

/** One setting, declared by the room that uses it. */
export interface Setting<T> {
  /** Kafka's name where Kafka has the setting: lower-case words with dots between. */
  readonly key: string;
  /** What it does, in a sentence or two, for the documentation. */
  readonly doc: string;
  readonly default: T;
  /** Name of the type, for the documentation. */
  readonly type: string;
  /** The values it can have, for the documentation; empty if all of its type. */
  readonly valid: string;
  /** The largest number it can be; missing if it is none. */
  readonly max?: number;
  /** Nobody is told its value. */
  readonly isSecret: boolean;
  /** Reads a value from text; throws `SettingError`. */
  parse(text: string): T;
  /** Text that `parse` reads as `value`. */
  format(value: T): string;
  /** `format` for people: with units. */
  describe(value: T): string;
}

/** The settings of one room by the names of their values. */
export type SettingGroup<T> = { readonly [K in keyof T]: Setting<T[K]> };

interface Declared<T> {
  readonly key: string;
  readonly default: T;
  readonly doc: string;
}

/** Limits are inclusive; `min` is 0 unless said otherwise. -1 is a value only where `min` is -1. */
export interface NumberSetting extends Declared<number> {
  readonly min?: number;
  readonly max?: number;
}

export interface TextSetting extends Declared<string> {
  /** Least number of characters; 0 unless said otherwise. */
  readonly min?: number;
  /** Nobody is told its value; false unless said otherwise. */
  readonly isSecret?: boolean;
}

export interface ChoiceSetting<V extends string> extends Declared<V> {
  readonly values: readonly V[];
}

export interface ListSetting<V extends string> extends Declared<readonly V[]> {
  /** The items it can have; any if left out. */
  readonly values?: readonly V[];
  /** Least number of items; 0 unless said otherwise. */
  readonly min?: number;
}

/** Makers of settings, one a type. Each asserts that its default is a value it would accept. */
export const setting: {
  /** A whole number of at most 32 bits. */
  int(options: NumberSetting): Setting<number>;
  /** A whole number of at most 53 bits. */
  long(options: NumberSetting): Setting<number>;
  /** A size; text may carry a unit (`64MiB`). */
  bytes(options: NumberSetting): Setting<number>;
  /** A duration; text may carry a unit (`30s`). */
  ms(options: NumberSetting): Setting<number>;
  boolean(options: Declared<boolean>): Setting<boolean>;
  text(options: TextSetting): Setting<string>;
  oneOf<V extends string>(options: ChoiceSetting<V>): Setting<V>;
  /** Items with commas between; blanks around an item do not count, no item stands twice. */
  list<V extends string = string>(options: ListSetting<V>): Setting<readonly V[]>;
} = {
  int: (options) => numberSetting('int', { max: 2 ** 31 - 1, ...options }, noUnits),
  long: (options) => numberSetting('long', options, noUnits),
  bytes: (options) => numberSetting('bytes', options, byteUnits),
  ms: (options) => numberSetting('ms', options, timeUnits),

  boolean: (options) =>
    declare(options, {
      type: 'boolean',
      valid: 'true or false',
      read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
      format: String,
    }),

  text(options) {
    const min = options.min ?? 0;
    return declare(options, {
      type: 'text',
      valid: min === 0 ? '' : `at least ${min} character${min === 1 ? '' : 's'}`,
      read: (text) => (text.length >= min ? text : undefined),
      format: String,
      isSecret: options.isSecret ?? false,
    });
  },

  oneOf(options) {
    const { values } = options;
    return declare(options, {
      type: 'choice',
      valid: `one of ${values.join(', ')}`,
      read: (text) => values.find((value) => value === text),
      format: String,
    });
  },

  list(options) {
    return declare(options, {
      type: 'list',
      valid: describeList(options),
      read: (text) => readList(text, options),
      format: (items) => items.join(','),
    });
  },
};

/** What makes one type different from another. */
interface Reading<T> {
  readonly type: string;
  readonly valid: string;
  /** The value of a text, `undefined` if it has none. */
  read(text: string): T | undefined;
  format(value: T): string;
  describe?(value: T): string;
  /** What would be right, for messages; `valid` if left out. */
  readonly expected?: string;
  readonly max?: number;
  readonly isSecret?: boolean;
}

/** A key without `_` and `-` can be turned into the name of an environment variable and back. */
const keyShape = /^[a-z0-9]+(\.[a-z0-9]+)*$/;

function declare<T>(declared: Declared<T>, reading: Reading<T>): Setting<T> {
  const { key, doc } = declared;
  const { type, valid, read, format, describe = format, expected = valid } = reading;
  const { max, isSecret = false } = reading;
  assert(keyShape.test(key), 'the key of a setting is lower-case words with dots between');
  assert(
    read(format(declared.default)) !== undefined,
    'the default of a setting is a value it accepts',
  );
  const parse = (text: string): T => {
    const value = read(text.trim());
    if (value === undefined) {
      const shown = isSecret
        ? 'what was given'
        : JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
      throw new SettingError(key, `${shown} is not valid, give ${expected}`);
    }
    return value;
  };
  return Object.freeze({
    key,
    doc,
    default: declared.default,
    type,
    valid,
    ...(max === undefined ? {} : { max }),
    isSecret,
    parse,
    format,
    describe,
  });
}

function numberSetting(type: string, options: NumberSetting, units: Units): Setting<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const describe = (value: number): string => describeQuantity(value, units);
  const upTo = max === Number.MAX_SAFE_INTEGER || max === 2 ** 31 - 1 ? '' : ` to ${describe(max)}`;
  const valid = `from ${describe(min)}${upTo}`;
  const names = [...units.factors.keys()].join(', ');
  return declare(options, {
    type,
    valid,
    max,
    expected: `${units.noun} ${valid}${names === '' ? '' : ` (units: ${names})`}`,
    read(text) {
      const value = parseQuantity(text, units);
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
    format: String,
    describe,
  });
}

function readList<V extends string>(text: string, options: ListSetting<V>): V[] | undefined {
  const items = text.trim() === '' ? [] : text.split(',').map((item) => item.trim() as V);
  const isValid =
    items.length >= (options.min ?? 0) &&
    new Set(items).size === items.length &&
    items.every((item) => item !== '' && (options.values?.includes(item) ?? true));
  return isValid ? items : undefined;
}

function describeList<V extends string>({ values, min = 0 }: ListSetting<V>): string {
  const of = values === undefined ? 'items' : `of ${values.join(', ')}`;
  return `${min === 0 ? 'any' : `at least ${min}`} ${of}, with commas between`;
}
