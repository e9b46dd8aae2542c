import type { RecordableHistogram } from 'node:perf_hooks';
import type { Metric } from '../system.ts';

/** What is kept of a histogram of latencies; all in ms. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Records a latency; histograms count whole nanoseconds from 1. */
export function recordLatency(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1e6)));
}

export function summarize(histogram: RecordableHistogram): LatencySummary {
  if (histogram.count === 0) throw new Error('no latency was recorded');
  return {
    count: histogram.count,
    mean: histogram.mean / 1e6,
    p50: histogram.percentile(50) / 1e6,
    p99: histogram.percentile(99) / 1e6,
    p999: histogram.percentile(99.9) / 1e6,
    max: histogram.max / 1e6,
  };
}

/** `ack_p50` and so on for the prefix `ack`. */
export function latencyMetrics(prefix: string, summary: Partial<LatencySummary>): Metric[] {
  const names = ['mean', 'p50', 'p99', 'p999', 'max'] as const;
  const metrics: Metric[] = [];
  for (const name of names) {
    const value = summary[name];
    if (value !== undefined) metrics.push({ name: `${prefix}_${name}`, value, unit: 'ms' });
  }
  return metrics;
}
