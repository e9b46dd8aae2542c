import type { Client } from '../../src/client/main.ts';
import { VarveError } from '../../src/client/main.ts';
import type { LoadJob } from './job.ts';

export const TOPIC = 'bench';

/** Makes the topic of a load; one that is there already stays as it is. */
export async function ensureTopic(client: Client, job: LoadJob): Promise<void> {
  const { mode, partitions, recordBytes } = job;
  const configs: Record<string, string | number> = {
    // The default, `durable`, waits for an fsync.
    ...(mode === 'no-fsync' ? { durability: 'replicated' } : {}),
    ...(recordBytes > LARGE_BYTES ? { 'max.message.bytes': 2 * recordBytes } : {}),
  };
  try {
    await client.admin().createTopic({ name: TOPIC, partitionCount: partitions, configs });
  } catch (error) {
    if (!(VarveError.is(error) && error.code === 'TOPIC_ALREADY_EXISTS')) throw error;
  }
}

/** Larger ones do not fit into the batches that topics take by default, 1 MiB. */
const LARGE_BYTES = 1_000_000;
