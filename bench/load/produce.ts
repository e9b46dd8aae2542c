import { type Client, connect } from '../../src/client/main.ts';
import type { LoadJob } from './job.ts';
import { Saturation, type SteadyRun } from './saturation.ts';
import { ensureTopic, TOPIC } from './topic.ts';
import { ValuePool } from './value-pool.ts';

/** Produces with the client's own settings, one `send()` and one result a record, for a time. */
export async function produce(job: LoadJob): Promise<SteadyRun> {
  return await withLoads(job, (load) => load.runFor(job.warmupSeconds, job.seconds));
}

/** The same, until a number of records is stored: it prepares a measurement and is none itself. */
export async function fill(job: LoadJob): Promise<Omit<SteadyRun, 'fromUs'>> {
  const share = Math.ceil(job.records / job.clients);
  const { records, seconds } = await withLoads(job, (load) => load.runThrough(share));
  return { records, seconds };
}

/** Runs a load a client, all at a time, and adds up what they did. */
async function withLoads(
  job: LoadJob,
  run: (load: Saturation) => Promise<SteadyRun>,
): Promise<SteadyRun> {
  const { server, recordBytes, partitions, outstandingRecords, clients: count } = job;
  const values = new ValuePool(recordBytes, 4 * outstandingRecords);
  const clients = await Promise.all(
    Array.from({ length: count }, () => connect({ brokers: [server] })),
  );
  await ensureTopic(clients[0]!, job);
  const loadOf = (client: Client) => {
    const producer = client.producer();
    const send = () => {
      const value = values.next();
      // Its number: every key is another, and all partitions get equally many.
      const key = partitions > 1 ? value.subarray(0, 8) : null;
      return producer.send({ topic: TOPIC, key, value });
    };
    return new Saturation(send, Math.ceil(outstandingRecords / count));
  };
  const runs = await Promise.all(clients.map((client) => run(loadOf(client))));
  await Promise.all(clients.map((client) => client.close()));
  return {
    records: runs.reduce((sum, { records }) => sum + records, 0),
    fromUs: Math.min(...runs.map(({ fromUs }) => fromUs)),
    seconds: Math.max(...runs.map(({ seconds }) => seconds)),
  };
}
