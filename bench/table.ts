import type { Outcome } from './rows.ts';
import type { Scenario } from './scenario.ts';
import type { Metric } from './system.ts';

/**
 * The outcomes of one scenario as text. Behind each figure stands its ratio to that of the system that
 * it is set against, in the same mode and run. That is the machine's limit if the scenario names no
 * other: `0.25×` of a throughput is a quarter of what the machine could do, `3.0×` of a latency is
 * three times the least it could be.
 */
export function renderScenario(scenario: Scenario, outcomes: readonly Outcome[]): string {
  const own = outcomes.filter((outcome) => outcome.scenario === scenario.name);
  const header = [
    'mode',
    'system',
    ...scenario.columns.map((name) => heading(name, own)),
    'measured on',
  ];
  const lines = own.map((outcome) => [
    outcome.mode,
    outcome.system,
    ...scenario.columns.map((name) => cell(name, outcome, basisFor(outcome, scenario, own))),
    extent(outcome),
  ]);
  return `${scenario.name}: ${scenario.title}\n${renderColumns([header, ...lines], 2)}`;
}

function basisFor(
  outcome: Outcome,
  { against }: Scenario,
  outcomes: readonly Outcome[],
): Outcome | undefined {
  const basis = against === undefined ? 'limit' : against[outcome.system];
  if (outcome.system === basis) return undefined;
  return outcomes.find(({ system, mode }) => system === basis && mode === outcome.mode);
}

function heading(name: string, outcomes: readonly Outcome[]): string {
  const unit = outcomes.map((outcome) => metricOf(name, outcome)?.unit).find(Boolean);
  return `${name.replaceAll('_', ' ')}${unit === undefined ? '' : `, ${unit}`}`;
}

function cell(name: string, outcome: Outcome, basis: Outcome | undefined): string {
  const metric = metricOf(name, outcome);
  if (metric === undefined) return '–';
  const bound = basis && metricOf(name, basis);
  const ratio = bound === undefined ? '' : ` (${formatNumber(metric.value / bound.value, 2)}×)`;
  return `${formatNumber(metric.value)}${ratio}`;
}

function extent({ measurement: { records, seconds } }: Outcome): string {
  return `${Math.round(records).toLocaleString('en-US')} in ${seconds.toFixed(1)} s`;
}

function metricOf(name: string, outcome: Outcome): Metric | undefined {
  return outcome.measurement.metrics.find((metric) => metric.name === name);
}

/** Three digits, as many as such a figure deserves: 1,234,567 as 1,230,000 and 0.1234 as 0.123. */
export function formatNumber(value: number, digits = 3): string {
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(digits));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  const decimals = Math.min(6, Math.max(0, digits - 1 - magnitude));
  return rounded.toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** Columns as wide as their widest cell; those after the first `left` ones end at the right. */
export function renderColumns(
  rows: readonly (readonly string[])[],
  left = Number.POSITIVE_INFINITY,
): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((text, column) =>
          column < left ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
        )
        .join('  '),
    )
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n');
}
