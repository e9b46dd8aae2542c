/** Of Kafka and of Varve's Kafka door behind a dash what loads them, where it is not Kafka's client. */
export type SystemName =
  | 'limit'
  | 'varve'
  | 'varve-kafka'
  | 'varve-perf'
  | 'varve-librdkafka'
  | 'kafka'
  | 'kafka-perf'
  | 'kafka-librdkafka'
  | 'nats';

/**
 * - `fsync`: an acknowledged record has been fsynced. - `no-fsync`: it is in the page cache.
 * - `default`: the question does not arise, each system runs as it comes.
 */
export type Mode = 'fsync' | 'no-fsync' | 'default';

interface ScenarioBase {
  readonly name: string;
  /** What is run and charted together. */
  readonly group: string;
  /** One line for `--list` and for the heading of the table. */
  readonly title: string;
  readonly modes: readonly Mode[];
  /** In the order of the measurements. */
  readonly systems: readonly SystemName[];
  /** To whose figures those of a system stand in a ratio; to the machine's limit if not given. */
  readonly against?: Readonly<Partial<Record<SystemName, SystemName>>>;
  /** The metrics shown in the table, most important first; rows carry all of them. */
  readonly columns: readonly string[];
  /** How many of the columns have bars of their own in the chart; 1 if not given. */
  readonly chartedColumns?: number;
}

/** What is sent: values of random bytes, to one topic on one broker, not compressed. */
interface Records {
  readonly recordBytes: number;
  /** With more than one, each record has a key of its own, so that all get equally many. */
  readonly partitions: number;
  /** Connections with a producer or consumer each, in one process. */
  readonly clients: number;
}

/** As many records as the system takes, with a bounded number waiting for their acknowledgement. */
export interface ProduceScenario extends ScenarioBase, Records {
  readonly kind: 'produce';
  /** Of all clients together. */
  readonly outstandingRecords: number;
}

/**
 * Reads back `records` records from the page cache, again and again until the time is up, decodes
 * each and touches its value. With several clients each reads all of them.
 */
export interface FetchScenario extends ScenarioBase, Records {
  readonly kind: 'fetch';
  readonly records: number;
  /** Which iterator of Varve's client; others have but one. */
  readonly by: 'record' | 'batch';
}

/** Single records at a fixed rate, each timed from the moment it was due to be sent. */
export interface LatencyScenario extends ScenarioBase {
  readonly kind: 'latency';
  readonly recordBytes: number;
  readonly ratePerSecond: number;
}

/** The same, while another process reads back `records` older records as fast as it can. */
export interface CatchUpScenario extends ScenarioBase {
  readonly kind: 'catch-up';
  readonly recordBytes: number;
  readonly ratePerSecond: number;
  readonly records: number;
}

/** From the start of the server's process, on an empty folder, to the first acknowledged record. */
export interface StartupScenario extends ScenarioBase {
  readonly kind: 'startup';
  readonly repetitions: number;
}

/** The same on a folder that holds records, after the server was stopped or killed. */
export interface RestartScenario extends ScenarioBase {
  readonly kind: 'restart';
  readonly recordBytes: number;
  readonly partitions: number;
  readonly records: number;
  readonly end: 'stop' | 'kill';
  /** Of Varve's broker, beyond its defaults. */
  readonly settings?: readonly string[];
}

/** Resident memory of the server's process: after a start, and at most under a produce load. */
export interface MemoryScenario extends ScenarioBase {
  readonly kind: 'memory';
  readonly recordBytes: number;
  readonly outstandingRecords: number;
}

/**
 * Connections of Kafka clients that have said hello and then nothing, and what they take of the server's
 * memory; others that send single records in turn, with and without those beside them.
 */
export interface ConnectionsScenario extends ScenarioBase {
  readonly kind: 'connections';
  readonly idle: number;
  readonly active: number;
  /** Of all active ones together. */
  readonly ratePerSecond: number;
  readonly recordBytes: number;
}

/** Brokers within a process, as tests use them. */
export interface EmbeddedScenario extends ScenarioBase {
  readonly kind: 'embedded';
  readonly brokers: number;
}

/** What the bench measures, as data. */
export type Scenario =
  | ProduceScenario
  | FetchScenario
  | LatencyScenario
  | CatchUpScenario
  | StartupScenario
  | RestartScenario
  | MemoryScenario
  | ConnectionsScenario
  | EmbeddedScenario;

export type ScenarioOf<Kind extends Scenario['kind']> = Extract<Scenario, { readonly kind: Kind }>;
