import type { Copy } from './copy.ts';
import type { Mutant } from './mutant.ts';
import { type Suite, suites } from './suites.ts';
import type { Verdict } from './verdicts.ts';

export interface HuntOptions {
  /** Hunts from the first seed on, whatever is stored. */
  readonly search: boolean;
}

/** What became of a mutant. */
export interface Hunted {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** The seed that catches it: the first of those that the suite is to be given. */
  readonly seed: number;
  /** How many seeds were looked at. */
  readonly seeds: number;
}

/** How long one command may take; it takes seconds, and what never ends is a bug, too. */
const REPLAY_LIMIT_MS = 120_000;
const HUNT_LIMIT_MS = 300_000;

type Red = Extract<Verdict, { kind: 'red' }>;

/** What the suites say of the program without a bug, each seed asked once. */
export class Control {
  readonly #known = new Map<string, Promise<Verdict>>();

  /** Whether the suite is green under a seed, on a copy without a mutant. */
  verdict(copy: Copy, suite: Suite, seed: number): Promise<Verdict> {
    const key = `${suite.name} ${seed}`;
    const known =
      this.#known.get(key) ?? copy.run(suite, seed, suite.replayedSeeds, REPLAY_LIMIT_MS);
    this.#known.set(key, known);
    return known;
  }
}

export const suiteOf = ({ name, suite }: Mutant): Suite => {
  const found = suites.get(suite);
  if (found !== undefined) return found;
  throw new Error(
    `${name}: there is no suite ${suite}; there are ${[...suites.keys()].join(', ')}`,
  );
};

/** Where the replay of a mutant begins. */
export const seedOf = ({ seed }: Mutant): number => seed ?? 1;

/**
 * Replays the stored seed of a mutant. If that does not catch it any more, since what a seed stands
 * for changes with the suite, or if asked to, hunts from seed 1 on.
 */
export async function hunt(
  copy: Copy,
  mutant: Mutant,
  control: Control,
  options: HuntOptions,
): Promise<Hunted> {
  const suite = suiteOf(mutant);
  const seed = seedOf(mutant);
  let seeds = 0;
  if (!options.search) {
    const verdict = await copy.with(mutant, () =>
      copy.run(suite, seed, suite.replayedSeeds, REPLAY_LIMIT_MS),
    );
    seeds = seedsUntil(verdict, seed, suite.replayedSeeds);
    if (verdict.kind !== 'green') return { mutant, verdict, seed, seeds };
  }
  for (let at = 0, first = 1; at < suite.mostHunts; at++, first += suite.huntedSeeds) {
    const verdict = await copy.with(mutant, () =>
      copy.run(suite, first, suite.huntedSeeds, HUNT_LIMIT_MS),
    );
    seeds += seedsUntil(verdict, first, suite.huntedSeeds);
    if (verdict.kind === 'green') continue;
    if (verdict.kind === 'broken') return { mutant, verdict, seed: first, seeds };
    const caught = suite.replayedSeeds === 1 ? (verdict.seed ?? first) : first;
    return {
      mutant,
      verdict: await confirmed(copy, suite, caught, control, verdict),
      seed: caught,
      seeds,
    };
  }
  return { mutant, verdict: { kind: 'green' }, seed, seeds };
}

/** What is red without the bug, too, says nothing of the bug. */
async function confirmed(
  copy: Copy,
  suite: Suite,
  seed: number,
  control: Control,
  verdict: Red,
): Promise<Verdict> {
  const clean = await control.verdict(copy, suite, seed);
  if (clean.kind === 'green') return verdict;
  return { kind: 'broken', problem: `seed ${seed} is red without the bug, too: ${clean.problem}` };
}

const seedsUntil = (verdict: Verdict, first: number, seeds: number): number =>
  verdict.kind === 'red' && verdict.seed !== null ? verdict.seed - first + 1 : seeds;
