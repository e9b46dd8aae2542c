import { connect } from '../../src/client/main.ts';
import { serveJob } from '../run/worker.ts';
import { Saturation, type SteadyRun } from './saturation.ts';
import { ValuePool } from './value-pool.ts';

/** Produces with the client's own settings, one `send()` and one result a record. */
export interface ProduceJob {
  readonly broker: string;
  readonly topic: string;
  readonly recordBytes: number;
  readonly outstandingRecords: number;
  readonly until:
    | { readonly warmupSeconds: number; readonly seconds: number }
    | { readonly records: number };
}

serveJob<ProduceJob>(async ({ broker, topic, recordBytes, outstandingRecords, until }) => {
  const values = new ValuePool(recordBytes, 4 * outstandingRecords);
  const client = await connect({ brokers: [broker] });
  const producer = client.producer();
  const load = new Saturation(
    () => producer.send({ topic, value: values.next() }),
    outstandingRecords,
  );
  const result: SteadyRun =
    'records' in until
      ? await load.runThrough(until.records)
      : await load.runFor(until.warmupSeconds, until.seconds);
  await client.close();
  return result;
});
