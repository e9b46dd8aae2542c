import { expect, it } from 'vitest';
import { LogReports } from '../../../src/log/log-reports.ts';
import type { Damage } from '../../../src/log/segment-survey.ts';
import { offset } from '../../../src/model/ids.ts';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';

const damageAt = (position: number): Damage => ({
  ...{ position, end: position + 80, problem: 'a batch fails its checksum' },
  ...{ fromOffset: offset(7), toOffset: offset(9) },
});

it('tells of each place once, with partition, file, byte and offsets, and counts it', async () => {
  const lines: object[] = [];
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const error = (fields: object): number => lines.push(fields);
  const reports = new LogReports({ info: () => {}, warn: () => {}, error }, metrics);
  const path = '/data/orders-3/00000000000000000000.log';
  for (let i = 0; i < 3; i++) reports.damaged(path, damageAt(123), 'read');
  reports.damaged(path, damageAt(900), 'scrub');
  reports.damaged(path, damageAt(123), 'scrub');
  expect(lines).toEqual([
    expect.objectContaining({
      ...{ partition: 'orders-3', file: path, position: 123, bytes: 80 },
      ...{ fromOffset: 7, toOffset: 9, foundBy: 'read', problem: 'a batch fails its checksum' },
    }),
    expect.objectContaining({ position: 900, foundBy: 'scrub' }),
  ]);
  const text = await metrics.expose();
  expect(text).toContain('varve_log_corrupt_batches_total{found_by="read"} 1');
  expect(text).toContain('varve_log_corrupt_batches_total{found_by="scrub"} 1');
});

it('counts files that were made anew by what they hold', async () => {
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const warnings: string[] = [];
  const warn = (_: object, message: string): number => warnings.push(message);
  const reports = new LogReports({ info: () => {}, warn, error: () => {} }, metrics);
  reports.rebuilt('index', 'a', 'why');
  reports.rebuilt('producers', 'a', 'why');
  reports.rebuilt('index', 'b', 'why');
  expect(warnings).toContain('indexes were made anew');
  const text = await metrics.expose();
  expect(text).toContain('varve_log_rebuilt_files_total{file="index"} 2');
  expect(text).toContain('varve_log_rebuilt_files_total{file="producers"} 1');
});
