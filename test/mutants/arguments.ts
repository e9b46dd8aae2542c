import { parseArgs } from 'node:util';
import type { Mutant } from './mutant.ts';

export interface MutantOptions {
  readonly search: boolean;
  readonly suite: string | undefined;
  readonly only: string | undefined;
}

export const USAGE = `npm run mutants [-- options]
  --suite NAME    only the mutants that this suite catches
  --only NAME     only the mutants whose name begins so (log, log/segment-sync-skipped)
  --search        hunt anew from seed 1 on, and keep the seeds that are found`;

/** @throws Error if an argument is unknown */
export function parseArguments(args: readonly string[]): MutantOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      search: { type: 'boolean', default: false },
      suite: { type: 'string' },
      only: { type: 'string' },
    },
  });
  return { search: values.search, suite: values.suite, only: values.only };
}

/** Those that were asked for. @throws Error if that is none */
export function selected(mutants: readonly Mutant[], { suite, only }: MutantOptions): Mutant[] {
  const found = mutants.filter(
    (mutant) =>
      (suite === undefined || mutant.suite === suite) &&
      (only === undefined || mutant.name.startsWith(only)),
  );
  if (found.length > 0) return found;
  const names = [...new Set(mutants.map((mutant) => mutant.suite))].sort().join(', ');
  throw new Error(`no mutant is called ${only ?? 'so'}; the suites with mutants are ${names}`);
}
