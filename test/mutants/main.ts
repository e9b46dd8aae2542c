import { parseArguments, selected, USAGE } from './arguments.ts';
import { allMutants, keepSeed } from './catalogue.ts';
import { Copy } from './copy.ts';
import { Control, type Hunted, hunt, seedOf, suiteOf } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import type { Suite } from './suites.ts';

/** As many copies of the program are tried at a time. */
const COPIES = 2;

/** `npm run mutants`: bugs put into the program, one at a time, until a check sees each. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  const mutants = selected(allMutants(), options);
  for (const mutant of mutants) suiteOf(mutant);
  const copies: Copy[] = [];
  const stop = (): void => {
    for (const copy of copies) copy.remove();
    process.exit(130);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    for (let count = 0; count < COPIES; count++) copies.push(new Copy());
    const control = new Control();
    if (!options.search && !(await isGreen(copies, mutants, control))) return 1;
    let caught = 0;
    await shared(copies, mutants, async (copy, mutant) => {
      const hunted = await hunt(copy, mutant, control, options);
      if (hunted.verdict.kind === 'red') {
        caught++;
        if (options.search) keepSeed(mutant, hunted.seed);
      }
      console.log(describe(hunted));
    });
    console.log(`${mutants.length} mutants, ${caught} caught`);
    return caught === mutants.length ? 0 : 1;
  } finally {
    for (const copy of copies) copy.remove();
  }
}

/** Runs what is replayed below on the program without a bug. */
async function isGreen(
  copies: readonly Copy[],
  mutants: readonly Mutant[],
  control: Control,
): Promise<boolean> {
  const runs = new Map<string, { readonly suite: Suite; readonly seed: number }>();
  for (const mutant of mutants) {
    const run = { suite: suiteOf(mutant), seed: seedOf(mutant) };
    runs.set(`${run.suite.name}, seed ${run.seed}`, run);
  }
  let red = 0;
  await shared(copies, [...runs], async (copy, [name, { suite, seed }]) => {
    const verdict = await control.verdict(copy, suite, seed);
    if (verdict.kind === 'green') return;
    red++;
    console.log(`${name} is ${verdict.kind} without any bug: ${verdict.problem}`);
  });
  if (red === 0) console.log(`without any bug all is green: ${[...runs.keys()].join('; ')}`);
  return red === 0;
}

/** Does `work` for all items, with each copy one at a time. */
async function shared<T>(
  copies: readonly Copy[],
  items: readonly T[],
  work: (copy: Copy, item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  await Promise.all(
    copies.map(async (copy) => {
      for (const item of left) await work(copy, item);
    }),
  );
}

function describe({ mutant, verdict, seed, seeds }: Hunted): string {
  const { name, bug, suite } = mutant;
  const what = `${name}: ${bug}`;
  const tried = `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`;
  if (verdict.kind === 'green') return `NOT CAUGHT ${what}\n    → ${suite}, ${tried}`;
  if (verdict.kind === 'broken') return `BROKEN ${what}\n    → ${suite}: ${verdict.problem}`;
  const stale = mutant.seed === null || mutant.seed === seed ? '' : `, not under ${mutant.seed}`;
  return `${what}\n    → ${suite}: ${verdict.check}\n    → seed ${seed}${stale}, after ${tried}: ${verdict.problem}`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 2;
}
