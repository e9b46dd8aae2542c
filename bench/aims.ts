import type { Row } from './rows.ts';
import type { SystemName } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { formatNumber, renderColumns } from './table.ts';

/** One figure of a run. */
export type Figure = Pick<Row, 'scenario' | 'system' | 'mode' | 'metric'>;

/** What Varve is to reach, measured in one run. */
export interface Aim {
  readonly work: string;
  /** In words. */
  readonly aim: string;
  readonly of: Figure;
  readonly isAtLeast: boolean;
  /**
   * Reached if one of them is: `factor` times the figure of another system or scenario, or, without
   * such a figure, `factor` itself.
   */
  readonly bounds: readonly Bound[];
}

interface Bound {
  readonly factor: number;
  readonly of?: Figure;
}

const figure =
  (system: SystemName, mode: Row['mode'] = 'default') =>
  (scenario: string, metric: string): Figure => ({ scenario, system, mode, metric });

const durable = figure('varve', 'fsync');
const varve = figure('varve');
const kafka = figure('kafka');
const kafkaNoFsync = figure('kafka', 'no-fsync');
const natsNoFsync = figure('nats', 'no-fsync');
const limit = figure('limit', 'fsync');

const fetched = (size: string, title: string): Aim[] =>
  [
    { name: `fetch-${size}-batches`, by: 'by batch iterator', factor: 2 },
    { name: `fetch-${size}`, by: 'by record iterator', factor: 1 },
  ].map(({ name, by, factor }) => ({
    work: `fetch ${title}, every record decoded and touched, ${by}`,
    aim: `≥ ${factor}× Kafka's consumer`,
    of: varve(name, 'throughput'),
    isAtLeast: true,
    bounds: [{ factor, of: kafka(`fetch-${size}`, 'throughput') }],
  }));

const atOneThousandASecond = (name: string, metric: string): Aim => ({
  work: `one record end to end, durable, ${name}`,
  aim: '≤ 0.5× Kafka without fsync',
  of: durable('latency-1000ps', metric),
  isAtLeast: false,
  bounds: [{ factor: 0.5, of: kafkaNoFsync('latency-1000ps', metric) }],
});

/** Every pair of a scenario that sets systems against each other. */
const pairs: readonly Aim[] = scenarios.flatMap(({ name, against = {} }) =>
  Object.entries(against).map(([own, other]) => ({
    work: `${name}, ${own}`,
    aim: `≥ 1.0× ${other}`,
    of: figure(own as SystemName)(name, 'throughput'),
    isAtLeast: true,
    bounds: [{ factor: 1, of: figure(other)(name, 'throughput') }],
  })),
);

export const aims: readonly Aim[] = [
  ...[2, 3].map((factor) => ({
    work: 'produce 100 B, 1 partition, durable',
    aim: `≥ ${factor}× Kafka with 256-KiB batches without fsync`,
    of: durable('produce-100b', 'throughput'),
    isAtLeast: true,
    bounds: [{ factor, of: kafkaNoFsync('produce-100b', 'throughput') }],
  })),
  {
    work: 'produce 100 B, 1 partition, durable',
    aim: '≥ 4× NATS fast ingest',
    of: durable('produce-100b', 'throughput'),
    isAtLeast: true,
    bounds: [{ factor: 4, of: natsNoFsync('produce-100b', 'throughput') }],
  },
  {
    work: 'produce 1 KiB, durable',
    aim: '≥ the lower of 2× Kafka without fsync and 0.7 of the limit',
    of: durable('produce-1k', 'throughput'),
    isAtLeast: true,
    bounds: [
      { factor: 2, of: kafkaNoFsync('produce-1k', 'throughput') },
      { factor: 0.7, of: limit('produce-1k', 'throughput') },
    ],
  },
  ...fetched('1k', '1 KiB'),
  ...fetched('100b', '100 B'),
  atOneThousandASecond('mean', 'end_to_end_mean'),
  atOneThousandASecond('p99', 'end_to_end_p99'),
  {
    work: '1,000 partitions, durable',
    aim: '≥ 0.7 of 10 partitions',
    of: durable('produce-p1000', 'throughput'),
    isAtLeast: true,
    bounds: [{ factor: 0.7, of: durable('produce-p10', 'throughput') }],
  },
  {
    work: 'process start to first acknowledged record, built package',
    aim: "≤ 1/10 of Kafka's",
    of: varve('startup', 'first_ack'),
    isAtLeast: false,
    bounds: [{ factor: 0.1, of: kafka('startup', 'first_ack') }],
  },
  {
    work: 'idle memory',
    aim: "≤ 1/4 of Kafka's",
    of: varve('memory', 'idle_rss'),
    isAtLeast: false,
    bounds: [{ factor: 0.25, of: kafka('memory', 'idle_rss') }],
  },
  {
    work: 'restart after kill -9, all scanned',
    aim: '≤ 2 s per GiB',
    of: varve('restart-scan', 'first_ack_per_gib'),
    isAtLeast: false,
    bounds: [{ factor: 2 }],
  },
  {
    work: 'clean restart with 1,000 partitions',
    aim: '≤ 3 s',
    of: varve('restart-p1000', 'first_ack'),
    isAtLeast: false,
    bounds: [{ factor: 3_000 }],
  },
  ...pairs,
];

export interface Finding {
  readonly work: string;
  readonly aim: string;
  readonly measured: string;
  /** `undefined` where a figure is missing. */
  readonly isMet: boolean | undefined;
  /** When the run began, where it was measured. */
  readonly time?: string;
}

/** How an aim is met by the rows of one run. */
export function judge({ work, aim, of, isAtLeast, bounds }: Aim, rows: readonly Row[]): Finding {
  const own = find(of, rows);
  const against = bounds.map((bound) =>
    bound.of === undefined ? undefined : find(bound.of, rows),
  );
  if (own === undefined || bounds.some((bound, i) => bound.of && against[i] === undefined)) {
    return { work, aim, measured: 'not measured', isMet: undefined };
  }
  const isMet = bounds.some(({ factor }, i) => {
    const bar = factor * (against[i]?.value ?? 1);
    return isAtLeast ? own.value >= bar : own.value <= bar;
  });
  const measured = bounds.map((_, i) => describe(own, against[i])).join(' and ');
  return { work, aim, measured, isMet, time: own.time };
}

function describe(own: Row, against: Row | undefined): string {
  const figureOf = ({ value, unit }: Row) => `${formatNumber(value)} ${unit}`;
  if (against === undefined) return figureOf(own);
  const other = own.system === against.system ? against.scenario : against.system;
  return `${formatNumber(own.value / against.value, 2)}× ${other} (${figureOf(own)}, ${figureOf(against)})`;
}

function find(figure: Figure, rows: readonly Row[]): Row | undefined {
  return rows.find((row) =>
    (['scenario', 'system', 'mode', 'metric'] as const).every((key) => row[key] === figure[key]),
  );
}

/** For the newest run that holds all that an aim needs. */
export function judgeNewest(aim: Aim, runs: readonly (readonly Row[])[]): Finding {
  const findings = runs.toReversed().map((rows) => judge(aim, rows));
  return findings.find(({ isMet }) => isMet !== undefined) ?? judge(aim, []);
}

export function renderFindings(findings: readonly Finding[]): string {
  return renderColumns([
    ['work', 'aim', 'measured', 'met?'],
    ...findings.map(({ work, aim, measured, isMet }) => [work, aim, measured, verdict(isMet)]),
  ]);
}

export function verdict(isMet: boolean | undefined): string {
  return isMet === undefined ? '–' : isMet ? 'yes' : 'NO';
}
