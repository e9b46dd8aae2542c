import {
  type CrashScript,
  Explorer,
  type ExploreSettings,
  noTotals,
  type Totals,
} from './explorer.ts';
import { logScripts } from './log-scripts.ts';
import { metadataScripts } from './metadata-scripts.ts';
import { mixedLogScript, mixedMetadataScript } from './mixed-scripts.ts';

export interface CrashStatesOptions {
  readonly firstSeed: number;
  /** Orders in which the operations of a short script that are under way at once overtake each other. */
  readonly orders: number;
  /** See `ExploreSettings`. */
  readonly mostWays: readonly number[];
  readonly samples?: number;
  /** Long scripts of logs, and as many of metadata. */
  readonly mixedSeeds: number;
  readonly print: (line: string) => void;
}

export interface CrashStatesResult {
  readonly short: Totals;
  readonly mixed: Totals;
  /** What is wrong: the first state of each script that is not as it must be. */
  readonly violations: readonly string[];
}

/** No more violations are looked for. */
const ENOUGH_VIOLATIONS = 5;
/** Of so many moments of a long script one is tried. */
const ONE_MIXED_MOMENT_IN = 40;

/** Enumerates the states of all short scripts, and draws some of many long ones. */
export async function runCrashStates(options: CrashStatesOptions): Promise<CrashStatesResult> {
  const { firstSeed, orders, mostWays, samples = 60, mixedSeeds, print } = options;
  const result = { short: noTotals(), mixed: noTotals(), violations: [] as string[] };
  const isEnough = (): boolean => result.violations.length >= ENOUGH_VIOLATIONS;
  for (const play of shortScripts) {
    const own = noTotals();
    let name = '';
    for (let seed = firstSeed; seed < firstSeed + orders && !isEnough(); seed++) {
      name = await attempt({ seed, mostWays, samples }, play, own, result.violations);
    }
    print(`${name}: ${describeStates(own)}`);
    add(result.short, own);
  }
  for (let seed = firstSeed; seed < firstSeed + mixedSeeds && !isEnough(); seed++) {
    const settings = { seed, mostWays: [0], oneMomentIn: ONE_MIXED_MOMENT_IN, samples: 2 };
    for (const play of [playOf(mixedLogScript(seed)), playOf(mixedMetadataScript(seed))]) {
      await attempt(settings, play, result.mixed, result.violations);
    }
    if ((seed - firstSeed + 1) % 500 === 0) {
      print(`${seed - firstSeed + 1} seeds of long scripts: ${describeStates(result.mixed)}`);
    }
  }
  return result;
}

/** Explores a script; gives its name. */
type Play = (explorer: Explorer) => Promise<string>;

const playOf =
  <Expected>(script: CrashScript<Expected>): Play =>
  async (explorer) => {
    await explorer.explore(script);
    return script.name;
  };

const shortScripts: readonly Play[] = [...logScripts.map(playOf), ...metadataScripts.map(playOf)];

async function attempt(
  settings: ExploreSettings,
  play: Play,
  totals: Totals,
  violations: string[],
): Promise<string> {
  const explorer = new Explorer(settings);
  try {
    return await play(explorer);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    violations.push(problem);
    return problem;
  } finally {
    add(totals, explorer.totals);
  }
}

function add(totals: Totals, more: Totals): void {
  totals.moments += more.moments;
  totals.sampledMoments += more.sampledMoments;
  totals.states += more.states;
  totals.mostPending = Math.max(totals.mostPending, more.mostPending);
}

export function describeStates(totals: Totals): string {
  const { moments, sampledMoments, states, mostPending } = totals;
  return `${states} states of ${moments} moments, of which ${sampledMoments} are sampled and the others have up to ${mostPending} pending changes`;
}
