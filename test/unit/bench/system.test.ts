import { describe, expect, test } from 'vitest';
import { scenarios } from '../../../bench/scenarios.ts';
import { measure, restart, type System, startup, throughput } from '../../../bench/system.ts';

describe('measurements', () => {
  test('a throughput is given in records and in decimal megabytes of values', () => {
    const { metrics, records, seconds } = throughput(2_000_000, 1_024, 4);
    expect(metrics).toEqual([
      { name: 'throughput', value: 500_000, unit: 'records/s' },
      { name: 'bandwidth', value: 512, unit: 'MB/s' },
    ]);
    expect({ records, seconds }).toEqual({ records: 2_000_000, seconds: 4 });
  });

  test('a start-up time is the median, so one slow start does not decide it', () => {
    expect(startup([30, 900, 20]).metrics).toEqual([{ name: 'first_ack', value: 30, unit: 'ms' }]);
    expect(startup([30, 900, 20]).records).toBe(3);
  });

  test('a restart is told in ms and by the size of the log', () => {
    expect(restart(1_500, 2 ** 19, 1_024).metrics).toEqual([
      { name: 'first_ack', value: 1_500, unit: 'ms' },
      { name: 'first_ack_per_gib', value: 3, unit: 's/GiB' },
    ]);
  });

  test('a scenario goes to the measure of its kind, and one that a system lacks is refused', async () => {
    const startupScenario = scenarios.find(({ kind }) => kind === 'startup')!;
    const system: System = {
      name: 'nats',
      prepare: async () => {},
      measures: { startup: async ({ repetitions }) => startup([repetitions]) },
    };
    const run = { mode: 'default', seconds: 1 } as const;
    expect((await measure(system, startupScenario, run)).metrics[0]!.value).toBe(5);
    await expect(measure(system, scenarios[0]!, run)).rejects.toThrow(
      'nats has no measure for produce',
    );
  });

  test('no starts have no median', () => {
    expect(() => startup([])).toThrow('nothing to take the median of');
  });
});
