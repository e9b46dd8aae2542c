import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Mode } from './scenarios.ts';
import type { Measurement, SystemName, Unit } from './system.ts';

/** One figure, as it is kept: a line of JSON with exactly these keys. */
export interface Row {
  readonly scenario: string;
  readonly system: SystemName;
  readonly mode: Mode;
  readonly metric: string;
  readonly value: number;
  readonly unit: Unit;
  /** The commit of the bench and of the broker, `+changes` if the tree differed from it. */
  readonly commit: string;
  readonly machine: string;
  /** When the run began, ISO 8601. Rows of one run share it: only they may be compared. */
  readonly time: string;
}

/** What all rows of a run share. */
export type RunIdentity = Pick<Row, 'commit' | 'machine' | 'time'>;

/** One measurement of one system, with where it belongs. */
export interface Outcome {
  readonly scenario: string;
  readonly system: SystemName;
  readonly mode: Mode;
  readonly measurement: Measurement;
}

/** A row for every metric, and two that say how much stands behind them. */
export function toRows(outcome: Outcome, run: RunIdentity): Row[] {
  const { scenario, system, mode, measurement } = outcome;
  return [
    ...measurement.metrics,
    { name: 'records', value: measurement.records, unit: 'records' as const },
    { name: 'seconds', value: measurement.seconds, unit: 's' as const },
  ].map(({ name, value, unit }) => ({
    scenario,
    system,
    mode,
    metric: name,
    value: toSixDigits(value),
    unit,
    commit: run.commit,
    machine: run.machine,
    time: run.time,
  }));
}

export function appendRows(file: string, rows: readonly Row[]): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** No measurement is exact to more; the rest would only be noise in the file. */
function toSixDigits(value: number): number {
  return Number(value.toPrecision(6));
}
