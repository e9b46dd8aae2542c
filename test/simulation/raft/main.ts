import { parseArgs } from 'node:util';
import { runCluster } from './random-cluster.ts';
import { addCounts, missingCounts, STEPS } from './totals.ts';

const USAGE = `node test/simulation/raft/main.ts [--from S] [--seeds N] [--seed S [--trace]] [--steps N]
  clusters of the Raft core alone, one a seed, from seed S on (1) for N seeds (1000)`;

/** Runs seeds until one is red. */
function main(): number {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      steps: { type: 'string', default: `${STEPS}` },
      trace: { type: 'boolean', default: false },
    },
  });
  const first = Number(values.seed ?? values.from);
  const seeds = values.seed === undefined ? Number(values.seeds) : 1;
  const steps = Number(values.steps);
  const totals = new Map<string, number>();
  const startedMs = performance.now();
  for (let seed = first; seed < first + seeds; seed++) {
    const result = runCluster(seed, steps, values.trace ? console.log : undefined);
    addCounts(totals, result);
    if (seeds === 1) console.log(`seed ${seed}: trace ${result.traceHash}`);
    if (result.violations.length === 0) continue;
    for (const { checker, problem } of result.violations) console.log(`  ${checker}: ${problem}`);
    console.log(`red; again with: node test/simulation/raft/main.ts --seed ${seed}`);
    console.log(`${seed - first + 1} seeds, 1 failed`);
    return 1;
  }
  for (const [name, count] of [...totals].sort()) console.log(`${name}: ${count}`);
  console.log(`${seeds} seeds, 0 failed, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  const missing = missingCounts(totals);
  if (missing.length > 0 && seeds >= 100) {
    console.log(`void: these did not occur: ${missing.join(', ')}`);
    return 1;
  }
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error);
  console.error(USAGE);
  process.exitCode = 2;
}
