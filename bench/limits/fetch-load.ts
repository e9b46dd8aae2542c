import { once } from 'node:events';
import { connect } from 'node:net';
import { serveJob } from '../run/worker.ts';

/** Reads the file of `file-server.ts` again and again and touches every record in it. */
export interface FetchLimitJob {
  readonly port: number;
  readonly recordBytes: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface FetchLimitResult {
  readonly bytes: number;
  readonly seconds: number;
  /** Depends on every record, so that touching them cannot be left out. */
  readonly touched: number;
}

serveJob<FetchLimitJob>(async ({ port, recordBytes, warmupSeconds, seconds }) => {
  let touched = 0;
  const readFile = async (): Promise<number> => {
    const socket = connect(port, '127.0.0.1');
    let read = 0;
    socket.on('data', (bytes) => {
      // The first byte of every record that begins in this piece.
      for (let at = (recordBytes - (read % recordBytes)) % recordBytes; at < bytes.length; ) {
        touched = (touched + bytes[at]!) | 0;
        at += recordBytes;
      }
      read += bytes.length;
    });
    await once(socket, 'close');
    return read;
  };
  const readFor = async (limitSeconds: number): Promise<FetchLimitResult> => {
    const startMs = performance.now();
    let [bytes, elapsed] = [0, 0];
    do {
      bytes += await readFile();
      elapsed = (performance.now() - startMs) / 1_000;
    } while (elapsed < limitSeconds);
    return { bytes, seconds: elapsed, touched };
  };
  await readFor(warmupSeconds);
  return await readFor(seconds);
});
