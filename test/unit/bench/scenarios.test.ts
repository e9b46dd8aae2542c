import { describe, expect, test } from 'vitest';
import { latencyMetrics } from '../../../bench/load/latency-summary.ts';
import { type Scenario, scenarios } from '../../../bench/scenarios.ts';
import { startup, throughput } from '../../../bench/system.ts';

const anySummary = { count: 1, mean: 1, p50: 1, p99: 1, p999: 1, max: 1 };

/** The names of the metrics that a system can report for a scenario. */
function metricsOf(scenario: Scenario): string[] {
  switch (scenario.kind) {
    case 'produce':
    case 'fetch':
      return throughput(1, scenario.recordBytes, 1).metrics.map(({ name }) => name);
    case 'latency':
      return ['ack', 'end_to_end']
        .flatMap((prefix) => latencyMetrics(prefix, anySummary))
        .map(({ name }) => name);
    case 'startup':
      return startup([1]).metrics.map(({ name }) => name);
  }
}

describe('the table of scenarios', () => {
  test('no two have the same name', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });

  test.each(scenarios)('$name shows only metrics that exist, in at least one mode', (scenario) => {
    expect(metricsOf(scenario)).toEqual(expect.arrayContaining([...scenario.columns]));
    expect(scenario.modes.length).toBeGreaterThan(0);
  });

  test('whatever an fsync can slow down is measured with and without it', () => {
    for (const { kind, modes } of scenarios) {
      const isDurable = kind === 'produce' || kind === 'latency';
      expect(modes).toEqual(isDurable ? ['fsync', 'no-fsync'] : ['default']);
    }
  });
});
