import type { Mode, Scenario, ScenarioOf, SystemName } from './scenario.ts';

/** How a scenario is to be measured. */
export interface Run {
  readonly mode: Mode;
  /** Length of the timed part. */
  readonly seconds: number;
}

/** One function for each kind of scenario. Each removes its data; its processes are killed after it. */
export type Measures = {
  readonly [Kind in Scenario['kind']]?: (
    scenario: ScenarioOf<Kind>,
    run: Run,
  ) => Promise<Measurement>;
};

/** Something that can be put through scenarios: the broker, the bare machine, or a peer. */
export interface System {
  readonly name: SystemName;
  readonly measures: Measures;
  /** Gets what it needs onto the machine; throws `UnavailableError` where that cannot be. */
  prepare(): Promise<void>;
}

/** Runs one scenario on one system. */
export async function measure(
  { name, measures }: System,
  scenario: Scenario,
  run: Run,
): Promise<Measurement> {
  const work = measures[scenario.kind] as
    | ((scenario: Scenario, run: Run) => Promise<Measurement>)
    | undefined;
  if (work === undefined) throw new Error(`${name} has no measure for ${scenario.kind}`);
  return await work(scenario, run);
}

/** The system cannot run on this machine; the message says what is missing. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

export interface Measurement {
  readonly metrics: readonly Metric[];
  /** How many records the figures stand on, and the seconds they took; warm-up not counted. */
  readonly records: number;
  readonly seconds: number;
}

export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

/** MB is 10^6 bytes; of bandwidth it counts record values, without any framing. */
export type Unit = 'records/s' | 'MB/s' | 'ms' | 's/GiB' | 'MB' | 'KB' | 'records' | 's' | 'cores';

/** Of which units less is better. */
export const lowerIsBetter: ReadonlySet<Unit> = new Set(['ms', 's/GiB', 'MB', 'KB', 's', 'cores']);

/** `records` of `recordBytes` each moved in `seconds`. */
export function throughput(records: number, recordBytes: number, seconds: number): Measurement {
  const perSecond = records / seconds;
  return {
    records,
    seconds,
    metrics: [
      { name: 'throughput', value: perSecond, unit: 'records/s' },
      { name: 'bandwidth', value: (perSecond * recordBytes) / 1e6, unit: 'MB/s' },
    ],
  };
}

/** The median of several starts, in ms. */
export function startup(firstAckMs: readonly number[]): Measurement {
  return {
    records: firstAckMs.length,
    seconds: firstAckMs.reduce((sum, ms) => sum + ms, 0) / 1_000,
    metrics: [{ name: 'first_ack', value: median(firstAckMs), unit: 'ms' }],
  };
}

/** A restart on so many bytes of record values, in ms. */
export function restart(firstAckMs: number, records: number, recordBytes: number): Measurement {
  const perGib = firstAckMs / 1_000 / ((records * recordBytes) / 1024 ** 3);
  return {
    records,
    seconds: firstAckMs / 1_000,
    metrics: [
      { name: 'first_ack', value: firstAckMs, unit: 'ms' },
      { name: 'first_ack_per_gib', value: perGib, unit: 's/GiB' },
    ],
  };
}

/** The middle one; the upper of two. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  if (middle === undefined) throw new Error('there is nothing to take the median of');
  return middle;
}
