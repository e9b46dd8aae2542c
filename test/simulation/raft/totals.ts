import type { ClusterResult } from './random-cluster.ts';

/** Steps of a seed before all is healed. */
export const STEPS = 8_000;

/** What has to have occurred in a few hundred seeds: without it their being green says little. */
const NEEDED = [
  'acknowledged',
  'apply command',
  'apply configuration',
  'apply empty',
  'became candidate',
  'became follower',
  'became leader',
  'became pre-candidate',
  'change add-learner',
  'change promote',
  'change remove',
  'fault chunk gone',
  'fault crash',
  'fault crash with writes under way',
  'fault cut',
  'fault cuts',
  'fault duplication',
  'fault loss',
  'fault reordering',
  'fault read of a deposed leader',
  'fault replay',
  'fault stalled clock',
  'fault stream',
  'fault wipe',
  'forget',
  'ignored leader-alive',
  'ignored stale',
  'ignored unexpected',
  'ignored unknown-sender',
  'ignored wrong-directory',
  'load-chunk',
  'message append',
  'message append-answer',
  'message append-refusal',
  'message heartbeat',
  'message heartbeat-answer',
  'message snapshot-answer',
  'message snapshot-chunk',
  'message timeout-now',
  'message vote',
  'message vote pre',
  'message vote-answer',
  'message vote-answer pre',
  'read-failed',
  'read-ready',
  'refused change-in-progress',
  'refused epoch-not-committed',
  'refused id-in-use',
  'refused last-voter',
  'refused not-caught-up',
  'refused not-leader',
  'refused too-much-uncommitted',
  'refused transferring',
  'refused unknown-member',
  'restore',
  'transfer',
  'transfer-given-up',
  'truncation',
];

export function addCounts(totals: Map<string, number>, result: ClusterResult): void {
  const all = [...result.counts, ['acknowledged', result.acknowledged] as const];
  for (const [name, count] of all) totals.set(name, (totals.get(name) ?? 0) + count);
}

export const missingCounts = (totals: ReadonlyMap<string, number>): string[] =>
  NEEDED.filter((name) => (totals.get(name) ?? 0) === 0);
