import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A file of the repository; the path is relative to its top. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import: of a file (path relative to the top) or of a package or module by name. */
export interface Import {
  readonly target: string;
  readonly isRelative: boolean;
  /** Erased before the program runs. */
  readonly isTypeOnly: boolean;
  /** `import()` or `require()`: runs only when its line does. */
  readonly isLazy: boolean;
}

/** All files under a folder whose name ends with one of `extensions`. */
export function filesUnder(folder: string, extensions: readonly string[]): SourceFile[] {
  return readdirSync(root + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.some((ext) => entry.name.endsWith(ext)))
    .map((entry) => {
      const absolute = `${entry.parentPath}/${entry.name}`;
      return { path: absolute.slice(root.length), text: readFileSync(absolute, 'utf8') };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The room of a file of `src/`, `undefined` for what lies directly in it or elsewhere. */
export const roomOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];

const stringsAndComments =
  /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The text without comments; lines keep their numbers. */
export const withoutComments = (text: string): string =>
  text.replace(stringsAndComments, (match, quoted: string | undefined) =>
    quoted === undefined ? blank(match) : match,
  );

/** The text without comments and without texts in quotes; template literals stay, as they hold code. */
export const codeOnly = (text: string): string =>
  text.replace(stringsAndComments, (match, quoted: string | undefined) =>
    quoted?.startsWith('`') ? match : blank(match),
  );

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

const staticImport =
  /(?:^|[;\n])\s*(?:import|export)\s+(type\s+)?(?:[\w$*{}\s,]+?\s+from\s+)?(['"])([^'"\n]+)\2/g;
const lazyImport = /(typeof\s+)?\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\2/g;

/** What a file imports, found by the shape of the text. */
export function importsOf(file: SourceFile): Import[] {
  const code = withoutComments(file.text);
  const found = (pattern: RegExp, isLazy: boolean) =>
    [...code.matchAll(pattern)].map(([, type, , name]) => ({
      target: name!.startsWith('.') ? posix.join(posix.dirname(file.path), name!) : name!,
      isRelative: name!.startsWith('.'),
      isTypeOnly: type !== undefined,
      isLazy,
    }));
  return [...found(staticImport, false), ...found(lazyImport, true)];
}

/** `path:line` of a position in a file, as editors and terminals understand it. */
export const placeOf = (file: SourceFile, position: number): string =>
  `${file.path}:${file.text.slice(0, position).split('\n').length}`;
