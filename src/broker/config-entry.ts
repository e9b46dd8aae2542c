import type { Setting } from '../config/setting.ts';

/** Where a value of a setting comes from: the topic, the settings of this broker, or the program. */
export type ConfigSource = 'topic' | 'broker' | 'default';

/** Types of settings by Kafka's names, and its codes for them (`ConfigDef.Type`). */
export const configTypes: { readonly [name in ConfigType]: number } = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
};

export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD';

/** One of the values that a setting has in several places; the first of them is in force. */
export interface ConfigSynonym {
  /** The key under which it is given there. */
  readonly name: string;
  /** Null if it is sensitive. */
  readonly value: string | null;
  readonly source: ConfigSource;
}

/** A setting with its value in force. */
export interface ConfigEntry<Value extends string | null = string> {
  readonly name: string;
  readonly value: Value;
  readonly type: ConfigType;
  readonly source: ConfigSource;
  /** All values that there are, the one in force first. */
  readonly synonyms: readonly ConfigSynonym[];
  /** It cannot be changed by a request. */
  readonly isReadOnly: boolean;
  /** Its value is told to nobody. */
  readonly isSensitive: boolean;
  readonly documentation: string;
}

const MAX_INT32 = 2 ** 31 - 1;

/** Kafka's type of a setting. */
export function configTypeOf({ type, max, isSecret }: Setting<unknown>): ConfigType {
  if (max !== undefined) return max <= MAX_INT32 ? 'INT' : 'LONG';
  if (type === 'boolean') return 'BOOLEAN';
  if (type === 'list') return 'LIST';
  return isSecret ? 'PASSWORD' : 'STRING';
}
