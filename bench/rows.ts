import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mode, SystemName } from './scenario.ts';
import type { Measurement, Unit } from './system.ts';

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
  /** Processes that were running or waiting, on average, when it began and when it ended; its own count. */
  readonly load?: LoadAverages;
}

/** Load average of a minute, before and after. */
export type LoadAverages = readonly [before: number, after: number];

/** What all rows of a run share. */
export type RunIdentity = Pick<Row, 'commit' | 'machine' | 'time'>;

/** One measurement of one system, with where it belongs. */
export interface Outcome {
  readonly scenario: string;
  readonly system: SystemName;
  readonly mode: Mode;
  readonly measurement: Measurement;
  readonly load: LoadAverages;
}

/** A row for every metric, and two that say how much stands behind them. */
export function toRows(outcome: Outcome, run: RunIdentity): Row[] {
  const { scenario, system, mode, measurement, load } = outcome;
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
    load,
  }));
}

export function appendRows(file: string, rows: readonly Row[]): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** All rows that were kept in the files of a folder. */
export function readRows(folder: string): Row[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** No measurement is exact to more; the rest would only be noise in the file. */
function toSixDigits(value: number): number {
  return Number(value.toPrecision(6));
}
