import { formatColumns } from '../columns.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import { throwIfAnyFailed } from '../outcomes.ts';

export interface OffsetsOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve offsets`: the first offset of each partition, and the one that its next record will have. */
export async function showOffsets(
  topic: string,
  options: OffsetsOptions,
  context: CommandContext,
): Promise<void> {
  const { output, errors, signal } = context;
  await withClient(context, options, async (client) => {
    const admin = client.admin();
    const { partitions } = await admin.describeTopic(topic, { signal });
    const offsetsAt = async (at: 'earliest' | 'latest') => {
      const asked = partitions.map(({ partition }) => ({ topic, partition, at }));
      const answers = await admin.listOffsets(asked, { signal });
      throwIfAnyFailed(answers, errors);
      return answers;
    };
    // In this order the first offset is never beyond the next one.
    const earliest = await offsetsAt('earliest');
    const latest = await offsetsAt('latest');
    const offsets = earliest.map(({ partition, offset }, i) => ({
      partition,
      earliest: offset,
      latest: latest[i]!.offset,
    }));
    if (options.json) {
      await output.writeJson(offsets);
      return;
    }
    const rows = offsets.map((one) => [one.partition, one.earliest, one.latest]);
    await output.write(formatColumns(['PARTITION', 'EARLIEST', 'LATEST'], rows));
  });
}
