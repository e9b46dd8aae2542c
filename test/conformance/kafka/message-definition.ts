/** A message as Kafka defines it: a file of `common/message` in the jar of its clients. */
export interface MessageDefinition {
  readonly name: string;
  readonly apiKey?: number;
  readonly type: string;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly fields?: readonly FieldDefinition[];
  /** Structs that several fields are made of. */
  readonly commonStructs?: readonly StructDefinition[];
}

export interface StructDefinition {
  readonly name: string;
  readonly fields: readonly FieldDefinition[];
}

export interface FieldDefinition {
  readonly name: string;
  /** `int32`, `[]int32`, or the name of a struct. */
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  /** As text, in whatever way a number can be written. */
  readonly default?: string | number | boolean;
  /** Of a struct that is no common one. */
  readonly fields?: readonly FieldDefinition[];
}

/** Reads a file: JSON with comments, which have lines of their own. */
export function parseDefinition(text: string): MessageDefinition {
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as MessageDefinition;
}
