import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSeed } from './run-seed.ts';
import { playScenario, syncScenarios } from './scenarios/sync-scenarios.ts';

export interface DropSyncsOptions {
  readonly firstSeed: number;
  /** Most seeds of the whole broker for one site. */
  readonly seeds: number;
  readonly lives: number;
  /** Only this site. */
  readonly drop: string | undefined;
  readonly print: (line: string) => void;
}

/** Seeds without a fault that show which syncs there are. */
const COLLECTING_SEEDS = 12;
/** Most seeds of a scenario for one site. */
const SCENARIO_SEEDS = 40;

/** How one seed went: of the whole broker, or of a scenario. */
interface Outcome {
  /** `undefined` if all was well. */
  readonly problem: string | undefined;
  readonly sites: ReadonlyMap<string, number>;
}

/** Something that comes to syncs and misses those that are taken out. */
interface Trial {
  readonly name: string;
  readonly collectingSeeds: number;
  readonly seeds: number;
  /** @param aim the site that is looked at; @param drop whether it is taken out */
  run(seed: number, aim?: string, drop?: boolean): Promise<Outcome>;
}

/**
 * Takes each sync out of the program, one at a time, until that is missed. Returns false if one is
 * not missed, or a line that syncs is not reached: then no load comes near its danger, or it is not
 * needed.
 */
export async function dropSyncs(options: DropSyncsOptions): Promise<boolean> {
  const { print, drop } = options;
  const trials = [...scenarioTrials(options), brokerTrial(options)];
  /** By site, in order of cost. */
  const reachedBy = new Map<string, Trial[]>();
  for (const trial of trials) {
    for (const site of await collectSites(trial, options.firstSeed)) {
      reachedBy.set(site, [...(reachedBy.get(site) ?? []), trial]);
    }
  }
  const missing = unreached([...reachedBy.keys()]);
  for (const line of missing) print(`not reached: ${line}`);
  const sites = [...reachedBy.keys()].filter((site) => site === (drop ?? site)).sort();
  let caught = 0;
  for (const site of sites) {
    const result = await dropSite(site, reachedBy.get(site)!, options.firstSeed);
    if (result !== undefined) caught++;
    print(`${site}\n    ${result ?? `NOT CAUGHT in ${options.seeds} seeds`}`);
  }
  print(`${caught} of ${sites.length + missing.length} syncs are missed when they are taken out`);
  return sites.length > 0 && caught === sites.length && missing.length === 0;
}

function scenarioTrials({ firstSeed }: DropSyncsOptions): Trial[] {
  return syncScenarios.map((scenario) => ({
    name: `scenario "${scenario.name}"`,
    collectingSeeds: COLLECTING_SEEDS,
    seeds: SCENARIO_SEEDS,
    run: (seed, aim, drop) =>
      playScenario(scenario, {
        seed: seed - firstSeed + 1,
        ...(drop === true ? { drop: aim! } : {}),
      }),
  }));
}

function brokerTrial({ seeds, lives }: DropSyncsOptions): Trial {
  return {
    name: 'broker',
    collectingSeeds: COLLECTING_SEEDS,
    seeds,
    run: async (seed, aim, drop) => {
      // Some dangers show shortly after the sync that is missing, others only after much more.
      const isAimed = aim !== undefined && seed % 2 === 0;
      const { violations, sites } = await runSeed({
        seed,
        lives,
        ...(isAimed ? { aim } : {}),
        ...(drop === true ? { drop: aim! } : {}),
      });
      const [violation] = violations;
      if (violation === undefined) return { problem: undefined, sites };
      const { checker, problem } = violation;
      return { problem: `${isAimed ? 'aimed, ' : ''}${checker}: ${problem}`, sites };
    },
  };
}

async function collectSites(trial: Trial, firstSeed: number): Promise<Set<string>> {
  const sites = new Set<string>();
  for (let seed = firstSeed; seed < firstSeed + trial.collectingSeeds; seed++) {
    const outcome = await trial.run(seed);
    checkGreen(outcome, trial, seed);
    for (const site of outcome.sites.keys()) sites.add(site);
  }
  return sites;
}

/** What is red with all syncs in place says nothing of the one that was taken out. */
function checkGreen({ problem }: Outcome, { name }: Trial, seed: number): void {
  if (problem === undefined) return;
  throw new Error(`${name}, seed ${seed} is red with all syncs in place: ${problem}`);
}

/** Who misses the syncs of a site, and under which seed. */
async function dropSite(
  site: string,
  trials: readonly Trial[],
  firstSeed: number,
): Promise<string | undefined> {
  for (const trial of trials) {
    for (let seed = firstSeed; seed < firstSeed + trial.seeds; seed++) {
      const { problem } = await trial.run(seed, site, true);
      if (problem === undefined) continue;
      checkGreen(await trial.run(seed, site), trial, seed);
      return `${trial.name}, seed ${seed}: ${problem.split('\n')[0]}`;
    }
  }
  return undefined;
}

/** A line that only hands the call of a sync on, under the same name, is not a place that decides to. */
const handsOn = /^(sync|syncDirectory): \(.*\.\1\(/;

/** Lines of the program that sync and that no seed has come to. */
function unreached(sites: readonly string[]): string[] {
  const root = join(import.meta.dirname, '../..');
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .map((file) => `src/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !/^src\/env\/(node|memory|ports)/.test(file))
    .sort()
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .map((text, index) => ({ text: text.trim(), place: `${file}:${index + 1}` }))
        .filter(({ text }) => /\.sync\(\)|\.syncDirectory\(|\.batch\(.*sync: true/.test(text))
        .filter(({ text }) => !handsOn.test(text))
        .filter(({ place }) => !sites.some((site) => site.startsWith(`${place} `)))
        .map(({ text, place }) => `${place}  ${text}`),
    );
}
