import { describe, expect, test } from 'vitest';
import { startup, throughput } from '../../../bench/system.ts';

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

  test('no starts have no median', () => {
    expect(() => startup([])).toThrow('no start was timed');
  });
});
