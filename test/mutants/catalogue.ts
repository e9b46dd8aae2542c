import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mutant, parseMutant, withSeed } from './mutant.ts';

const FOLDER = import.meta.dirname;
const ENDING = '.txt';

/** All mutants, by name. @throws MutantError if a file is none */
export function allMutants(): Mutant[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ENDING))
    .map((path) => path.replaceAll('\\', '/').slice(0, -ENDING.length))
    .sort()
    .map((name) => parseMutant(name, readFileSync(pathOf(name), 'utf8')));
}

/** Keeps the seed under which a mutant was caught. */
export function keepSeed({ name }: Mutant, seed: number): void {
  writeFileSync(pathOf(name), withSeed(readFileSync(pathOf(name), 'utf8'), seed));
}

const pathOf = (name: string): string => join(FOLDER, `${name}${ENDING}`);
