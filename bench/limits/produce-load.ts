import { sleep } from '../load/clock.ts';
import { ValuePool } from '../load/value-pool.ts';
import { serveJob } from '../run/worker.ts';
import { SinkConnection } from './connection.ts';

/** Sends chunks of random bytes to a sink as fast as they become safe, several in flight. */
export interface ProduceLimitJob {
  readonly port: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface ProduceLimitResult {
  readonly bytes: number;
  readonly seconds: number;
}

const CHUNK_BYTES = 256 * 1024;
const CHUNKS_IN_FLIGHT = 64;
const MAX_BYTES = 4 * 1024 ** 3;

serveJob<ProduceLimitJob>(async ({ port, warmupSeconds, seconds }) => {
  const chunks = new ValuePool(CHUNK_BYTES, 4 * CHUNKS_IN_FLIGHT);
  let isOver = false;
  const connection = await SinkConnection.open(port, () => fill());
  const fill = () => {
    // The cap keeps a fast machine from filling its disk; the rate up to there is what counts.
    while (!isOver && connection.sent - connection.safe < CHUNK_BYTES * CHUNKS_IN_FLIGHT) {
      connection.send(chunks.next());
    }
  };
  fill();
  await sleep(warmupSeconds * 1_000);
  const [firstByte, startMs] = [connection.safe, performance.now()];
  const endMs = startMs + seconds * 1_000;
  while (performance.now() < endMs && connection.safe < MAX_BYTES) await sleep(10);
  const result: ProduceLimitResult = {
    bytes: connection.safe - firstByte,
    seconds: (performance.now() - startMs) / 1_000,
  };
  isOver = true;
  return result;
});
