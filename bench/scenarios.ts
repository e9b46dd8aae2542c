import type {
  CatchUpScenario,
  FetchScenario,
  LatencyScenario,
  Mode,
  ProduceScenario,
  RestartScenario,
  Scenario,
  SystemName,
} from './scenario.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const DURABILITIES: readonly Mode[] = ['fsync', 'no-fsync'];
const ALL: readonly SystemName[] = ['limit', 'varve', 'varve-kafka', 'kafka', 'nats'];
const BROKERS: readonly SystemName[] = ['varve', 'kafka', 'nats'];
/** A stream of NATS has no partitions. */
const PARTITIONED: readonly SystemName[] = ['limit', 'varve', 'varve-kafka', 'kafka'];

function produce(
  name: string,
  title: string,
  how: Pick<ProduceScenario, 'group' | 'recordBytes' | 'outstandingRecords'> &
    Partial<ProduceScenario>,
): ProduceScenario {
  return {
    name: `produce-${name}`,
    title: `produce records of ${title}, saturating`,
    kind: 'produce',
    modes: DURABILITIES,
    systems: ALL,
    columns: how.recordBytes < KIB ? ['throughput', 'bandwidth'] : ['bandwidth', 'throughput'],
    partitions: 1,
    clients: 1,
    ...how,
  };
}

/** Enough bytes in flight for full batches, and few enough not to wait for memory. */
const PRODUCED: readonly ProduceScenario[] = [
  produce('100b', '100 B', { group: 'produce', recordBytes: 100, outstandingRecords: 32_768 }),
  produce('1k', '1 KiB', { group: 'produce', recordBytes: KIB, outstandingRecords: 8_192 }),
  produce('16k', '16 KiB', { group: 'produce', recordBytes: 16 * KIB, outstandingRecords: 1_024 }),
  produce('1m', '1 MiB', { group: 'produce', recordBytes: MIB, outstandingRecords: 24 }),
  ...[10, 100, 1_000].map((partitions) =>
    produce(`p${partitions}`, `100 B to ${partitions.toLocaleString('en-US')} partitions`, {
      group: 'partitions',
      systems: PARTITIONED,
      recordBytes: 100,
      outstandingRecords: 131_072,
      partitions,
    }),
  ),
  produce('c50', '100 B from 50 clients', {
    group: 'clients',
    recordBytes: 100,
    outstandingRecords: 50 * 1_000,
    clients: 50,
  }),
];

/** Varve is read by record and by batch: `NAME` and `NAME-batches`. */
function fetch(
  name: string,
  title: string,
  how: Pick<FetchScenario, 'group' | 'recordBytes' | 'records'> & Partial<FetchScenario>,
): FetchScenario[] {
  const byRecord: FetchScenario = {
    name: `fetch-${name}`,
    title: `read back records of ${title} from the page cache`,
    kind: 'fetch',
    modes: ['default'],
    systems: ALL,
    columns: how.recordBytes < KIB ? ['throughput', 'bandwidth'] : ['bandwidth', 'throughput'],
    partitions: 1,
    clients: 1,
    by: 'record',
    ...how,
  };
  const byBatch: FetchScenario = {
    ...byRecord,
    name: `${byRecord.name}-batches`,
    title: `${byRecord.title}, batch by batch`,
    systems: ['limit', 'varve'],
    by: 'batch',
  };
  return [byRecord, byBatch];
}

const FETCHED: readonly FetchScenario[] = [
  ...fetch('100b', '100 B', { group: 'fetch', recordBytes: 100, records: 3_000_000 }),
  ...fetch('1k', '1 KiB', { group: 'fetch', recordBytes: KIB, records: 1_000_000 }),
  ...fetch('16k', '16 KiB', { group: 'fetch', recordBytes: 16 * KIB, records: 64_000 }),
  ...fetch('1m', '1 MiB', { group: 'fetch', recordBytes: MIB, records: 1_000 }),
  ...fetch('p1000', '1 KiB in 1,000 partitions', {
    group: 'partitions',
    systems: PARTITIONED,
    recordBytes: KIB,
    records: 200_000,
    partitions: 1_000,
  }),
  ...fetch('c50', '1 KiB by 50 clients', {
    group: 'clients',
    recordBytes: KIB,
    records: 20_000,
    clients: 50,
  }),
];

/** Each server as it comes, Varve with an fsync and Kafka without; the same client on both, one after the other. */
function throughDoor(
  scenario: ProduceScenario | FetchScenario,
  against: NonNullable<Scenario['against']>,
): Scenario {
  const { name, title, kind } = scenario;
  const durability = kind === 'produce' ? '; Varve with fsync, Kafka without' : '';
  return {
    ...scenario,
    name: `door-${name}`,
    group: 'door',
    title: `${title}, by Kafka's clients${durability}`,
    modes: ['default'],
    systems: Object.entries(against).flat() as SystemName[],
    against,
    columns: ['throughput', 'client_cpu', 'server_cpu'],
  };
}

