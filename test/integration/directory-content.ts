import type { Client } from '../../src/client/main.ts';

/** What a client sees of a data directory; bytes as base64. */
export interface DirectoryContent {
  readonly clusterId: string;
  readonly topics: readonly TopicContent[];
  /** Batches of one producer in `repeatable-0`, at offsets 0 to 4. */
  readonly repeatableBatches?: readonly string[];
}

interface TopicContent {
  readonly name: string;
  readonly topicId: string;
  /** Settings of the topic itself, by name. */
  readonly configs: { readonly [name: string]: string };
  readonly partitions: readonly PartitionContent[];
}

interface PartitionContent {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly records: readonly unknown[];
}

/** Reads everything there is. */
export async function readContent(client: Client): Promise<DirectoryContent> {
  const admin = client.admin();
  const topics: TopicContent[] = [];
  for (const { name, topicId, partitionCount } of await admin.listTopics()) {
    const [described] = await admin.describeConfigs([name]);
    const own = described!.entries.filter(({ source }) => source === 'topic');
    const partitions: PartitionContent[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      partitions.push(await readPartition(client, name, partition));
    }
    const configs = Object.fromEntries(own.map((entry) => [entry.name, entry.value]));
    topics.push({ name, topicId, configs, partitions });
  }
  return { clusterId: (await admin.describeCluster()).clusterId, topics };
}

async function readPartition(
  client: Client,
  topic: string,
  partition: number,
): Promise<PartitionContent> {
  const offsets = await client.admin().listOffsets([
    { topic, partition, at: 'earliest' },
    { topic, partition, at: 'latest' },
  ]);
  const [startOffset, endOffset] = offsets.map(({ offset }) => offset) as [number, number];
  const records: unknown[] = [];
  const topics = [{ topic, partition }];
  for await (const record of client.consumer({ topics, from: 'earliest', until: 'end' })) {
    records.push({
      ...{ offset: record.offset, timestampMs: record.timestampMs },
      ...{ key: base64(record.key), value: base64(record.value) },
      headers: record.headers.map(({ key, value }) => ({ key, value: base64(value) })),
    });
  }
  return { startOffset, endOffset, records };
}

const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64');
