import { createHistogram } from 'node:perf_hooks';
import { sleep } from '../load/clock.ts';
import { type LatencySummary, recordLatency, summarize } from '../load/latency-summary.ts';
import { OpenLoop } from '../load/open-loop.ts';
import { ValuePool } from '../load/value-pool.ts';
import { serveJob } from '../run/worker.ts';
import { SinkConnection } from './connection.ts';

/** Sends one record at a time to a sink, at a fixed rate, and times each until it is safe. */
export interface LatencyLimitJob {
  readonly port: number;
  readonly recordBytes: number;
  readonly ratePerSecond: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface LatencyLimitResult {
  readonly roundTrip: LatencySummary;
}

serveJob<LatencyLimitJob>(async ({ port, recordBytes, ratePerSecond, warmupSeconds, seconds }) => {
  const histogram = createHistogram();
  const loop = new OpenLoop(ratePerSecond, warmupSeconds + seconds);
  const warmupCount = Math.round(ratePerSecond * warmupSeconds);
  const values = new ValuePool(recordBytes, loop.count);
  let safeRecords = 0;
  const connection = await SinkConnection.open(port, (total) => {
    for (; (safeRecords + 1) * recordBytes <= total; safeRecords++) {
      if (safeRecords >= warmupCount) recordLatency(histogram, loop.age(safeRecords));
    }
  });
  await loop.run(() => connection.send(values.next()));
  while (safeRecords < loop.count) await sleep(10);
  const result: LatencyLimitResult = { roundTrip: summarize(histogram) };
  return result;
});
