import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSeed, type SeedResult, type SeedSettings } from './run-seed.ts';

export interface DropSyncsOptions {
  readonly firstSeed: number;
  /** Most seeds for one site. */
  readonly seeds: number;
  readonly lives: number;
  readonly print: (line: string) => void;
}

/** Seeds without a fault that show which syncs there are. */
const COLLECTING_SEEDS = 12;

/**
 * Takes each sync out of the program, one at a time, until a checker sees it. Returns false if one is
 * not missed: then the load does not come near its danger, or it is not needed.
 */
export async function dropSyncs(options: DropSyncsOptions): Promise<boolean> {
  const { print } = options;
  const sites = await collectSites(options);
  for (const line of unreached(sites)) print(`not reached: ${line}`);
  let caught = 0;
  for (const site of sites) {
    const result = await dropSite(site, options);
    if (result !== undefined) caught++;
    print(`${site}\n    ${result ?? `NOT CAUGHT in ${options.seeds} seeds`}`);
  }
  print(`${sites.length} sync sites, ${caught} caught`);
  return caught === sites.length;
}

async function collectSites({ firstSeed, lives }: DropSyncsOptions): Promise<string[]> {
  const sites = new Set<string>();
  for (let seed = firstSeed; seed < firstSeed + COLLECTING_SEEDS; seed++) {
    const result = await checkGreen({ seed, lives });
    for (const site of result.sites.keys()) sites.add(site);
  }
  return [...sites].sort();
}

/** What is red with all syncs in place says nothing of the one that was taken out. */
async function checkGreen(settings: SeedSettings): Promise<SeedResult> {
  const result = await runSeed(settings);
  const [violation] = result.violations;
  if (violation === undefined) return result;
  const aim = settings.aim === undefined ? '' : ` aimed at ${settings.aim}`;
  throw new Error(
    `seed ${settings.seed}${aim} is red with all syncs in place: ${violation.checker}: ${violation.problem}`,
  );
}

/** Which checker misses the syncs of a site, and under which seed. */
async function dropSite(
  site: string,
  { firstSeed, seeds, lives }: DropSyncsOptions,
): Promise<string | undefined> {
  let powerCuts = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    // Some dangers show shortly after the sync that is missing, others only after much more.
    const aimed = seed % 2 === 0 ? { aim: site } : {};
    const { violations, history } = await runSeed({ seed, lives, ...aimed, drop: site });
    powerCuts += history.powerCuts;
    const [violation] = violations;
    if (violation === undefined) continue;
    await checkGreen({ seed, lives, ...aimed });
    const { checker, problem } = violation;
    const how = 'aim' in aimed ? ', aimed' : '';
    return `${checker}, seed ${seed}${how}, after ${powerCuts} power cuts: ${problem.split('\n')[0]}`;
  }
  return undefined;
}

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
        .filter(({ place }) => !sites.some((site) => site.startsWith(`${place} `)))
        .map(({ text, place }) => `${place}  ${text}`),
    );
}
