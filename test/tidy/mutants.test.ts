import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { allMutants } from '../mutants/catalogue.ts';
import { mutated } from '../mutants/mutant.ts';
import { suites } from '../mutants/suites.ts';
import { filesUnder } from './source-files.ts';

const mutants = allMutants();
const sources = new Map(filesUnder('src', ['.ts']).map(({ path, text }) => [path, text]));

test('there are mutants of many rooms, no two of them the same', () => {
  const rooms = new Set(mutants.map(({ file }) => file.split('/')[1]));
  expect(rooms.size).toBeGreaterThanOrEqual(10);
  const changes = mutants.map(({ file, find, replace }) => `${file}\n${find}\n${replace}`);
  expect(new Set(changes).size).toBe(mutants.length);
});

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  '%s still has exactly one place in the source',
  (_, mutant) => {
    const source = sources.get(mutant.file);
    expect(source, `${mutant.file} is not there`).toBeDefined();
    // What cannot be read at all would be found by every suite.
    expect(() => stripTypeScriptTypes(mutated(mutant, source!))).not.toThrow();
    expect(suites.has(mutant.suite), `there is no suite ${mutant.suite}`).toBe(true);
    expect(mutant.seed, 'npm run mutants -- --search finds its seed').not.toBeNull();
  },
);
