import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import type { KeyValues } from '../option-values.ts';

export interface TopicCreateOptions extends ConnectionOptions {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly config?: KeyValues;
  readonly json?: boolean;
}

/** `varve topic create`. */
export async function createTopic(
  name: string,
  { partitions, replicationFactor, config = {}, json, ...connection }: TopicCreateOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, connection, async (client) => {
    const topic = {
      name,
      ...(partitions === undefined ? {} : { partitionCount: partitions }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
      configs: config,
    };
    const made = await client.admin().createTopic(topic, { signal });
    const { topicId, partitionCount, replicationFactor: copies } = made;
    if (json) await output.writeJson({ name, topicId, partitionCount, replicationFactor: copies });
    else await output.write(`created topic ${name} (${describe(partitionCount, copies)})\n`);
  });
}

const describe = (partitions: number, copies: number): string =>
  `partitions: ${partitions}, replication factor: ${copies}`;
