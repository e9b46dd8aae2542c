import { connect } from '../../src/client/main.ts';
import type { ClusterNodes } from './nodes.ts';

export interface RollingResult {
  readonly records: number;
  readonly read: number;
  readonly topics: number;
  readonly described: number;
  /** What callers were told. */
  readonly failures: readonly string[];
}

/** Stops and starts one node after the other, in order, while a producer, a consumer and an admin go on. */
export async function rollingRestart(nodes: ClusterNodes, rounds: number): Promise<RollingResult> {
  const client = await connect({ brokers: nodes.ids.map((id) => nodes.address(id)) });
  const failures: string[] = [];
  const counts = { records: 0, read: 0, topics: 0, described: 0 };
  await client.admin().createTopic({ name: 'orders', partitionCount: 6 });
  let isOver = false;
  const repeat = async (what: string, everyMs: number, once: () => Promise<void>) => {
    while (!isOver) {
      await once().catch((error: Error) => failures.push(`${what}: ${error.message}`));
      await delay(everyMs);
    }
  };
  const producer = client.producer({ key: 'string', value: 'string' });
  const consumer = client.consumer({ topics: ['orders'], from: 'earliest' });
  const reading = (async () => {
    for await (const _ of consumer) {
      counts.read++;
      if (isOver && counts.read >= counts.records) break;
    }
  })().catch((error: Error) => failures.push(`consume: ${error.message}`));
  const working = Promise.all([
    repeat('produce', 5, async () => {
      await producer.send({ topic: 'orders', key: `${counts.records}`, value: 'v' });
      counts.records++;
    }),
    repeat('create', 50, async () => {
      await client.admin().createTopic({ name: `t${counts.topics}` });
      counts.topics++;
    }),
    repeat('describe', 50, async () => {
      await client.admin().describeCluster();
      counts.described++;
    }),
  ]);
  await delay(2_000);
  for (let round = 0; round < rounds; round++) {
    for (const id of nodes.ids) {
      await nodes.end(id, 'SIGTERM');
      await nodes.start(id);
      console.error(`node ${id} is back; ${failures.length} failures`);
      await delay(1_000);
    }
  }
  await delay(2_000);
  isOver = true;
  await working;
  await producer.send({ topic: 'orders', key: 'last', value: 'v' });
  counts.records++;
  await Promise.race([reading, delay(20_000)]);
  await client.close();
  return { ...counts, failures };
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
