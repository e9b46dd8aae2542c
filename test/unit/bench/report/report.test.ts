import { expect, test } from 'vitest';
import { renderReport } from '../../../../bench/report/report.ts';
import { row } from '../rows.ts';

const rows = [
  row({ system: 'limit', metric: 'bandwidth', unit: 'MB/s', value: 300 }),
  row({ metric: 'bandwidth', unit: 'MB/s', value: 150 }),
  row({ system: 'kafka', mode: 'no-fsync', metric: 'bandwidth', unit: 'MB/s', value: 75 }),
];

test('there is a chart for each group with rows, and the summary shows it', () => {
  const files = renderReport([
    ...rows,
    row({ scenario: 'startup', mode: 'default', metric: 'first_ack' }),
  ]);
  expect([...files.keys()]).toEqual(['produce.svg', 'startup.svg', 'summary.md']);
  expect(files.get('summary.md')).toContain('![produce](produce.svg)');
});

test('the table has a line for each figure and mode and a column for each system that was measured', () => {
  const lines = renderReport(rows).get('summary.md')!.split('\n');
  expect(lines).toContain('| scenario | mode | figure | Varve | Kafka | limit |');
  expect(lines).toContain('| produce-1k | fsync | bandwidth, MB/s | 150 |  | 300 |');
  expect(lines).toContain('| produce-1k | no-fsync | bandwidth, MB/s |  | 75.0 |  |');
  expect(lines).toContain(
    '- 2026-11-21T00:00:00.000Z, commit abc, a machine, load average from 0.25 at a start',
  );
});

test('only the newest run of a scenario is shown', () => {
  const newer = row({
    metric: 'bandwidth',
    unit: 'MB/s',
    value: 160,
    time: '2026-11-22T00:00:00.000Z',
  });
  const summary = renderReport([newer, ...rows]).get('summary.md')!;
  expect(summary).toContain('| produce-1k | fsync | bandwidth, MB/s | 160 |');
  expect(summary).not.toContain('| 150 |');
});

test('the aims stand in it, open where figures are missing', () => {
  expect(renderReport(rows).get('summary.md')).toMatch(/\| not measured \| – \| {2}\|/);
});

test('rows of scenarios that are no longer there are left out', () => {
  expect([...renderReport([row({ scenario: 'gone' })]).keys()]).toEqual(['summary.md']);
});
