import { FAULT_KINDS } from './plan.ts';
import type { QuorumResult } from './run-quorum-seed.ts';

/** After so many seeds all that is needed has to have occurred. */
export const SEEDS_FOR_TOTALS = 300;

/** Without it the seeds' being green says little. */
const NEEDED = [
  ...FAULT_KINDS.map((kind) => `fault ${kind}`),
  ...['apply command', 'apply configuration', 'apply empty'],
  ...['became candidate', 'became follower', 'became leader', 'became pre-candidate'],
  ...['change add-learner', 'change promote', 'change remove', 'change not known'],
  ...['change remove of the leader', 'lost voter replaced'],
  ...['crash of power', 'crash of process', 'crash while starting', 'crash while syncing'],
  ...['ignored leader-alive', 'ignored stale', 'ignored unexpected', 'ignored unknown-sender'],
  'ignored wrong-directory',
  ...['message append', 'message append-answer', 'message append-refusal'],
  ...['message heartbeat', 'message heartbeat-answer', 'message snapshot-answer'],
  ...['message snapshot-chunk', 'message timeout-now'],
  ...['message vote', 'message vote pre', 'message vote-answer', 'message vote-answer pre'],
  ...['message fault cut', 'message fault duplication', 'message fault lateness'],
  ...['message fault loss', 'partition', 'process ended by its disk'],
  ...['read', 'read elsewhere', 'read of a deposed leader'],
  ...['refused change-in-progress', 'refused epoch-not-committed', 'refused not-caught-up'],
  ...['restore', 'snapshot made', 'transfer done', 'transfer given-up', 'truncation'],
] as const;

/** What occurred in many seeds. */
export class QuorumTotals {
  readonly counts = new Map<string, number>();
  seeds = 0;
  acknowledged = 0;
  faults = 0;

  add({ counts, acknowledged, faults }: QuorumResult): void {
    this.seeds++;
    this.acknowledged += acknowledged;
    this.faults += faults;
    for (const [name, count] of counts) this.counts.set(name, this.#of(name) + count);
  }

  /** What is needed and did not occur. */
  get missing(): string[] {
    return NEEDED.filter((name) => this.#of(name) === 0);
  }

  /** One line each. */
  describe(): string[] {
    const mean = (count: number): string => (count / this.seeds).toFixed(1);
    const crashes = this.#of('crash of power') + this.#of('crash of process');
    return [
      ...[...this.counts].sort().map(([name, count]) => `${name}: ${count}`),
      `a seed has ${mean(this.#of('became leader'))} elections, ${mean(crashes)} crashes, ${mean(this.#of('partition'))} partitions, ${mean(this.faults)} faults in all, ${mean(this.acknowledged)} acknowledged commands`,
    ];
  }

  #of(name: string): number {
    return this.counts.get(name) ?? 0;
  }
}
