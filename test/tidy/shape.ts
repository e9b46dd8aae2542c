import { codeOnly, placeOf, roomOf, type SourceFile, withoutComments } from './source-files.ts';

const MAX_FILE_LINES = 500;
const MAX_README_LINES = 30;
/** A source file longer than this has a test of the same name. */
const MAX_UNTESTED_LINES = 60;

/** A table that a command writes into a README. */
const GENERATED = /<!-- ([^/].*) -->[\s\S]*?<!-- \/\1 -->/g;

/** What may lie at the top of the repository, beside dotfiles and what tools put there. */
const topLevel: ReadonlySet<string> = new Set([
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'proto',
  'src',
  'test',
  'bench',
  'deploy',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
]);
const ignoredByGit: ReadonlySet<string> = new Set(['node_modules', 'dist', 'varve-data']);

const linesOf = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);

export const checkFileLengths = (files: readonly SourceFile[]): string[] =>
  files
    .filter(({ text }) => linesOf(text) > MAX_FILE_LINES)
    .map(({ path, text }) => `${path} has ${linesOf(text)} lines, ${MAX_FILE_LINES} are allowed`);

/**
 * Source files without the test `test/unit/<room>/<name>.test.ts`, except those of `exceptions`
 * (path to reason) and those that have nothing to run: types, settings, tables.
 */
export function checkMirrors(
  sources: readonly SourceFile[],
  tests: readonly SourceFile[],
  exceptions: ReadonlyMap<string, string>,
): string[] {
  const testPaths = new Set(tests.map(({ path }) => path));
  const untested = sources
    .filter(({ text }) => linesOf(text) > MAX_UNTESTED_LINES && hasCode(text))
    .map(({ path }) => path)
    .filter((path) => !testPaths.has(mirrorOf(path)));
  return [
    ...untested
      .filter((path) => !exceptions.has(path))
      .map((path) => `${path} has no ${mirrorOf(path)}`),
    ...[...exceptions.keys()]
      .filter((path) => !untested.includes(path))
      .map((path) => `${path} needs no exception from having a test`),
  ];
}

const hasCode = (text: string): boolean => /\b(?:function|class)\b|=>/.test(codeOnly(text));

const mirrorOf = (path: string): string =>
  path.replace(/^src\//, 'test/unit/').replace(/\.ts$/, '.test.ts');

/** Rooms without a README, and READMEs that are too long; generated tables do not count. */
export function checkReadmes(files: readonly SourceFile[]): string[] {
  const readmes = new Map(files.map(({ path, text }) => [path, text]));
  const rooms = new Set(files.map(({ path }) => roomOf(path)).filter((room) => room !== undefined));
  return [...rooms].sort().flatMap((room) => {
    const path = `src/${room}/README.md`;
    const text = readmes.get(path);
    if (text === undefined) return [`${path} is missing`];
    const lines = linesOf(text.replace(GENERATED, ''));
    return lines > MAX_README_LINES ? [`${path} has ${lines} lines of ${MAX_README_LINES}`] : [];
  });
}

const narrowed = /\b(?:test|it|describe|suite)(?:\.\w+)*\.(only|skip|todo|fails)\w*\s*[.(]/g;

/** Tests that are switched off without a reason beside or above them, or on at the cost of others. */
export function checkNarrowedTests(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const lines = file.text.split('\n');
    return [...withoutComments(file.text).matchAll(narrowed)]
      .filter(({ index, 1: how }) => {
        const at = file.text.slice(0, index).split('\n').length - 1;
        const hasReason = /\/\/ \S/.test(`${lines[at - 1] ?? ''}\n${lines[at]}`);
        return how === 'only' || !hasReason;
      })
      .map(({ index, 1: how }) => `${placeOf(file, index)} has .${how} without a reason`);
  });
}

export const checkTopLevel = (names: readonly string[]): string[] =>
  names
    .filter((name) => !name.startsWith('.') && !topLevel.has(name) && !ignoredByGit.has(name))
    .map((name) => `${name} does not belong at the top of the repository`);
