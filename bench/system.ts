import type { Mode, Scenario } from './scenarios.ts';

export type SystemName = 'varve' | 'limit' | 'kafka' | 'nats';

/** Something that can be put through a scenario: the broker, the bare machine, or a peer. */
export interface System {
  readonly name: SystemName;
  /** Gets what it needs onto the machine; throws `UnavailableError` where that cannot be. */
  prepare(): Promise<void>;
  /** Runs one scenario in one mode. Removes its data; its processes are killed after it. */
  measure(scenario: Scenario, mode: Mode, seconds: number): Promise<Measurement>;
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

/** MB is 10^6 bytes of record values, without any framing. */
export type Unit = 'records/s' | 'MB/s' | 'ms' | 'records' | 's';

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
  const sorted = firstAckMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('no start was timed');
  return {
    records: sorted.length,
    seconds: sorted.reduce((sum, ms) => sum + ms, 0) / 1_000,
    metrics: [{ name: 'first_ack', value: median, unit: 'ms' }],
  };
}
