import type { ConfigEntry, TopicDescription } from '../../client/main.ts';
import { formatColumns } from '../columns.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import { successes, throwIfAnyFailed } from '../outcomes.ts';

export interface TopicDescribeOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve topic describe`: partitions, and the settings that are not built in; all of them in JSON. */
export async function describeTopics(
  names: readonly string[],
  options: TopicDescribeOptions,
  context: CommandContext,
): Promise<void> {
  const { output, errors, signal } = context;
  await withClient(context, options, async (client) => {
    const admin = client.admin();
    const topics = await admin.describeTopics(names, { signal });
    const found = successes(topics);
    // Settings of topics that went away in between are left out; the topics are still shown.
    const configs = successes(
      found.length === 0
        ? []
        : await admin.describeConfigs(
            found.map(({ name }) => name),
            { signal },
          ),
    );
    const entriesOf = new Map(configs.map(({ name, entries }) => [name, entries]));
    const described = found.map((topic) => ({ topic, entries: entriesOf.get(topic.name) ?? [] }));
    if (options.json) await output.writeJson(described.map(topicJson));
    else await output.write(described.map(topicText).join('\n'));
    throwIfAnyFailed(topics, errors);
  });
}

interface Described {
  readonly topic: TopicDescription;
  readonly entries: readonly ConfigEntry[];
}

const topicJson = ({ topic, entries }: Described) => ({
  name: topic.name,
  topicId: topic.topicId,
  internal: topic.internal,
  partitions: topic.partitions.map(({ partition, leaderId, leaderEpoch, replicaIds, isrIds }) => ({
    partition,
    leaderId,
    leaderEpoch,
    replicaIds,
    isrIds,
  })),
  configs: entries.map(({ name, value, source }) => ({ name, value, source })),
});

function topicText({ topic, entries }: Described): string {
  const settings = entries
    .filter(({ source }) => source !== 'default')
    .map(({ name, value, source }) => [name, value, source]);
  const partitions = topic.partitions.map(
    ({ partition, leaderId, leaderEpoch, replicaIds, isrIds }) => [
      partition,
      leaderId < 0 ? 'none' : String(leaderId),
      leaderEpoch,
      replicaIds.join(','),
      isrIds.join(','),
    ],
  );
  return [
    `${topic.name} (${topic.topicId})\n`,
    formatColumns(['PARTITION', 'LEADER', 'EPOCH', 'REPLICAS', 'IN-SYNC'], partitions),
    settings.length === 0 ? '' : formatColumns(['SETTING', 'VALUE', 'SOURCE'], settings),
  ].join('');
}
