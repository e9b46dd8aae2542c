import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  checkFileLengths,
  checkMirrors,
  checkNarrowedTests,
  checkReadmes,
  checkTopLevel,
} from './shape.ts';
import { filesUnder, root } from './source-files.ts';

const sources = filesUnder('src', ['.ts']);
const tests = filesUnder('test', ['.ts']);

/** Source files that need no test of the same name, and why. */
const untested: ReadonlyMap<string, string> = new Map([
  ['src/env/ports.ts', 'interfaces; the contract is tested through every twin'],
  ['src/rpc/transport.ts', 'interfaces; the contract is tested through every twin'],
]);

const file = (path: string, text: string) => ({ path, text });
const lines = (count: number) => 'x = () => 1;\n'.repeat(count);

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(tests.length).toBeGreaterThan(20);
});

test('no file is longer than 500 lines', () => {
  expect(checkFileLengths([...sources, ...tests, ...filesUnder('bench', ['.ts'])])).toEqual([]);
  expect(checkFileLengths([file('src/log/a.ts', lines(500))])).toEqual([]);
  expect(checkFileLengths([file('src/log/a.ts', lines(501))])).toHaveLength(1);
});

test('a source file of more than 60 lines has a test of its name', () => {
  expect(checkMirrors(sources, tests, untested)).toEqual([]);
});

test('a missing test and an exception that is not needed are found', () => {
  const long = file('src/log/a.ts', lines(61));
  const itsTest = file('test/unit/log/a.test.ts', '');
  const why = new Map([['src/log/a.ts', 'a reason']]);
  expect(checkMirrors([long], [], new Map())).toHaveLength(1);
  expect(checkMirrors([long], [itsTest], new Map())).toEqual([]);
  expect(checkMirrors([long], [], why)).toEqual([]);
  expect(checkMirrors([long], [itsTest], why)).toHaveLength(1);
  expect(checkMirrors([file('src/log/a.ts', lines(60))], [], new Map())).toEqual([]);
  const types = file('src/log/a.ts', 'export type A = 1; // class\n'.repeat(61));
  expect(checkMirrors([types], [], new Map())).toEqual([]);
});

test('every room has a README of at most 30 lines', () => {
  expect(checkReadmes(filesUnder('src', ['.ts', '.md']))).toEqual([]);
});

test('a room without README and one with a long one are found', () => {
  const code = file('src/log/a.ts', '');
  const table = `<!-- settings -->\n${lines(99)}<!-- /settings -->\n`;
  expect(checkReadmes([code])).toEqual(['src/log/README.md is missing']);
  expect(checkReadmes([code, file('src/log/README.md', lines(31))])).toHaveLength(1);
  expect(checkReadmes([code, file('src/log/README.md', lines(29) + table)])).toEqual([]);
});

test('no test is switched off without a reason, none is run alone', () => {
  expect(checkNarrowedTests(tests)).toEqual([]);
});

test('tests that are switched off or run alone are found', () => {
  const find = (text: string) => checkNarrowedTests([file('test/unit/log/a.test.ts', text)]);
  // Put together, so that this file does not find itself.
  const call = (name: string) => `test.${name}('x', () => {});`;
  expect(find(call('only'))).toHaveLength(1);
  expect(find(`// a reason\n${call('only')}`)).toHaveLength(1);
  expect(find(call('skip'))).toEqual(['test/unit/log/a.test.ts:1 has .skip without a reason']);
  expect(find(`// needs a kernel with namespaces\n${call('skip')}`)).toEqual([]);
  expect(find(`${call('todo')} // waits for compaction`)).toEqual([]);
  expect(find(`describe.${'skip'}If(true)('x', f);`)).toHaveLength(1);
  expect(find(`test.each([1]).${'skip'}('x', f);`)).toEqual([]);
  expect(find('reader.skip(4);')).toEqual([]);
});

test('only what belongs there lies at the top', () => {
  expect(checkTopLevel(readdirSync(root))).toEqual([]);
  expect(checkTopLevel(['src', '.biome.json', 'notes.txt', 'scripts'])).toHaveLength(2);
});
