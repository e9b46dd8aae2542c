import { parseArguments, type SimulationOptions, USAGE } from './arguments.ts';
import { describeStates, runCrashStates } from './crash-states/run-crash-states.ts';
import { dropSyncs } from './drop-syncs.ts';
import { QUORUM_USAGE, simulateQuorum } from './quorum/quorum-suite.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { addTo, describeTotals, noTotals, voidReason } from './totals.ts';

/** Seeds for one site, if not said otherwise. */
const SEEDS_PER_SITE = 120;
const SHOWN_VIOLATIONS = 10;
/** Long scripts whose crash states are drawn, if not said otherwise. */
const MIXED_SEEDS = 10_000;

/** `npm run sim`: power cuts of the whole broker, seed after seed. True if all is well. */
async function simulate(options: SimulationOptions): Promise<boolean> {
  const { firstSeed, lives, aim, drop } = options;
  if (options.dropSyncs) {
    const seeds = Number.isFinite(options.seeds) ? options.seeds : SEEDS_PER_SITE;
    return await dropSyncs({ firstSeed, seeds, lives, drop, print: console.log });
  }
  if (options.crashStates) return await crashStates(options);
  const sites = {
    ...(aim === undefined ? {} : { aim }),
    ...(drop === undefined ? {} : { drop }),
  };
  const totals = noTotals();
  const startedMs = performance.now();
  const isLate = (): boolean => performance.now() - startedMs > options.minutes * 60_000;
  for (let at = 0; at < options.seeds && totals.powerCuts < options.cuts && !isLate(); at++) {
    const seed = firstSeed + at;
    const result = await runSeed({ seed, lives, ...sites });
    addTo(totals, result);
    console.log(describeSeed(result));
    if (result.violations.length > 0) {
      printViolations(result, options);
      return false;
    }
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(`${describeTotals(totals)}, ${seconds} s of ours`);
  // A seed alone is run to look at it.
  const reason = totals.seeds === 1 ? null : voidReason(totals);
  if (reason !== null) console.log(`void: ${reason}`);
  return reason === null;
}

async function crashStates({ firstSeed, seeds }: SimulationOptions): Promise<boolean> {
  const startedMs = performance.now();
  const { short, mixed, violations } = await runCrashStates({
    firstSeed,
    orders: 4,
    mostWays: [20_000, 12],
    mixedSeeds: Number.isFinite(seeds) ? seeds : MIXED_SEEDS,
    print: console.log,
  });
  for (const violation of violations) console.log(`  ${violation}`);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const cpuSeconds = Math.round(process.cpuUsage().user / 1e6);
  console.log(`short scripts: ${describeStates(short)}`);
  console.log(`long scripts: ${describeStates(mixed)}`);
  console.log(
    `${short.states + mixed.states} states, ${violations.length} violations, ${seconds} s of ours, ${cpuSeconds} s of a core`,
  );
  return violations.length === 0;
}

function describeSeed({ seed, history, virtualMs, traceHash }: SeedResult): string {
  const { powerCuts, processCrashes, cleanStops, acknowledged } = history;
  return `seed ${seed}: ${powerCuts} power cuts, ${processCrashes} process crashes, ${cleanStops} clean stops, ${acknowledged} acknowledged, ${Math.round(virtualMs)} ms, trace ${traceHash}`;
}

function printViolations({ seed, violations }: SeedResult, options: SimulationOptions): void {
  for (const { checker, problem } of violations.slice(0, SHOWN_VIOLATIONS)) {
    console.log(`  ${checker}: ${problem}`);
  }
  const more = violations.length - SHOWN_VIOLATIONS;
  if (more > 0) console.log(`  and ${more} more`);
  const drop = options.drop === undefined ? '' : ` --drop '${options.drop}'`;
  const aim = options.aim === undefined ? '' : ` --aim '${options.aim}'`;
  console.log(
    `red; again with: npm run sim -- --seed ${seed} --lives ${options.lives}${aim}${drop}`,
  );
}

const args = process.argv.slice(2);
const isSuite = args.some((arg) => arg.startsWith('--suite'));
try {
  if (isSuite) process.exitCode = await simulateQuorum(args);
  else process.exitCode = (await simulate(parseArguments(args))) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(isSuite ? QUORUM_USAGE : USAGE);
  process.exitCode = 2;
}
