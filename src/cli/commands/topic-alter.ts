import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import type { KeyValues } from '../option-values.ts';
import { throwIfAnyFailed } from '../outcomes.ts';

export interface TopicAlterOptions extends ConnectionOptions {
  readonly partitions?: number;
  readonly config?: KeyValues;
  readonly unset?: readonly string[];
  readonly json?: boolean;
}

/** `varve topic alter`. */
export async function alterTopic(
  name: string,
  { partitions, config = {}, unset = [], json, ...connection }: TopicAlterOptions,
  context: CommandContext,
): Promise<void> {
  const hasConfigs = Object.keys(config).length + unset.length > 0;
  if (partitions === undefined && !hasConfigs) {
    throw new CommandError(
      ExitCode.usage,
      'there is nothing to change: give --partitions, --config or --unset',
    );
  }
  const { output, errors, signal } = context;
  await withClient(context, connection, async (client) => {
    const admin = client.admin();
    const more = partitions === undefined ? [] : [{ name, totalCount: partitions }];
    if (hasConfigs) {
      // Checked first, so that what is refused changes nothing at all.
      await addPartitions(true);
      const changes = [{ name, set: config, unset }];
      throwIfAnyFailed(await admin.alterConfigs(changes, { signal }), errors);
    }
    await addPartitions(false);
    if (json) await output.writeJson({ name });
    else await output.write(`altered topic ${name}\n`);

    async function addPartitions(validateOnly: boolean): Promise<void> {
      if (more.length === 0) return;
      throwIfAnyFailed(await admin.createPartitions(more, { signal, validateOnly }), errors);
    }
  });
}
