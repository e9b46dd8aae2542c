import type { RecordableHistogram } from 'node:perf_hooks';
import type { Metric } from '../system.ts';

/** The percentiles that are kept of a histogram, by name: enough to draw its curve. */
const PERCENTILES: Readonly<Record<string, number>> = {
  p10: 10,
  p25: 25,
  p50: 50,
  p75: 75,
  p90: 90,
  p95: 95,
  p99: 99,
  p999: 99.9,
  p9999: 99.99,
};

/** What is kept of a histogram of latencies, all but the count in ms: `mean`, `max`, `p50`, … */
export interface LatencySummary {
  readonly count: number;
  readonly [name: string]: number;
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
    ...Object.fromEntries(
      Object.entries(PERCENTILES).map(([name, share]) => [name, histogram.percentile(share) / 1e6]),
    ),
    max: histogram.max / 1e6,
  };
}

/** `ack_p50` and so on for the prefix `ack`. */
export function latencyMetrics(prefix: string, { count: _, ...summary }: LatencySummary): Metric[] {
  return Object.entries(summary).map(([name, value]) => ({
    name: `${prefix}_${name}`,
    value,
    unit: 'ms',
  }));
}
