import { createHistogram } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import {
  latencyMetrics,
  recordLatency,
  summarize,
} from '../../../../bench/load/latency-summary.ts';

describe('latencies', () => {
  test('percentiles of known samples come out in ms, to a thousandth', () => {
    const histogram = createHistogram();
    for (let i = 1; i <= 1_000; i++) recordLatency(histogram, i / 10);
    const summary = summarize(histogram);
    expect(summary.count).toBe(1_000);
    const within = (ms: number) => ({ from: ms * 0.999, to: ms * 1.001 });
    for (const [actual, ms] of [
      [summary['mean'], 50.05],
      [summary['p50'], 50],
      [summary['p99'], 99],
      [summary['p999'], 99.9],
      [summary['max'], 100],
    ] as const) {
      expect(actual).toBeGreaterThan(within(ms).from);
      expect(actual).toBeLessThan(within(ms).to);
    }
  });

  test('a stall of one record in a hundred is seen in the p99 and not in the median', () => {
    const histogram = createHistogram();
    for (let i = 0; i < 1_000; i++) recordLatency(histogram, i % 50 === 0 ? 200 : 0.2);
    const { p50, p99 } = summarize(histogram);
    expect(p50).toBeLessThan(0.21);
    expect(p99).toBeGreaterThan(199);
  });

  test('a latency below a nanosecond counts as one', () => {
    const histogram = createHistogram();
    recordLatency(histogram, 0);
    expect(summarize(histogram)['max']).toBe(1e-6);
  });

  test('nothing recorded has no summary', () => {
    expect(() => summarize(createHistogram())).toThrow('no latency was recorded');
  });

  test('metrics carry the prefix; the count is none', () => {
    expect(latencyMetrics('ack', { count: 7, mean: 1, p99: 3 })).toEqual([
      { name: 'ack_mean', value: 1, unit: 'ms' },
      { name: 'ack_p99', value: 3, unit: 'ms' },
    ]);
  });
});
