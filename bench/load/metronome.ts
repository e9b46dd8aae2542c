import { parentPort, workerData } from 'node:worker_threads';
import { type Instant, msSince } from './clock.ts';

/**
 * A thread that wakes its parent at every beat. Timers of the event loop are whole milliseconds
 * and often late, which would drown latencies of a fraction of one; a sleeping thread wakes within
 * some 0.1 ms and, unlike spinning, leaves the cores to the system that is measured.
 */
export interface MetronomeBeat {
  readonly start: Instant;
  readonly intervalMs: number;
  readonly count: number;
}

const { start, intervalMs, count } = workerData as MetronomeBeat;
const never = new Int32Array(new SharedArrayBuffer(4));

for (let beat = 0; beat < count; beat++) {
  for (;;) {
    const waitMs = beat * intervalMs - msSince(start);
    if (waitMs <= 0) break;
    Atomics.wait(never, 0, 0, waitMs);
  }
  parentPort?.postMessage(beat);
}
