import { expect, test } from 'vitest';
import { readSettingsFile } from '../../../src/config/settings-file.ts';

const read = async (text: string) =>
  Object.fromEntries(
    [...(await readSettingsFile('varve.yaml', text))].map(([key, { text: value }]) => [key, value]),
  );

test('dotted and nested keys mean the same', async () => {
  const text = 'log.segment.bytes: 64MiB\nlog:\n  flush.interval.ms: 5\n  retention:\n    ms: 7d\n';
  expect(await read(text)).toEqual({
    'log.segment.bytes': '64MiB',
    'log.flush.interval.ms': '5',
    'log.retention.ms': '7d',
  });
});

test('a scalar stays the text that is written', async () => {
  const text = 'a: 0x10\nb: 010\nc: yes\nd: 1e3\ne: "007"\nf: 2026-01-01\ng: ""\nh: "null"\n';
  expect(await read(text)).toEqual({
    a: '0x10',
    b: '010',
    c: 'yes',
    d: '1e3',
    e: '007',
    f: '2026-01-01',
    g: '',
    h: 'null',
  });
});

test('a list is its items with commas between', async () => {
  expect(await read('voters:\n  - a:1\n  - b:2\npolicy: [delete, compact]\nnone: []\n')).toEqual({
    voters: 'a:1,b:2',
    policy: 'delete,compact',
    none: '',
  });
});

test('JSON is read too, also with tabs', async () => {
  expect(await read('{\n\t"log": {\n\t\t"segment.bytes": 14\n\t},\n\t"fsync": true\n}')).toEqual({
    'log.segment.bytes': '14',
    fsync: 'true',
  });
});

test('a file without settings is fine', async () => {
  expect(await read('')).toEqual({});
  expect(await read('# nothing yet\n')).toEqual({});
});

test('every value knows its line and column', async () => {
  const given = await readSettingsFile('varve.yaml', 'a: 1\nb:\n  c: 2\n');
  expect(given.get('a')?.origin).toBe('varve.yaml:1:1');
  expect(given.get('b.c')?.origin).toBe('varve.yaml:3:3');
});

test.each([
  ['a: [1, 2', /^varve.yaml:1:9: file: /],
  ['a: 1\na: 2', /^varve.yaml:2:1: a: stands already at varve.yaml:1:1$/],
  ['a.b: 1\na:\n  b: 2', /^varve.yaml:3:3: a.b: stands already at varve.yaml:1:1$/],
  ['a:\n', /^varve.yaml:1:1: a: has no value/],
  ['a: null', /^varve.yaml:1:1: a: has no value/],
  ['- 1', /^varve.yaml:1:1: file: has no settings/],
  ['hello', /^varve.yaml:1:1: file: has no settings/],
  ['a: &x {b: 1}\nc: *x', /^varve.yaml:2:1: c: has a value that is not a text/],
  ['a: [[1]]', /^varve.yaml:1:1: a: has an item/],
  ['a: ["x,y"]', /^varve.yaml:1:1: a: has an item/],
  ['? {a: 1}\n: 2', /^varve.yaml:1:3: file: has a key that is not a plain text/],
  ['a: 1\n---\nb: 2', /^varve.yaml:2:1: file: /],
  ['a: !secret 1', /^varve.yaml:1:4: file: /],
])('%j is refused with file, line and column', async (text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});
