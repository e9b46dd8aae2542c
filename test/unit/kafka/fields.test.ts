import { expect, test } from 'vitest';
import {
  array,
  arrayOf,
  bool,
  bytes,
  type Field,
  int32,
  records,
  string,
  taggedStruct,
  uuid,
} from '../../../src/kafka/fields.ts';
import { INT32, NO_UUID } from '../../../src/kafka/wire-types.ts';

const rangesOf = ({ versions, nullable, tag }: Field<unknown>) => ({ versions, nullable, tag });
const NEVER = { first: Number.POSITIVE_INFINITY, last: -1 };

test('a field says in which versions it is, in which it may be null, and under which tag', () => {
  expect(rangesOf(int32('3-5'))).toEqual({
    versions: { first: 3, last: 5 },
    nullable: NEVER,
    tag: undefined,
  });
  expect(rangesOf(string('3+', { nullable: '4+', default: null, tag: 2 }))).toEqual({
    versions: { first: 3, last: Number.POSITIVE_INFINITY },
    nullable: { first: 4, last: Number.POSITIVE_INFINITY },
    tag: 2,
  });
  expect(() => int32('3..5')).toThrow('"3..5" is no range of versions');
});

test('what a message does not have is empty, or as the table says', () => {
  const made = [int32('0+'), bool('0+'), uuid('0+'), string('0+'), bytes('0+'), records('0+')];
  const defaults = made.map((each) => each.default);
  expect(defaults).toEqual([0, false, NO_UUID, '', new Uint8Array(0), []]);
  expect(array('0+', { a: int32('0+') }).default).toEqual([]);
  expect(arrayOf('0+', INT32).default).toEqual([]);
  expect(taggedStruct('0+', {}, 0).default).toBeNull();
  expect(int32('0+', { default: -1 }).default).toBe(-1);
  expect(string('0+', { nullable: '0+', default: null }).default).toBeNull();
});
