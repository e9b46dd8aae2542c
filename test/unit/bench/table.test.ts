import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../bench/rows.ts';
import type { Mode, Scenario, SystemName } from '../../../bench/scenario.ts';
import { throughput } from '../../../bench/system.ts';
import { formatNumber, renderScenario } from '../../../bench/table.ts';

const scenario: Scenario = {
  name: 'produce-1k',
  title: 'as many as it takes',
  group: 'produce',
  kind: 'produce',
  modes: ['fsync', 'no-fsync'],
  systems: ['limit', 'varve', 'kafka'],
  columns: ['bandwidth', 'throughput'],
  partitions: 1,
  clients: 1,
  recordBytes: 1_000,
  outstandingRecords: 1,
};

const outcome = (system: SystemName, mode: Mode, records: number): Outcome => ({
  scenario: scenario.name,
  system,
  mode,
  measurement: throughput(records, scenario.recordBytes, 10),
  load: [0, 0],
});

describe('the table on screen', () => {
  test('each figure stands with its ratio to the limit in the same mode', () => {
    const text = renderScenario(scenario, [
      outcome('limit', 'fsync', 4_000_000),
      outcome('varve', 'fsync', 1_000_000),
      outcome('limit', 'no-fsync', 8_000_000),
      outcome('kafka', 'no-fsync', 4_000_000),
    ]);
    expect(text.split('\n')).toEqual([
      'produce-1k: as many as it takes',
      '  mode      system  bandwidth, MB/s  throughput, records/s          measured on',
      '  fsync     limit               400                400,000  4,000,000 in 10.0 s',
      '  fsync     varve       100 (0.25×)        100,000 (0.25×)  1,000,000 in 10.0 s',
      '  no-fsync  limit               800                800,000  8,000,000 in 10.0 s',
      '  no-fsync  kafka       400 (0.50×)        400,000 (0.50×)  4,000,000 in 10.0 s',
    ]);
  });

  test('where systems are set against each other, the ratio is to the other', () => {
    const pair: Scenario = {
      ...scenario,
      modes: ['default'],
      systems: ['varve-librdkafka', 'kafka-librdkafka'],
      against: { 'varve-librdkafka': 'kafka-librdkafka' },
    };
    const text = renderScenario(pair, [
      outcome('varve-librdkafka', 'default', 1_000_000),
      outcome('kafka-librdkafka', 'default', 2_000_000),
    ]);
    expect(text).toMatch(/varve-librdkafka +100 \(0\.50×\) +100,000 \(0\.50×\)/);
    expect(text).toMatch(/kafka-librdkafka +200 +200,000 /);
  });

  test('a metric that a system does not have is a dash, and a missing limit gives no ratio', () => {
    const bare: Outcome = {
      ...outcome('kafka', 'fsync', 0),
      measurement: {
        metrics: [{ name: 'throughput', value: 5, unit: 'records/s' }],
        records: 5,
        seconds: 1,
      },
    };
    expect(renderScenario(scenario, [bare])).toMatch(/kafka +– +5\.00 +5 in 1\.0 s$/);
  });

  test('outcomes of other scenarios are left out', () => {
    const other = { ...outcome('varve', 'fsync', 1), scenario: 'latency' };
    expect(renderScenario(scenario, [other])).not.toContain('varve');
  });

  test.each([
    [1_234_567, '1,230,000'],
    [999_600, '1,000,000'],
    [411.6, '412'],
    [41.16, '41.2'],
    [4.116, '4.12'],
    [0.9996, '1.00'],
    [0.01234, '0.0123'],
    [0, '0'],
  ])('%d is written with three digits as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});
