/** A bug on purpose: one place of the source, and what stands there instead. */
export interface Mutant {
  /** Path of its file below `test/mutants/`, without the ending. */
  readonly name: string;
  /** The bug in a sentence. */
  readonly bug: string;
  /** What is changed, from the top of the repository. */
  readonly file: string;
  /** Which suite catches it. */
  readonly suite: string;
  /** Under which seed it does; `null` before that was found. */
  readonly seed: number | null;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A mutant, or the source under it, is not as it should be. */
export class MutantError extends Error {
  override readonly name = 'MutantError';
}

const FIELDS = ['bug', 'file', 'suite'] as const;
const BODY = /^find:\n([\s\S]*)\nreplace:(?:\n([\s\S]*))?\n$/;

/** Reads the text of a mutant: fields, an empty line, `find:` and `replace:` with lines taken as they are. */
export function parseMutant(name: string, text: string): Mutant {
  const end = text.indexOf('\n\n');
  const fields = new Map<string, string>();
  for (const line of text.slice(0, end).split('\n')) {
    const colon = line.indexOf(': ');
    fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const body = BODY.exec(text.slice(end + 2));
  const [bug, file, suite] = FIELDS.map((field) => {
    const value = fields.get(field);
    if (value === undefined) throw new MutantError(`${name}: there is no line "${field}: …"`);
    return value;
  });
  if (end < 0 || body === null) {
    throw new MutantError(`${name}: after an empty line, "find:" and "replace:" have to follow`);
  }
  const seed = fields.get('seed');
  if (seed !== undefined && !/^\d+$/.test(seed)) {
    throw new MutantError(`${name}: a seed is a whole number, not ${seed}`);
  }
  const [, find = '', replace = ''] = body;
  if (find === replace) throw new MutantError(`${name}: it changes nothing`);
  const place = { bug: bug!, file: file!, suite: suite! };
  return { name, ...place, seed: seed === undefined ? null : Number(seed), find, replace };
}

/** The text of a mutant with another seed. */
export function withSeed(text: string, seed: number): string {
  const line = `seed: ${seed}\n`;
  const end = text.indexOf('\n\n') + 1;
  const head = text.slice(0, end).replace(/^seed: .*\n/m, '');
  return `${head}${line}${text.slice(end)}`;
}

/** The source with the bug in it. @throws MutantError unless there is exactly one place for it */
export function mutated({ name, file, find, replace }: Mutant, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new MutantError(
      `${name}: its text stands ${parts.length - 1} times in ${file}, it has to be once:\n${find}`,
    );
  }
  return parts.join(replace);
}