/** Kafka's own tool for reading joins a group. */
const READERS = { 'varve-kafka': 'kafka', 'varve-librdkafka': 'kafka-librdkafka' } as const;
const WRITERS = { 'varve-perf': 'kafka-perf', ...READERS } as const;

const THROUGH_DOOR: readonly Scenario[] = [
  ...PRODUCED.filter(({ group, recordBytes }) => group === 'produce' && recordBytes <= KIB).map(
    (scenario) => throughDoor(scenario, WRITERS),
  ),
  ...FETCHED.filter(
    ({ group, recordBytes, by }) => group === 'fetch' && recordBytes <= KIB && by === 'record',
  ).map((scenario) => throughDoor(scenario, READERS)),
];

const LATENCIES: readonly LatencyScenario[] = [100, 1_000, 10_000].map((ratePerSecond) => ({
  name: `latency-${ratePerSecond}ps`,
  group: 'latency',
  title: `${ratePerSecond.toLocaleString('en-US')} records of 100 B a second, latency of each`,
  kind: 'latency',
  modes: DURABILITIES,
  systems: ALL,
  columns: [
    'end_to_end_p50',
    'end_to_end_p99',
    'end_to_end_mean',
    'end_to_end_p999',
    'ack_p50',
    'ack_p99',
  ],
  chartedColumns: 2,
  recordBytes: 100,
  ratePerSecond,
}));

const CATCH_UP: CatchUpScenario = {
  name: 'catch-up',
  group: 'catch-up',
  title: '1,000 records of 1 KiB a second while another client reads 1 GB of older ones',
  kind: 'catch-up',
  modes: DURABILITIES,
  systems: BROKERS,
  columns: ['end_to_end_p50', 'end_to_end_p99', 'bandwidth', 'ack_p99'],
  chartedColumns: 3,
  recordBytes: KIB,
  ratePerSecond: 1_000,
  records: 1_000_000,
};

function restart(
  name: string,
  title: string,
  how: Pick<RestartScenario, 'partitions' | 'records' | 'end'> & Partial<RestartScenario>,
): RestartScenario {
  return {
    name: `restart-${name}`,
    group: 'restart',
    title: `restart ${title}, to the first acknowledged record`,
    kind: 'restart',
    modes: ['default'],
    systems: BROKERS,
    columns: ['first_ack'],
    recordBytes: KIB,
    ...how,
  };
}

const GIB_OF_RECORDS = MIB;

const RESTARTS: readonly RestartScenario[] = [
  restart('clean', 'after a stop, 1 GiB', { partitions: 1, records: GIB_OF_RECORDS, end: 'stop' }),
  restart('kill', 'after kill -9, 1 GiB', { partitions: 1, records: GIB_OF_RECORDS, end: 'kill' }),
  restart('scan', 'after kill -9, 1 GiB that must all be scanned', {
    systems: ['varve'],
    columns: ['first_ack', 'first_ack_per_gib'],
    partitions: 1,
    records: GIB_OF_RECORDS,
    end: 'kill',
    // Nothing is marked as durable, so that nothing may be trusted.
    settings: ['log.marks.interval.ms=1h'],
  }),
  restart('p1000', 'after a stop, 1,000 partitions', {
    systems: PARTITIONED.filter((system) => system !== 'limit'),
    partitions: 1_000,
    records: 200_000,
    end: 'stop',
  }),
];

export const scenarios: readonly Scenario[] = [
  ...PRODUCED,
  ...FETCHED,
  ...THROUGH_DOOR,
  ...LATENCIES,
  CATCH_UP,
  {
    name: 'startup',
    group: 'startup',
    title: 'start of the process to first acknowledged record, median',
    kind: 'startup',
    modes: ['default'],
    systems: ALL,
    columns: ['first_ack'],
    repetitions: 5,
  },
  ...RESTARTS,
  {
    name: 'memory',
    group: 'memory',
    title: 'resident memory of the server, idle and at most while 1-KiB records are produced',
    kind: 'memory',
    modes: ['default'],
    systems: ALL,
    columns: ['idle_rss', 'loaded_rss', 'packages_rss'],
    chartedColumns: 2,
    recordBytes: KIB,
    outstandingRecords: 8_192,
  },
  {
    name: 'connections',
    group: 'connections',
    title: '500 Kafka clients sending 100 B every 200 ms, alone and beside 5,000 idle ones',
    kind: 'connections',
    modes: ['default'],
    systems: ['varve', 'kafka'],
    columns: ['rss_per_connection', 'ack_alone_p50', 'ack_alone_p99', 'ack_p50', 'ack_p99'],
    idle: 5_000,
    active: 500,
    ratePerSecond: 2_500,
    recordBytes: 100,
  },
  {
    name: 'embedded',
    group: 'embedded',
    title: 'a broker inside a test: the first with all imports, another, and 100 at a time',
    kind: 'embedded',
    modes: ['default'],
    systems: ['varve'],
    columns: ['first_ready', 'ready', 'all_ready', 'rss_per_broker'],
    chartedColumns: 3,
    brokers: 100,
  },
];

/** In the order of the table. */
export const groups: readonly string[] = [...new Set(scenarios.map(({ group }) => group))];
