import { describe, expect, test } from 'vitest';
import { aims } from '../../../bench/aims.ts';
import { latencyMetrics } from '../../../bench/load/latency-summary.ts';
import type { Scenario, SystemName } from '../../../bench/scenario.ts';
import { groups, scenarios } from '../../../bench/scenarios.ts';
import { restart, startup, throughput } from '../../../bench/system.ts';

const percentiles = ['p10', 'p25', 'p50', 'p75', 'p90', 'p95', 'p99', 'p999', 'p9999'];
const summary = {
  count: 1,
  ...Object.fromEntries(['mean', ...percentiles, 'max'].map((name) => [name, 1])),
};
const latencies = ['ack', 'end_to_end'].flatMap((prefix) => latencyMetrics(prefix, summary));

/** The names of the metrics that a system can report for a scenario. */
function metricsOf(scenario: Scenario): string[] {
  const namesOf = (metrics: readonly { readonly name: string }[]) =>
    metrics.map(({ name }) => name);
  switch (scenario.kind) {
    case 'produce':
    case 'fetch':
      return [
        ...namesOf(throughput(1, scenario.recordBytes, 1).metrics),
        'client_cpu',
        'server_cpu',
      ];
    case 'latency':
      return namesOf(latencies);
    case 'catch-up':
      return namesOf([...latencies, ...throughput(1, 1, 1).metrics]);
    case 'startup':
      return namesOf(startup([1]).metrics);
    case 'restart':
      return namesOf(restart(1, 1, 1).metrics);
    case 'memory':
      return ['idle_rss', 'loaded_rss', 'packages_rss'];
    case 'connections':
      return [
        'rss_per_connection',
        ...namesOf(['ack', 'ack_alone'].flatMap((prefix) => latencyMetrics(prefix, summary))),
      ];
    case 'embedded':
      return ['first_ready', 'ready', 'all_ready', 'rss_per_broker'];
  }
}

describe('the table of scenarios', () => {
  test('no two have the same name, and none that of another group', () => {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(scenarios.length);
    for (const { name, group } of scenarios)
      expect(groups.includes(name) && name !== group).toBe(false);
  });

  test.each(scenarios)('$name shows only metrics that exist, in at least one mode', (scenario) => {
    expect(metricsOf(scenario)).toEqual(expect.arrayContaining([...scenario.columns]));
    expect(scenario.modes.length).toBeGreaterThan(0);
    expect(scenario.systems.some((system) => system.startsWith('varve'))).toBe(true);
  });

  test('whatever an fsync can slow down is measured with and without it', () => {
    for (const { kind, modes, against } of scenarios) {
      // Where systems are set against each other, each runs as it comes.
      const isDurable = ['produce', 'latency', 'catch-up'].includes(kind) && against === undefined;
      expect(modes).toEqual(isDurable ? ['fsync', 'no-fsync'] : ['default']);
    }
  });

  test('what is set against each other is measured by the same client, one after the other', () => {
    for (const { systems, against = {} } of scenarios) {
      for (const [own, other] of Object.entries(against) as [SystemName, SystemName][]) {
        expect(own.replace(/^varve-(kafka)?/, '')).toBe(other.replace(/^kafka-?/, ''));
        expect(systems.indexOf(other)).toBe(systems.indexOf(own) + 1);
      }
    }
  });

  test('every figure of an aim is one that a scenario measures', () => {
    for (const { of, bounds } of aims) {
      for (const figure of [of, ...bounds.map((bound) => bound.of)]) {
        if (figure === undefined) continue;
        const scenario = scenarios.find(({ name }) => name === figure.scenario);
        expect(scenario?.systems).toContain(figure.system);
        expect(scenario?.modes).toContain(figure.mode);
        expect(metricsOf(scenario!)).toContain(figure.metric);
      }
    }
  });
});
