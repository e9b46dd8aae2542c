import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aims, judgeNewest, verdict } from '../aims.ts';
import type { Row } from '../rows.ts';
import type { Mode, Scenario, SystemName } from '../scenario.ts';
import { groups, scenarios } from '../scenarios.ts';
import { formatNumber } from '../table.ts';
import { type Bar, type Panel, renderChart } from './chart.ts';

/** Writes `summary.md` and a chart a group; returns their paths. Rows of scenarios no longer known are left out. */
export function writeReport(rows: readonly Row[], folder: string): string[] {
  const files = renderReport(rows);
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  return [...files.keys()].map((name) => join(folder, name));
}

/** Texts by the name of their file. */
export function renderReport(rows: readonly Row[]): Map<string, string> {
  const files = new Map<string, string>();
  const sections: string[] = [];
  for (const group of groups) {
    const measured = scenarios
      .filter((scenario) => scenario.group === group)
      .map((scenario) => ({ scenario, rows: newestOf(scenario, rows) }))
      .filter((one) => one.rows.length > 0);
    if (measured.length === 0) continue;
    files.set(`${group}.svg`, renderChart(measured.flatMap(panelsOf)));
    sections.push(`## ${group}\n\n![${group}](${group}.svg)\n\n${table(measured)}`);
  }
  files.set('summary.md', `${HEAD}\n\n${aimsTable(rows)}\n\n${sections.join('\n\n')}\n`);
  return files;
}

const HEAD = `# What the bench measured

Made by \`npm run bench -- --report\` from the rows beside it, of each scenario from the newest run; \`bench/README.md\`
says what is measured and what the figures do not say. \`fsync\`: a record is acknowledged after an fsync; \`no-fsync\`:
from the page cache; \`default\`: as each system comes.`;

interface Measured {
  readonly scenario: Scenario;
  /** Of one run. */
  readonly rows: readonly Row[];
}

/** Figures of different runs must not stand side by side. */
function newestOf({ name }: Scenario, rows: readonly Row[]): Row[] {
  const own = rows.filter(({ scenario }) => scenario === name);
  const newest = own
    .map(({ time }) => time)
    .sort()
    .at(-1);
  return own.filter(({ time }) => time === newest);
}

/** The rows of each run, oldest first. */
function runsOf(rows: readonly Row[]): Row[][] {
  const times = [...new Set(rows.map(({ time }) => time))].sort();
  return times.map((time) => rows.filter((row) => row.time === time));
}

function aimsTable(rows: readonly Row[]): string {
  const runs = runsOf(rows);
  const lines = aims
    .map((aim) => judgeNewest(aim, runs))
    .map(({ work, aim, measured, isMet, time = '' }) => [
      work,
      aim,
      measured,
      verdict(isMet),
      time,
    ]);
  return `## aims\n\n${markdownTable([['work', 'aim', 'measured', 'met?', 'run'], ...lines])}`;
}

function panelsOf({ scenario, rows }: Measured): Panel[] {
  return scenario.columns.slice(0, scenario.chartedColumns ?? 1).flatMap((metric) => {
    const own = rows.filter((row) => row.metric === metric);
    const bars = own
      .toSorted((a, b) => order(a.system) - order(b.system))
      .map(
        ({ system, mode, value }): Bar => ({
          label: mode === 'default' ? titles[system] : `${titles[system]}, ${mode}`,
          system,
          value,
        }),
      );
    const title = `${scenario.name}: ${metric.replaceAll('_', ' ')}`;
    return bars.length === 0 ? [] : [{ title, unit: own[0]!.unit, bars }];
  });
}

/** In this order, so that what is loaded by the same client stands side by side. */
const titles: Readonly<Record<SystemName, string>> = {
  varve: 'Varve',
  'varve-kafka': 'Varve by Kafka’s client',
  kafka: 'Kafka',
  'varve-perf': 'Varve by perf tool',
  'kafka-perf': 'Kafka by perf tool',
  'varve-librdkafka': 'Varve by librdkafka',
  'kafka-librdkafka': 'Kafka by librdkafka',
  nats: 'NATS',
  limit: 'limit',
};
const allSystems = Object.keys(titles) as SystemName[];
const order = (system: SystemName): number => allSystems.indexOf(system);

function table(measured: readonly Measured[]): string {
  const systems = allSystems.filter((system) =>
    measured.some(({ rows }) => rows.some((row) => row.system === system)),
  );
  const lines = measured.flatMap(({ scenario, rows }) =>
    scenario.modes.flatMap((mode) =>
      scenario.columns.map((metric) => line(rows, mode, metric, systems)),
    ),
  );
  const present = lines.filter((cells) => cells !== undefined);
  const header = ['scenario', 'mode', 'figure', ...systems.map((system) => titles[system])];
  const runs = new Map(measured.map(({ rows }) => [rows[0]!.time, rows]));
  const notes = [...runs.values()].map(noteOf).join('\n');
  return `${markdownTable([header, ...present])}\n\n${notes}`;
}

function line(
  rows: readonly Row[],
  mode: Mode,
  metric: string,
  systems: readonly SystemName[],
): string[] | undefined {
  const own = rows.filter((row) => row.mode === mode && row.metric === metric);
  const [first] = own;
  if (first === undefined) return undefined;
  const name = `${metric.replaceAll('_', ' ')}, ${first.unit}`;
  const cells = systems.map((system) => {
    const row = own.find((one) => one.system === system);
    return row === undefined ? '' : formatNumber(row.value);
  });
  return [first.scenario, mode, name, ...cells];
}

function noteOf(rows: readonly Row[]): string {
  const { time, commit, machine } = rows[0]!;
  const loads = rows.flatMap(({ load }) => (load === undefined ? [] : [load[0]]));
  const least = loads.length === 0 ? '' : `, load average from ${Math.min(...loads)} at a start`;
  return `- ${time}, commit ${commit}, ${machine}${least}`;
}

function markdownTable([header, ...rows]: readonly (readonly string[])[]): string {
  const lineOf = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [lineOf(header!), lineOf(header!.map(() => '---')), ...rows.map(lineOf)].join('\n');
}
