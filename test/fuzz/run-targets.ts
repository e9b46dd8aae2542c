import { setImmediate as nextTurn } from 'node:timers/promises';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { mutate } from './mutate.ts';
import type { Target, TargetTotals, Violation } from './target.ts';

export interface FuzzPlan {
  readonly seed: number;
  /** Of all targets together. */
  readonly inputs: number;
}

export interface FuzzResult {
  readonly totals: readonly TargetTotals[];
  readonly violations: readonly Violation[];
}

/** More say nothing new. */
const MAX_VIOLATIONS = 20;
/** Half of the inputs of a target that has checksums get them mended. */
const MENDED = 0.5;
const TURN_INPUTS = 1000;

/** Gives each target its share of mutated inputs; the same plan gives the same inputs. */
export async function fuzzTargets(targets: readonly Target[], plan: FuzzPlan): Promise<FuzzResult> {
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
  const totals: TargetTotals[] = [];
  const violations: Violation[] = [];
  for (const target of targets) {
    const inputs = Math.ceil((plan.inputs * target.weight) / weights);
    totals.push(await fuzzTarget(target, { seed: plan.seed, inputs }, violations));
  }
  return { totals, violations };
}

async function fuzzTarget(
  target: Target,
  { seed, inputs }: FuzzPlan,
  violations: Violation[],
): Promise<TargetTotals> {
  const random = new SimulatedRandom(seed).fork(target.name);
  const totals = { name: target.name, inputs, accepted: 0, seconds: 0, slowestMs: 0 };
  const startedMs = performance.now();
  for (let i = 0; i < inputs; i++) {
    // Others get their turn, also those who give memory back.
    if (i % TURN_INPUTS === 0) await nextTurn();
    const bytes = mutate(random, target.corpus);
    if (random.chance(MENDED)) target.mend?.(bytes);
    const before = performance.now();
    try {
      const running = target.run(bytes);
      // Awaiting what is there already would cost more than most decoders.
      if (running !== undefined) await running;
      totals.accepted++;
    } catch (error) {
      if (!target.refuses(error) && violations.length < MAX_VIOLATIONS) {
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
        const inputHex = Buffer.from(bytes).toString('hex');
        violations.push({ target: target.name, seed, inputHex, problem });
      }
    }
    totals.slowestMs = Math.max(totals.slowestMs, performance.now() - before);
  }
  totals.seconds = (performance.now() - startedMs) / 1000;
  return totals;
}

/** Why a run shows nothing: a target that takes nothing, or everything, was not tried. */
export function voidTargets(totals: readonly TargetTotals[]): string[] {
  return totals
    .filter(({ inputs, accepted }) => inputs >= 1000 && (accepted === 0 || accepted === inputs))
    .map(({ name, inputs, accepted }) => `${name} accepted ${accepted} of ${inputs} inputs`);
}
