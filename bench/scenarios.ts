/**
 * What the bench measures, as data. Every scenario uses one topic of one partition on one broker,
 * everything on loopback, values that are random bytes, and no compression.
 */
export type Scenario = ProduceScenario | FetchScenario | LatencyScenario | StartupScenario;

interface ScenarioBase {
  readonly name: string;
  /** One line for `--list` and for the heading of the table. */
  readonly title: string;
  /** Each is measured for every system, limit included. */
  readonly modes: readonly Mode[];
  /** The metrics shown in the table, most important first; rows carry all of them. */
  readonly columns: readonly string[];
}

/**
 * - `fsync`: an acknowledged record has been fsynced. - `no-fsync`: it is in the page cache.
 * - `default`: the question does not arise, each system runs as it comes.
 */
export type Mode = 'fsync' | 'no-fsync' | 'default';

/** As many records as the system takes, with a bounded number waiting for their acknowledgement. */
export interface ProduceScenario extends ScenarioBase {
  readonly kind: 'produce';
  readonly recordBytes: number;
  readonly outstandingRecords: number;
}

/** Reads back `records` records from the page cache, again and again until the time is up. */
export interface FetchScenario extends ScenarioBase {
  readonly kind: 'fetch';
  readonly recordBytes: number;
  readonly records: number;
}

/** Single records at a fixed rate, each timed from the moment it was due to be sent. */
export interface LatencyScenario extends ScenarioBase {
  readonly kind: 'latency';
  readonly recordBytes: number;
  readonly ratePerSecond: number;
}

/** From the start of the server's process, on an empty folder, to the first acknowledged record. */
export interface StartupScenario extends ScenarioBase {
  readonly kind: 'startup';
  readonly repetitions: number;
}

/** Load that runs before the timed part, so that caches are warm and code is compiled. */
export const WARMUP_SECONDS = 3;

export const scenarios: readonly Scenario[] = [
  {
    name: 'produce-100b',
    title: 'produce records of 100 B, saturating',
    kind: 'produce',
    modes: ['fsync', 'no-fsync'],
    columns: ['throughput', 'bandwidth'],
    recordBytes: 100,
    outstandingRecords: 32_768,
  },
  {
    name: 'produce-1k',
    title: 'produce records of 1 KiB, saturating',
    kind: 'produce',
    modes: ['fsync', 'no-fsync'],
    columns: ['bandwidth', 'throughput'],
    recordBytes: 1_024,
    outstandingRecords: 8_192,
  },
  {
    name: 'fetch-1k',
    title: 'read back records of 1 KiB from the page cache',
    kind: 'fetch',
    modes: ['default'],
    columns: ['bandwidth', 'throughput'],
    recordBytes: 1_024,
    records: 1_000_000,
  },
  {
    name: 'latency',
    title: '1,000 records of 100 B a second, latency of each',
    kind: 'latency',
    modes: ['fsync', 'no-fsync'],
    columns: ['end_to_end_mean', 'end_to_end_p50', 'end_to_end_p99', 'ack_p50', 'ack_p99'],
    recordBytes: 100,
    ratePerSecond: 1_000,
  },
  {
    name: 'startup',
    title: 'start of the process to first acknowledged record, median',
    kind: 'startup',
    modes: ['default'],
    columns: ['first_ack'],
    repetitions: 3,
  },
];
