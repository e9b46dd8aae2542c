import { connect } from '../../src/client/main.ts';
import { serveJob } from '../run/worker.ts';
import { timedPart } from './clock.ts';
import type { SteadyRun } from './saturation.ts';

/** Reads a partition from its start to its end, record by record, again and again. */
export interface FetchJob {
  readonly broker: string;
  readonly topic: string;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface FetchResult extends SteadyRun {
  /** Depends on every record, so that touching them cannot be left out. */
  readonly touched: number;
}

serveJob<FetchJob>(async ({ broker, topic, warmupSeconds, seconds }) => {
  const client = await connect({ brokers: [broker] });
  let touched = 0;
  const readAll = async (): Promise<number> => {
    const consumer = client.consumer({
      topics: [{ topic, partition: 0 }],
      from: 'earliest',
      until: 'end',
    });
    let records = 0;
    for await (const { value } of consumer) {
      records++;
      touched = (touched + (value?.[0] ?? 0)) | 0;
    }
    await consumer.close();
    return records;
  };
  const readFor = async (limitSeconds: number): Promise<FetchResult> => {
    const end = timedPart();
    let [records, timed] = [0, end()];
    do {
      const read = await readAll();
      if (read === 0) throw new Error(`topic ${topic} is empty`);
      records += read;
      timed = end();
    } while (timed.seconds < limitSeconds);
    return { records, touched, ...timed };
  };
  await readFor(warmupSeconds);
  const result = await readFor(seconds);
  await client.close();
  return result;
});
