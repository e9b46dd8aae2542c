import { formatColumns } from '../columns.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';

export interface TopicListOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve topic list`. */
export async function listTopics(
  options: TopicListOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, options, async (client) => {
    const topics = await client.admin().listTopics({ signal });
    if (options.json) {
      await output.writeJson(
        topics.map(({ name, topicId, partitionCount }) => ({ name, topicId, partitionCount })),
      );
      return;
    }
    const rows = topics.map(({ name, partitionCount, topicId }) => [name, partitionCount, topicId]);
    await output.write(formatColumns(['NAME', 'PARTITIONS', 'ID'], rows));
  });
}
