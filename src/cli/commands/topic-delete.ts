import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import { successes, throwIfAnyFailed } from '../outcomes.ts';

export interface TopicDeleteOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve topic delete`. */
export async function deleteTopics(
  names: readonly string[],
  options: TopicDeleteOptions,
  context: CommandContext,
): Promise<void> {
  const { output, errors, signal } = context;
  await withClient(context, options, async (client) => {
    const topics = await client.admin().deleteTopics(names, { signal });
    const deleted = successes(topics).map(({ name }) => name);
    if (options.json) await output.writeJson(deleted.map((name) => ({ name })));
    else if (deleted.length > 0) await output.write(`deleted ${deleted.join(', ')}\n`);
    throwIfAnyFailed(topics, errors);
  });
}
