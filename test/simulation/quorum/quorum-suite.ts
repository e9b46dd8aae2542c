import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { minimise } from './minimise.ts';
import { drawPlan, type Plan } from './plan.ts';
import { QuorumTotals, SEEDS_FOR_TOTALS } from './quorum-totals.ts';
import { type QuorumResult, runPlan, voidReason } from './run-quorum-seed.ts';

export const QUORUM_USAGE = `npm run sim -- --suite raft [options]
  --seeds N      how many seeds (1000)
  --from S       the first of them (random)
  --seed S       this one alone; with --trace all that happens in it
  --workers N    how many run at once (one a core)
  --whole        a red seed is not made smaller`;

const TOLD_EVERY = 500;
const SHOWN_VIOLATIONS = 10;
const SHOWN_LINES = 60;
const MINIMISING_RUNS = 300;

interface SuiteOptions {
  readonly first: number;
  readonly seeds: number;
  readonly workers: number;
  readonly isTraced: boolean;
  readonly isMinimised: boolean;
}

/** Whole nodes of the metadata quorum, seed after seed until one is red. The exit code. */
export async function simulateQuorum(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const { first, seeds } = options;
  const startedMs = performance.now();
  console.log(`seeds from ${first} on`);
  const totals = new QuorumTotals();
  const failed = seeds === 1 ? await runOne(options, totals) : await runMany(options, totals);
  if (failed !== null) await explain(failed, options);
  else for (const line of totals.describe()) console.log(line);
  const count = totals.seeds + (failed === null ? 0 : 1);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const isVoid = totals.seeds >= SEEDS_FOR_TOTALS && totals.missing.length > 0;
  if (isVoid) console.log(`void: these did not occur: ${totals.missing.join(', ')}`);
  console.log(`${seconds} s`);
  console.log(`${count} seeds, ${failed === null ? 0 : 1} failed`);
  return failed === null && !isVoid ? 0 : 1;
}

function parseOptions(args: readonly string[]): SuiteOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: 'string' },
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: `${Math.floor(Math.random() * 1_000_000_000)}` },
      seed: { type: 'string' },
      workers: { type: 'string', default: `${availableParallelism()}` },
      trace: { type: 'boolean', default: false },
      whole: { type: 'boolean', default: false },
    },
  });
  if (values.suite !== 'raft') throw new Error(`there is no suite ${values.suite}, but raft`);
  const whole = (name: 'seeds' | 'from' | 'seed' | 'workers', least: number): number => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(`--${name} is a whole number from ${least}, not ${values[name]}`);
  };
  return {
    first: whole(values.seed === undefined ? 'from' : 'seed', 0),
    seeds: values.seed === undefined ? whole('seeds', 1) : 1,
    workers: whole('workers', 1),
    isTraced: values.trace,
    isMinimised: !values.whole,
  };
}

const isGreen = (result: QuorumResult): boolean =>
  result.violations.length === 0 && voidReason(result) === null;

async function runOne(
  { first, isTraced }: SuiteOptions,
  totals: QuorumTotals,
): Promise<QuorumResult | null> {
  const result = await runPlan(drawPlan(first), isTraced ? console.log : null);
  console.log(`seed ${first}: trace ${result.traceHash}`);
  if (!isGreen(result)) return result;
  totals.add(result);
  return null;
}

/** The first that is found to be red, or `null`. */
function runMany(
  { first, seeds, workers }: SuiteOptions,
  totals: QuorumTotals,
): Promise<QuorumResult | null> {
  return new Promise((resolve, reject) => {
    const running = new Set<Worker>();
    let next = first;
    const end = (failed: QuorumResult | null): void => {
      for (const worker of running) void worker.terminate();
      resolve(failed);
    };
    const feed = (worker: Worker): void => {
      if (next < first + seeds) worker.postMessage(next++);
      else if (totals.seeds === seeds) end(null);
    };
    for (let count = 0; count < Math.min(workers, seeds); count++) {
      const worker = new Worker(new URL('./seed-worker.ts', import.meta.url));
      running.add(worker);
      worker.on('error', reject);
      worker.on('message', (result: QuorumResult) => {
        if (!isGreen(result)) return end(result);
        totals.add(result);
        if (totals.seeds % TOLD_EVERY === 0) console.log(`${totals.seeds} of ${seeds} are green`);
        feed(worker);
      });
      feed(worker);
    }
  });
}

/** What went wrong, how to see it again, and how it looks with all left out that it does not need. */
async function explain(failed: QuorumResult, options: SuiteOptions): Promise<void> {
  const { seed, violations } = failed;
  const [first] = violations;
  if (first === undefined) {
    console.log(`void: seed ${seed}: ${voidReason(failed)}`);
    return;
  }
  const whole = drawPlan(seed);
  const plan = options.isMinimised ? await smaller(whole, first.checker) : whole;
  if (!options.isTraced) await showEnd(plan);
  for (const { checker, problem } of violations.slice(0, SHOWN_VIOLATIONS)) {
    console.log(`  ${checker}: ${problem}`);
  }
  console.log(`red; again with: npm run sim -- --suite raft --seed ${seed}`);
}

async function smaller(whole: Plan, checker: string): Promise<Plan> {
  const plan = await minimise(whole, MINIMISING_RUNS, async (left) => {
    const { violations } = await runPlan(left);
    return violations.some((violation) => violation.checker === checker);
  });
  const [faults, commands] = [plan.faults.length, plan.commands.length];
  console.log(`it takes ${faults} of ${whole.faults.length} faults, ${commands} commands:`);
  for (const { atMs, kind } of plan.faults) console.log(`${`${atMs}`.padStart(8)} ms ${kind}`);
  return plan;
}

async function showEnd(plan: Plan): Promise<void> {
  const lines: string[] = [];
  await runPlan(plan, (line) => {
    // What comes all the time says little.
    if (line.includes('heartbeat')) return;
    lines.push(line);
    if (lines.length > SHOWN_LINES) lines.shift();
  });
  for (const line of lines) console.log(line);
}
