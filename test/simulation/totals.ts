import type { SeedResult } from './run-seed.ts';

/** What a number of seeds came to. */
export interface Totals {
  seeds: number;
  powerCuts: number;
  processCrashes: number;
  cleanStops: number;
  faults: number;
  faultyEnds: number;
  sends: number;
  acknowledged: number;
  unknown: number;
  reads: number;
  changes: number;
  virtualMs: number;
}

export const noTotals = (): Totals => ({
  seeds: 0,
  powerCuts: 0,
  processCrashes: 0,
  cleanStops: 0,
  faults: 0,
  faultyEnds: 0,
  sends: 0,
  acknowledged: 0,
  unknown: 0,
  reads: 0,
  changes: 0,
  virtualMs: 0,
});

export function addTo(totals: Totals, { history, virtualMs }: SeedResult): void {
  totals.seeds++;
  totals.powerCuts += history.powerCuts;
  totals.processCrashes += history.processCrashes;
  totals.cleanStops += history.cleanStops;
  totals.faults += history.faults;
  totals.faultyEnds += history.faultyEnds;
  totals.sends += history.sends.length;
  totals.acknowledged += history.acknowledged;
  totals.unknown += history.sends.filter(({ outcome }) => outcome === 'unknown').length;
  totals.reads += history.reads.length;
  totals.changes += history.changes;
  totals.virtualMs += virtualMs;
}

export function describeTotals(totals: Totals): string {
  const { seeds, powerCuts, processCrashes, cleanStops, sends, acknowledged } = totals;
  const { unknown, reads, changes, virtualMs, faults, faultyEnds } = totals;
  return [
    `${seeds} seeds, ${powerCuts} power cuts, ${processCrashes} process crashes, ${cleanStops} clean stops`,
    `${faults} faults of the disk, of which ${faultyEnds} ended the broker`,
    `${sends} records sent, ${acknowledged} acknowledged, ${unknown} of unknown outcome, ${reads} read`,
    `${changes} changes of topics, ${Math.round(virtualMs / 1000)} s of virtual time`,
  ].join('\n');
}

/** The least that a power cut has to stand for, or the run has tried nothing and is void. */
const LEAST_PER_LIFE = { acknowledged: 30, reads: 30, changes: 1 };

/** Why the runs count for nothing; `null` if they do count. */
export function voidReason(totals: Totals): string | null {
  const lives = totals.powerCuts + totals.processCrashes;
  for (const [name, least] of Object.entries(LEAST_PER_LIFE)) {
    const count = totals[name as keyof typeof LEAST_PER_LIFE];
    if (count < least * lives) return `${count} ${name} for ${lives} crashes are too few`;
  }
  return lives === 0 ? 'nothing crashed' : null;
}
