import { parseArgs } from 'node:util';
import { useNativeCrc32c } from '../../src/codec/crc32c.ts';
import { excess, FIXED_HEAP_BYTES, MAX_HEAP_PER_BYTE, measureHeap, settledHeap } from './heap.ts';
import { fuzzKafkaLive } from './kafka-live.ts';
import { fuzzLive } from './live.ts';
import type { FuzzPlan } from './run-targets.ts';
import { fuzzTargets, voidTargets } from './run-targets.ts';
import type { Violation } from './target.ts';
import { targets } from './targets.ts';

const USAGE = `npm run fuzz -- [options]
  --seed S      inputs are drawn from it (1)
  --inputs N    how many, of all decoders together (1000000); as many go to a live broker by Kafka's protocol,
                and a fiftieth as many by gRPC`;

const MIB = 1024 * 1024;
/** What may be more after all inputs than after some: caches and compiled code, no inputs. */
const MAX_GROWTH_BYTES = 16 * MIB;
/** Inputs of decoders for one that is sent to a broker. */
const DECODED_PER_SENT = 50;

/** @throws Error if an argument is unknown or no number */
function planOf(args: readonly string[]): FuzzPlan {
  const options = { seed: { type: 'string' }, inputs: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const number = (name: 'seed' | 'inputs', missing: number): number => {
    const value = Number(values[name] ?? missing);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new Error(`--${name} is a whole number above 0, not ${values[name]}`);
  };
  return { seed: number('seed', 1), inputs: number('inputs', 1_000_000) };
}

/** True if nothing was amiss. */
async function fuzzDecoders(plan: FuzzPlan): Promise<boolean> {
  // Compiles and fills caches.
  await fuzzTargets(targets, { seed: plan.seed + 1, inputs: Math.min(plan.inputs, 50_000) });
  const before = await settledHeap();
  const { totals, violations } = await fuzzTargets(targets, plan);
  const grown = (await settledHeap()) - before;
  for (const { name, inputs, accepted, seconds, slowestMs } of totals) {
    console.log(
      `${name}: ${inputs} inputs, ${accepted} accepted, ${seconds.toFixed(1)} s, slowest ${slowestMs.toFixed(1)} ms`,
    );
  }
  printViolations(violations);
  const voids = voidTargets(totals);
  for (const reason of voids) console.log(`void: ${reason}`);
  const inputs = totals.reduce((sum, total) => sum + total.inputs, 0);
  const seconds = totals.reduce((sum, total) => sum + total.seconds, 0);
  console.log(
    `decoders: ${inputs} inputs, ${Math.round(seconds)} s, ${violations.length} violations, memory grew by ${(grown / MIB).toFixed(1)} MiB`,
  );
  return violations.length === 0 && voids.length === 0 && grown <= MAX_GROWTH_BYTES;
}

function printViolations(violations: readonly Violation[]): void {
  for (const { target, seed, inputHex, problem } of violations) {
    console.log(`violation in ${target}, seed ${seed}: ${problem}\n  input ${inputHex}`);
  }
}

/** True if the broker and its other client took no harm. */
async function fuzzBroker({ seed, inputs }: FuzzPlan): Promise<boolean> {
  const plan = { seed, inputs: Math.ceil(inputs / DECODED_PER_SENT) };
  const totals = await fuzzLive(plan);
  for (const violation of totals.violations) console.log(`violation, seed ${seed}: ${violation}`);
  console.log(
    `live broker: ${totals.inputs} inputs, ${Math.round(totals.seconds)} s, ${totals.violations.length} violations, memory grew by ${(totals.grownBytes / MIB).toFixed(1)} MiB, ${totals.appended} mutated records appended, ${totals.bystanderRecords} records of somebody else meanwhile`,
  );
  return totals.violations.length === 0;
}

/** The same by Kafka's protocol, where an input costs less. */
async function fuzzKafkaDoor(plan: FuzzPlan): Promise<boolean> {
  const totals = await fuzzKafkaLive(plan);
  for (const violation of totals.violations) {
    console.log(`violation, seed ${plan.seed}: ${violation}`);
  }
  const ended = Object.entries(totals.ended).map(([reason, count]) => `${count} ${reason}`);
  console.log(
    `live Kafka door: ${totals.frames} frames, ${totals.connections} connections, ${Math.round(totals.seconds)} s, ${totals.violations.length} violations, memory grew by ${(totals.grownBytes / MIB).toFixed(1)} MiB, ${totals.appended} mutated records appended, ${totals.bystanderRecords.join(' and ')} records of others meanwhile by gRPC and Kafka; ended: ${ended.join(', ')}`,
  );
  const resident = totals.residentBytes.map((bytes) => Math.round(bytes / MIB));
  console.log(`resident memory after each tenth, MiB: ${resident.join(' ')}`);
  return totals.violations.length === 0;
}

/** True if no request takes more memory than it may. */
async function checkHeap(): Promise<boolean> {
  let sound = true;
  // Code and caches are not what is measured.
  await measureHeap();
  for (const measure of await measureHeap()) {
    const { name, wireBytes, heapBytes, isRefused } = measure;
    const over = excess(measure);
    sound &&= over <= FIXED_HEAP_BYTES;
    const fate = isRefused ? 'are refused' : `decode to ${heapBytes} more`;
    console.log(
      `${name}: ${wireBytes} bytes ${fate}, ${Math.round(Math.max(over, 0) / 1024)} KiB over ${MAX_HEAP_PER_BYTE} bytes each`,
    );
  }
  const verdict = sound ? 'within' : 'NOT within';
  console.log(
    `memory before a request is accepted: ${verdict} ${MAX_HEAP_PER_BYTE} heap bytes per wire byte and ${FIXED_HEAP_BYTES / MIB} MiB`,
  );
  return sound;
}

try {
  useNativeCrc32c();
  const plan = planOf(process.argv.slice(2));
  const results = [
    await fuzzDecoders(plan),
    await checkHeap(),
    await fuzzBroker(plan),
    await fuzzKafkaDoor(plan),
  ];
  process.exitCode = results.every((sound) => sound) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 2;
}
