import { expect, test } from 'vitest';
import { checkCircles, checkFloors, checkPackages, floors, loadedPackages } from './floors.ts';
import { filesUnder, importsOf, roomOf, type SourceFile } from './source-files.ts';

const sources = filesUnder('src', ['.ts']);
const inRooms = sources.filter((file) => roomOf(file.path) !== undefined);

const file = (path: string, text: string): SourceFile => ({ path, text });

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(60);
});

test('every source file is in a room of the table', () => {
  const rooms = new Set(sources.map(({ path }) => roomOf(path) ?? path));
  expect([...rooms].filter((name) => !floors.has(name))).toEqual([]);
});

test('the map in src/README.md shows every room that is there on its floor', () => {
  const map = filesUnder('src', ['.md']).find(({ path }) => path === 'src/README.md')?.text ?? '';
  const shown = [...map.matchAll(/^\| (\d) \| (.+?) \|/gm)].flatMap(([, floor, cell]) =>
    [...cell!.matchAll(/`(\w+)\/`/g)].map(([, name]) => ({
      name: name!,
      floor: Number(floor),
      isPure: cell!.includes('(pure)'),
    })),
  );
  expect(shown).toEqual(shown.map(({ name }) => ({ name, ...floors.get(name) })));
  const rooms = new Set(inRooms.map(({ path }) => roomOf(path)!));
  expect([...rooms].filter((room) => !shown.some(({ name }) => name === room))).toEqual([]);
});

test('rooms import only from lower floors', () => {
  expect(checkFloors(inRooms)).toEqual([]);
});

test('packages and modules of Node are imported only by the rooms that may', () => {
  expect(checkPackages(inRooms)).toEqual([]);
});

test('no circle of imports', () => {
  expect(checkCircles(sources)).toEqual([]);
});

test('the client library loads neither broker parts nor native code', () => {
  const loaded = loadedPackages(sources, 'src/client/main.ts');
  const unwanted = [
    'pino',
    '@prometheus-io/client',
    'level',
    'commander',
    'yaml',
    '@node-rs/crc32',
  ];
  expect(unwanted.filter((name) => loaded.has(name))).toEqual([]);
});

test('every way to import is seen, comments and texts are not', () => {
  const text = `
    import { a } from './a.ts';
    import type { B } from './b.ts';
    import c, {
      type D,
    } from '../codec/c.ts';
    import * as e from 'node:fs';
    import 'side-effect';
    export { f } from './f.ts';
    export * from './g.ts';
    const h = await import('./h.ts');
    const i = createRequire(import.meta.url)('./unseen.ts'), j = require('@node-rs/crc32');
    // import { x } from './comment.ts';
    /* import { x } from './comment.ts'; */
    const text = "import { x } from './text.ts'";
    const url = 'https://example.org'; import { z } from './z.ts';
  `;
  const found = importsOf(file('src/log/x.ts', text));
  expect(found.map(({ target }) => target)).toEqual([
    'src/log/a.ts',
    'src/log/b.ts',
    'src/codec/c.ts',
    'node:fs',
    'side-effect',
    'src/log/f.ts',
    'src/log/g.ts',
    'src/log/z.ts',
    'src/log/h.ts',
    '@node-rs/crc32',
  ]);
  expect(found.filter(({ isTypeOnly }) => isTypeOnly)).toHaveLength(1);
  expect(found.filter(({ isLazy }) => isLazy)).toHaveLength(2);
});

test.each([
  ['src/log/a.ts', "import '../broker/b.ts';", 'src/log/a.ts (floor 3) imports src/broker/b.ts'],
  ['src/log/a.ts', "import type { B } from '../rpc/b.ts';", 'src/rpc/b.ts (floor 3)'],
  ['src/log/a.ts', "import '../drawer/b.ts';", 'src/drawer/b.ts, which is in no room'],
  ['src/log/a.ts', "import '../../test/support/b.ts';", 'test/support/b.ts, which is in no room'],
  ['src/utils/a.ts', '', 'src/utils/a.ts is in no room'],
])('%s with %j breaks the floors', (path, text, message) => {
  expect(checkFloors([file(path, text)])).toEqual([expect.stringContaining(message)]);
});

test('importing downwards and within the room is fine', () => {
  const text = "import '../model/ids.ts'; import './other.ts';";
  expect(checkFloors([file('src/log/a.ts', text)])).toEqual([]);
});

test.each([
  ['src/log/a.ts', "import { pino } from 'pino';"],
  ['src/log/a.ts', "import { open } from 'node:fs/promises';"],
  ['src/broker/a.ts', "const grpc = await import('@grpc/grpc-js');"],
  ['src/records/a.ts', "import { createHash } from 'node:crypto';"],
  ['src/log/a.ts', "import lodash from 'lodash';"],
  ['src/client/a.ts', "import { readFileSync } from 'fs';"],
])('%s may not %j', (path, text) => {
  expect(checkPackages([file(path, text)])).toHaveLength(1);
});

test('what belongs to a room, and types of it anywhere, may be imported', () => {
  expect(
    checkPackages([
      file('src/telemetry/a.ts', "import { pino } from 'pino';"),
      file('src/env/a.ts', "import { open } from 'node:fs/promises';"),
      file('src/rpc/a.ts', "import { x } from '@grpc/grpc-js/build/src/x.js';"),
      file('src/server/a.ts', "import type { AddressInfo } from 'node:net';"),
    ]),
  ).toEqual([]);
});

test('a circle is found and shown', () => {
  const circle = [
    file('src/log/a.ts', "import './b.ts';"),
    file('src/log/b.ts', "import { type C } from './c.ts';"),
    file('src/log/c.ts', "import type { B } from './b.ts';"),
  ];
  expect(checkCircles(circle)).toEqual(['src/log/b.ts → src/log/c.ts → src/log/b.ts']);
});

test('what is loaded is found through other files, but not through types and lazy imports', () => {
  const files = [
    file('src/client/main.ts', "import './b.ts'; import type { X } from './c.ts';"),
    file('src/client/b.ts', "import 'level'; await import('./c.ts');"),
    file('src/client/c.ts', "import 'pino';"),
  ];
  expect([...loadedPackages(files, 'src/client/main.ts')]).toEqual(['level']);
});
