import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Client, connect } from '../../src/client/main.ts';
import { ClusterProcesses, controllerOf, until, within } from '../support/cluster-processes.ts';
import {
  batchOf,
  fetchRequest,
  KafkaCaller,
  produceRequest,
  recordsIn,
} from '../support/kafka-caller.ts';

/** Three nodes in processes of their own: what clients see of them, and what is left when one fails. */

let cluster: ClusterProcesses;
const clients: Client[] = [];
beforeEach(async () => {
  cluster = await ClusterProcesses.started();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await cluster[Symbol.asyncDispose]();
});

/** One client a node, which is told of that one only. */
async function clientOfEach(): Promise<Map<number, Client>> {
  const found = new Map<number, Client>();
  for (const id of cluster.nodes.keys()) {
    const client = await connect({ brokers: [cluster.node(id).address], requestTimeoutMs: 30_000 });
    clients.push(client);
    found.set(id, client);
  }
  return found;
}

const topicsOf = async (client: Client): Promise<string[]> =>
  (await client.admin().listTopics()).map(({ name }) => name);

/** The values of so many records, sorted. */
async function read(client: Client, topic: string, count: number): Promise<string[]> {
  const values: string[] = [];
  const consumer = client.consumer({ topics: [topic], from: 'earliest', value: 'string' });
  const reading = async (): Promise<void> => {
    for await (const { value } of consumer) if (values.push(value!) >= count) return;
  };
  await within(reading(), `${count} records of ${topic}`);
  return values.toSorted();
}

interface KafkaMetadata {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { partitionIndex: number; leaderId: number }[];
  }[];
}

test('topics and records go through any of three nodes, by either protocol', async () => {
  const byNode = await clientOfEach();
  const sent: string[] = [];
  for (const [id, client] of byNode) {
    await client.admin().createTopic({ name: `by-${id}`, partitionCount: 3 });
    const producer = client.producer({ value: 'string' });
    for (let partition = 0; partition < 3; partition++) {
      const value = `${id}-${partition}`;
      await producer.send({ topic: 'by-1', partition, value });
      sent.push(value);
    }
  }
  for (const client of byNode.values()) {
    // A node that was not asked may be behind by a moment.
    await until('all topics', async () => (await topicsOf(client)).length === 3);
    expect(await read(client, 'by-1', sent.length)).toEqual(sent.toSorted());
  }
  const [first] = await byNode.get(1)!.admin().describeTopics(['by-1']);
  expect(first!.partitions.map(({ leaderId }) => leaderId).toSorted()).toEqual([1, 2, 3]);

  const bootstrap = new KafkaCaller(cluster.node(2).kafkaAddress);
  const { brokers, topics } = (await bootstrap.ask('Metadata', 9, {
    topics: [{ topicId: new Uint8Array(16), name: 'by-2' }],
    ...{ allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false },
    includeClusterAuthorizedOperations: false,
  })) as unknown as KafkaMetadata;
  bootstrap.close();
  expect(brokers.map(({ nodeId }) => nodeId).toSorted()).toEqual([1, 2, 3]);
  const [topic] = topics;
  expect(topic!.partitions.map(({ leaderId }) => leaderId).toSorted()).toEqual([1, 2, 3]);
  for (const { partitionIndex, leaderId } of topic!.partitions) {
    const { host, port } = brokers.find(({ nodeId }) => nodeId === leaderId)!;
    const leader = new KafkaCaller(`${host}:${port}`);
    const batch = batchOf(`from Kafka to ${leaderId}`, 1_700_000_000_000);
    const request = produceRequest('by-2', partitionIndex, batch);
    const produced = JSON.stringify(await within(leader.ask('Produce', 9, request), 'Produce'));
    expect(produced).toContain('"errorCode":0,"baseOffset":0,');
    const fetched = await within(
      leader.ask('Fetch', 12, fetchRequest('by-2', partitionIndex, 0)),
      'Fetch',
    );
    leader.close();
    expect(recordsIn(fetched).subarray(16)).toEqual(Buffer.from(batch.subarray(16)));
  }
  expect(await read(byNode.get(3)!, 'by-2', 3)).toEqual(
    [1, 2, 3].map((id) => `from Kafka to ${id}`),
  );
});

for (const fault of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`topics are made while the active controller has got ${fault}, and none that was answered is lost`, async () => {
    const byNode = await clientOfEach();
    const all = [...byNode.values()];
    const made: string[] = [];
    const make = async (client: Client): Promise<void> => {
      const name = `t${made.length}`;
      await client.admin().createTopic({ name });
      made.push(name);
    };
    for (const client of all) await make(client);
    for (let round = 0; round < 2; round++) {
      const victim = await controllerOf(all);
      if (fault === 'SIGKILL') await cluster.node(victim).kill();
      else cluster.signal(victim, 'SIGSTOP');
      const others = [...byNode].filter(([id]) => id !== victim).map(([, client]) => client);
      for (const client of [...others, ...others]) await make(client);
      expect(await controllerOf(others)).not.toBe(victim);
      if (fault === 'SIGKILL') await cluster.start(victim);
      else cluster.signal(victim, 'SIGCONT');
      const back = byNode.get(victim)!;
      await until('the node is back', async () => (await topicsOf(back)).length >= made.length);
      await make(back);
    }
    for (const client of all) {
      await until('all topics', async () => (await topicsOf(client)).length >= made.length);
      expect(await topicsOf(client)).toEqual(made.toSorted());
    }
  });
}

test('a rolling restart fails no call of a producer, a consumer and an admin', async () => {
  const client = await cluster.connect();
  clients.push(client);
  await client.admin().createTopic({ name: 'orders', partitionCount: 6 });
  const failures: string[] = [];
  const sent: string[] = [];
  const received: string[] = [];
  let topics = 0;
  let isOver = false;
  const repeat = async (what: string, everyMs: number, once: () => Promise<unknown>) => {
    while (!isOver) {
      await once().catch((error: Error) => failures.push(`${what}: ${error.message}`));
      await sleep(everyMs);
    }
  };
  const producer = client.producer({ key: 'string', value: 'string' });
  const consumer = client.consumer({ topics: ['orders'], from: 'earliest', value: 'string' });
  const consuming = (async () => {
    for await (const { value } of consumer) received.push(value!);
  })().catch((error: Error) => failures.push(`consume: ${error.message}`));
  const working = Promise.all([
    repeat('produce', 5, async () => {
      const value = `${sent.length}`;
      await producer.send({ topic: 'orders', key: value, value });
      sent.push(value);
    }),
    repeat('create', 50, () => client.admin().createTopic({ name: `t${topics++}` })),
    repeat('describe', 50, () => client.admin().describeCluster()),
  ]);
  for (const id of [1, 2, 3]) {
    expect(await within(cluster.node(id).stop(), `stop of ${id}`)).toBe(0);
    await cluster.start(id);
    const so = sent.length;
    await until('records go on', () => sent.length >= so + 20);
  }
  isOver = true;
  await within(working, 'the last calls');
  await until('all records are read', () => received.length >= sent.length);
  expect(failures).toEqual([]);
  expect(received.toSorted()).toEqual(sent.toSorted());
  expect(await topicsOf(client)).toHaveLength(topics + 1);
  await consumer.close();
  await within(consuming, 'the end of the consumer');
});
