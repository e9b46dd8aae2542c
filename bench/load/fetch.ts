import { type Client, connect } from '../../src/client/main.ts';
import { timedPart } from './clock.ts';
import type { LoadJob } from './job.ts';
import type { SteadyRun } from './saturation.ts';
import { TOPIC } from './topic.ts';

export interface FetchResult extends SteadyRun {
  /** Depends on every record, so that touching them cannot be left out. */
  readonly touched: number;
}

/** Reads a topic from its start to its end, record by record or batch by batch, again and again. */
export async function fetch(job: LoadJob): Promise<FetchResult> {
  const { server, by, warmupSeconds, seconds } = job;
  const clients = await Promise.all(
    Array.from({ length: job.clients }, () => connect({ brokers: [server] })),
  );
  let touched = 0;
  const readAll = async (client: Client): Promise<number> => {
    const consumer = client.consumer({ topics: [TOPIC], from: 'earliest', until: 'end' });
    let records = 0;
    if (by === 'record') {
      for await (const { value } of consumer) {
        records++;
        touched = (touched + (value?.[0] ?? 0)) | 0;
      }
    } else {
      for await (const batch of consumer.batches()) {
        records += batch.records.length;
        for (const { value } of batch.records) touched = (touched + (value?.[0] ?? 0)) | 0;
      }
    }
    await consumer.close();
    if (records === 0) throw new Error(`topic ${TOPIC} is empty`);
    return records;
  };
  const readFor = async (limitSeconds: number): Promise<FetchResult> => {
    const end = timedPart();
    let records = 0;
    const readOn = async (client: Client) => {
      do records += await readAll(client);
      while (end().seconds < limitSeconds);
    };
    await Promise.all(clients.map(readOn));
    return { records, touched, ...end() };
  };
  await readFor(warmupSeconds);
  const result = await readFor(seconds);
  await Promise.all(clients.map((client) => client.close()));
  return result;
}
