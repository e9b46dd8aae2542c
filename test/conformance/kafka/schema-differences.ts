import type { Api } from '../../../src/kafka/api.ts';
import type { Field, Fields } from '../../../src/kafka/fields.ts';
import { includes, type VersionRange, versions } from '../../../src/kafka/versions.ts';
import type { FieldDefinition, MessageDefinition } from './message-definition.ts';

/** A field in one version of a message, in words that can be compared. */
interface Row {
  /** The names down to it, such as `topics.partitions.records`. */
  readonly path: string;
  readonly type: string;
  readonly isNullable: boolean;
  /** -1 if it stands where its place is. */
  readonly tag: number;
  /** What it is where it is not there; empty where that never happens. */
  readonly default: string;
}

/** What is known of an API, of which `api` says more. */
type ApiRows = Pick<Api, 'name' | 'versions' | 'flexible' | 'request' | 'response'>;

/** Where a message of the table is not what Kafka defines, version by version; empty if nowhere. */
export function schemaDifferences(
  api: ApiRows,
  direction: 'request' | 'response',
  definition: MessageDefinition,
): string[] {
  const served = versionsOf(api.versions);
  const what = `${api.name} ${direction}`;
  if (definition.name.toLowerCase() !== `${api.name}${direction}`.toLowerCase()) {
    return [`${what} is called ${definition.name} by Kafka`];
  }
  return served.flatMap((version) => {
    const differs = (problem: string): string => `${what} ${version}: ${problem}`;
    if (!includes(versions(definition.validVersions), version)) {
      return [differs(`Kafka has only versions ${definition.validVersions}`)];
    }
    const isFlexible = includes(versions(definition.flexibleVersions), version);
    const flexible =
      isFlexible === includes(api.flexible, version)
        ? []
        : [differs(`Kafka says that it is ${isFlexible ? '' : 'not '}flexible`)];
    const own = ownRows(api[direction], { version, served, path: '' });
    const theirs = kafkaRows(definition.fields ?? [], definition, { version, served, path: '' });
    return [...flexible, ...rowDifferences(own, theirs).map(differs)];
  });
}

const versionsOf = ({ first, last }: VersionRange): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

function rowDifferences(own: readonly Row[], theirs: readonly Row[]): string[] {
  const all = Array.from({ length: Math.max(own.length, theirs.length) }, (_, at) => at);
  const first = all.find((at) => told(own[at]) !== told(theirs[at]));
  // What follows is in other places, and says nothing.
  return first === undefined ? [] : [`here ${told(own[first])}, in Kafka ${told(theirs[first])}`];
}

function told(row: Row | undefined): string {
  if (row === undefined) return 'nothing more';
  const { path, type, isNullable, tag, default: value } = row;
  const words = [path, type, isNullable ? 'or null' : '', tag < 0 ? '' : `tag ${tag}`];
  return [...words, value === '' ? '' : `default ${value}`].filter((word) => word !== '').join(' ');
}

interface Place {
  readonly version: number;
  readonly served: readonly number[];
  readonly path: string;
}

/** Fields with places in their order, then those with tags in the order of these. */
const inOrder = (groups: readonly (readonly Row[])[]): Row[] =>
  groups
    .map((rows, at) => ({ rows, order: rows[0]!.tag < 0 ? at : groups.length + rows[0]!.tag }))
    .sort((a, b) => a.order - b.order)
    .flatMap(({ rows }) => rows);

function ownRows(fields: Fields, place: Place): Row[] {
  const present = Object.entries(fields).filter(([, each]) =>
    includes(each.versions, place.version),
  );
  return inOrder(
    present.map(([name, field]) => {
      const path = `${place.path}${name}`;
      const { shape } = field;
      const inner = 'fields' in shape ? ownRows(shape.fields, { ...place, path: `${path}.` }) : [];
      return [ownRow(path, field, place), ...inner];
    }),
  );
}

function ownRow(path: string, field: Field<unknown>, { version, served }: Place): Row {
  const { shape, tag = -1 } = field;
  const isArray = shape.kind === 'values' || shape.kind === 'structs';
  const element = 'fields' in shape ? 'struct' : shape.type.name;
  const isStruct = shape.kind === 'struct';
  return {
    path,
    type: isArray ? `[]${element}` : element,
    isNullable: includes(field.nullable, version),
    tag,
    default: isStruct || !isLeftOut(field.versions, served, tag) ? '' : textOf(field.default),
  };
}

/** Whether a field is ever what its default says; structs are as the defaults of their fields say. */
const isLeftOut = (range: VersionRange, served: readonly number[], tag: number): boolean =>
  tag >= 0 || served.some((version) => !includes(range, version));

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return value.some((byte) => byte !== 0) ? 'bytes' : 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : 'elements';
  return value === '' ? 'empty' : String(value);
}

function kafkaRows(
  fields: readonly FieldDefinition[],
  message: MessageDefinition,
  place: Place,
): Row[] {
  const present = fields.filter((each) => includes(versions(each.versions), place.version));
  return inOrder(
    present.map((field) => {
      const name = `${field.name[0]!.toLowerCase()}${field.name.slice(1)}`;
      const path = `${place.path}${name}`;
      const inner = fieldsOf(field, message);
      const rows = inner && kafkaRows(inner, message, { ...place, path: `${path}.` });
      return [kafkaRow(path, field, inner !== undefined, place), ...(rows ?? [])];
    }),
  );
}

/** The fields of a struct, or of the elements of an array of structs. */
const fieldsOf = (
  { type, fields }: FieldDefinition,
  { commonStructs = [] }: MessageDefinition,
): readonly FieldDefinition[] | undefined =>
  fields ?? commonStructs.find(({ name }) => name === type.replace('[]', ''))?.fields;

function kafkaRow(
  path: string,
  field: FieldDefinition,
  hasFields: boolean,
  { version, served }: Place,
): Row {
  const { type, nullableVersions = 'none', taggedVersions = 'none' } = field;
  const isArray = type.startsWith('[]');
  const isTagged = includes(versions(taggedVersions), version);
  const tag = isTagged ? field.tag! : -1;
  const isStruct = hasFields && !isArray;
  const range = versions(field.versions);
  return {
    path,
    type: hasFields ? (isArray ? '[]struct' : 'struct') : type,
    isNullable: includes(versions(nullableVersions), version),
    tag,
    default: isStruct || !isLeftOut(range, served, tag) ? '' : kafkaDefault(field),
  };
}

function kafkaDefault({ type, default: value }: FieldDefinition): string {
  if (value === undefined || value === '') return /^u?int/.test(type) ? '0' : emptyOf(type);
  return /^u?int/.test(type) ? String(Number(value)) : String(value);
}

const emptyOf = (type: string): string => (type === 'bool' ? 'false' : 'empty');
