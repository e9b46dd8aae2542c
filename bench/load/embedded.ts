import type { startBroker } from '../../src/testing/main.ts';
import { serveJob } from '../run/worker.ts';

/** Starts brokers within this process, as tests do. */
export interface EmbeddedJob {
  /** URL of `varve/testing`, so that the built package is what is timed. */
  readonly module: string;
  readonly brokers: number;
}

export interface EmbeddedResult {
  /** From before the import to the first broker that is ready. */
  readonly firstReadyMs: number;
  /** Of all brokers, started at a time and all open. */
  readonly allReadyMs: number;
  /** What they added to the resident memory. */
  readonly addedBytes: number;
  /** Of one more broker, each time, in a process that has started many. */
  readonly readyMs: readonly number[];
}

serveJob<EmbeddedJob>(async ({ module, brokers: count }) => {
  const begin = performance.now();
  const testing = (await import(module)) as { startBroker: typeof startBroker };
  const start = () => testing.startBroker();
  const first = await start();
  const firstReadyMs = performance.now() - begin;
  const [before, startMs] = [process.memoryUsage.rss(), performance.now()];
  const many = await Promise.all(Array.from({ length: count }, start));
  const allReadyMs = performance.now() - startMs;
  const addedBytes = process.memoryUsage.rss() - before;
  await Promise.all([first, ...many].map((broker) => broker.close()));
  const readyMs: number[] = [];
  for (let i = 0; i < 20; i++) {
    const startOneMs = performance.now();
    const broker = await start();
    readyMs.push(performance.now() - startOneMs);
    await broker.close();
  }
  const result: EmbeddedResult = { firstReadyMs, readyMs, allReadyMs, addedBytes };
  return result;
});
