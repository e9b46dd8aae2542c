/** What every client is put through: the rows of the table, and the names that the programs use. */
export const FEATURES = [
  'metadata',
  'produce and fetch, none',
  'produce and fetch, gzip',
  'produce and fetch, snappy',
  'produce and fetch, lz4',
  'produce and fetch, zstd',
  'headers',
  'null keys',
  'null values',
  'a record of 900 KB',
  '10,000 records in order, pipelined, idempotent',
  'acks 0',
  'acks 1',
  'acks all',
  'seek by time',
  'earliest and latest offsets',
  'offset of the largest timestamp',
  'read a partition from an offset',
  'a long poll is woken by a produce',
  'produce through a broker restart',
  'create a topic with settings',
  'create a topic that exists',
  'create a topic with an invalid name',
  'create partitions',
  'delete a topic',
  'unknown topic',
  'describe configs',
  'alter configs, incremental',
  'alter configs, full',
  'unknown config',
  'delete records',
  'describe the cluster',
  'describe log dirs',
  'describe producers',
  'three brokers',
  'named listeners',
  'TLS',
  'mutual TLS',
] as const;

export type Feature = (typeof FEATURES)[number];

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

/** What became of one feature with one client. */
export interface Outcome {
  readonly ok: boolean | 'unsupported';
  /** Why it failed, or why the client cannot. */
  readonly detail: string;
}

/** Of one client; whatever it did not tell about failed. */
export type Outcomes = ReadonlyMap<Feature, Outcome>;

export const isFeature = (name: unknown): name is Feature =>
  (FEATURES as readonly unknown[]).includes(name);
