import { expect, test } from 'vitest';
import {
  array,
  arrayOf,
  type Fields,
  int16,
  int32,
  int64,
  string,
  taggedStruct,
} from '../../../src/kafka/fields.ts';
import { versions } from '../../../src/kafka/versions.ts';
import { INT32 } from '../../../src/kafka/wire-types.ts';
import { parseDefinition } from '../../conformance/kafka/message-definition.ts';
import { schemaDifferences } from '../../conformance/kafka/schema-differences.ts';

const definition = parseDefinition(`// A comment.
{
  "apiKey": 1,
  "type": "request",
  "name": "EchoRequest",
  // Version 4 is too new for us.
  "validVersions": "1-4",
  "flexibleVersions": "3+",
  "fields": [
    { "name": "Old", "type": "int16", "versions": "0" },
    { "name": "Extra", "type": "int16", "versions": "3+", "tag": 1, "taggedVersions": "3+", "default": "0x7f" },
    { "name": "TimeMs", "type": "int64", "versions": "2+", "default": "-1", "about": "see https://x.example" },
    { "name": "Names", "type": "string", "versions": "1+", "nullableVersions": "2+", "default": "null" },
    { "name": "Places", "type": "[]Place", "versions": "1+", "fields": [
      { "name": "Ids", "type": "[]int32", "versions": "1+" },
      { "name": "Where", "type": "Point", "versions": "3+", "tag": 0, "taggedVersions": "3+" }
    ]},
    { "name": "New", "type": "int16", "versions": "4+" }
  ],
  "commonStructs": [{ "name": "Point", "versions": "3+", "fields": [
    { "name": "X", "type": "int32", "versions": "3+" }
  ]}]
}`);

const fields = {
  timeMs: int64('2+', { default: -1 }),
  names: string('1+', { nullable: '2+', default: null }),
  places: array('1+', {
    ids: arrayOf('1+', INT32),
    where: taggedStruct('3+', { x: int32('3+') }, 0),
  }),
  extra: int16('3+', { tag: 1, default: 0x7f }),
} satisfies Fields;

interface Changes {
  readonly name?: string;
  readonly versions?: string;
  readonly flexible?: string;
}

function differences(request: Fields, changes: Changes = {}): string[] {
  const { name = 'Echo', versions: served = '1-3', flexible = '3+' } = changes;
  const api = { name, request, response: {} };
  return schemaDifferences(
    { ...api, versions: versions(served), flexible: versions(flexible) },
    'request',
    definition,
  );
}

test('a table that says what Kafka says has no differences, also if it serves fewer versions', () => {
  expect(differences(fields)).toEqual([]);
  const { timeMs, names } = fields;
  const places = array('1+', { ids: arrayOf('1+', INT32) });
  expect(differences({ timeMs, names, places }, { versions: '1-2', flexible: '3+' })).toEqual([]);
});

test('a field that is served has to be in the table', () => {
  const { extra, ...rest } = fields;
  expect(extra.tag).toBe(1);
  expect(differences(rest)).toEqual([
    'Echo request 3: here nothing more, in Kafka extra int16 tag 1 default 127',
  ]);
  expect(differences({ ...fields, more: int16('2') })).toEqual([
    'Echo request 2: here more int16 default 0, in Kafka nothing more',
  ]);
});

const { timeMs, names, places, extra } = fields;

test.each<[string, Fields, string]>([
  ['a name', { time: timeMs, names, places, extra }, '2: here time int64 default -1, in'],
  [
    'a type',
    { ...fields, timeMs: int32('2+', { default: -1 }) },
    '2: here timeMs int32 default -1',
  ],
  [
    'the first version',
    { ...fields, timeMs: int64('1+', { default: -1 }) },
    '1: here timeMs int64, in',
  ],
  [
    'the last version',
    { ...fields, timeMs: int64('2', { default: -1 }) },
    '3: here names string or',
  ],
  [
    'where it may be null',
    { ...fields, names: string('1+', { nullable: '1+', default: null }) },
    '1: here names string or null, in Kafka names string',
  ],
  [
    'a tag',
    { ...fields, extra: int16('3+', { tag: 2, default: 127 }) },
    '3: here extra int16 tag 2',
  ],
  [
    'that it has a tag',
    { timeMs, names, places, extra: int16('3+') },
    '3: here extra int16 default 0',
  ],
  ['a default', { ...fields, timeMs: int64('2+') }, '2: here timeMs int64 default 0, in Kafka'],
  ['the order', { names, timeMs, places, extra }, '2: here names string or null, in Kafka timeMs'],
  [
    'an inner field',
    { ...fields, places: array('1+', { id: arrayOf('1+', INT32) }) },
    '1: here places.id',
  ],
  [
    'an array',
    { ...fields, places: array('1+', { ids: int32('1+') }) },
    '1: here places.ids int32',
  ],
])('another %s is found', (_, changed, told) => {
  expect(differences(changed).join('\n')).toContain(`Echo request ${told}`);
});

test('other versions, other flexible ones and another name are found', () => {
  expect(differences(fields, { versions: '0-3' })[0]).toContain('Kafka has only versions 1-4');
  expect(differences(fields, { flexible: '2+' })).toEqual([
    'Echo request 2: Kafka says that it is not flexible',
  ]);
  expect(differences(fields, { flexible: '4+' })).toEqual([
    'Echo request 3: Kafka says that it is flexible',
  ]);
  expect(differences(fields, { name: 'Ecko' })).toEqual([
    'Ecko request is called EchoRequest by Kafka',
  ]);
});
