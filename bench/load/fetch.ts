import { type Client, connect } from '../../src/client/main.ts';
import { timedPart } from './clock.ts';
import type { LoadJob } from './job.ts';
import type { SteadyRun } from './saturation.ts';
import { TOPIC } from './topic.ts';

export interface FetchResult extends SteadyRun {
  /** Depends on every record, so that touching them cannot be left out. */
  readonly touched: number;
}

/** Reads a topic from its start to its end, record by record or batch by batch, until the time is up. */
export async function fetch(job: LoadJob): Promise<FetchResult> {
  const { server, warmupSeconds, seconds } = job;
  const clients = await Promise.all(
    Array.from({ length: job.clients }, () => connect({ brokers: [server] })),
  );
  const readFor = async (limitSeconds: number): Promise<FetchResult> => {
    const end = timedPart();
    const counts = { records: 0, touched: 0 };
    const isOver = () => end().seconds >= limitSeconds;
    await Promise.all(
      clients.map(async (client) => {
        while (!isOver()) await readAll(client, job, counts, isOver);
      }),
    );
    if (counts.records === 0) throw new Error(`nothing was read from topic ${TOPIC}`);
    return { ...counts, ...end() };
  };
  await readFor(warmupSeconds);
  const result = await readFor(seconds);
  await Promise.all(clients.map((client) => client.close()));
  return result;
}

async function readAll(
  client: Client,
  { by, recordBytes }: LoadJob,
  counts: { records: number; touched: number },
  isOver: () => boolean,
): Promise<void> {
  await using consumer = client.consumer({ topics: [TOPIC], from: 'earliest', until: 'end' });
  if (by === 'batch') {
    for await (const { records } of consumer.batches()) {
      counts.records += records.length;
      for (const { value } of records) counts.touched = (counts.touched + (value?.[0] ?? 0)) | 0;
      if (isOver()) return;
    }
    return;
  }
  // The clock is not asked for every record.
  const stride = Math.max(1, Math.floor(STRIDE_BYTES / recordBytes));
  let [records, touched] = [0, 0];
  for await (const { value } of consumer) {
    touched = (touched + (value?.[0] ?? 0)) | 0;
    if (++records % stride === 0 && isOver()) break;
  }
  counts.records += records;
  counts.touched = (counts.touched + touched) | 0;
}

const STRIDE_BYTES = 256 * 1024;
