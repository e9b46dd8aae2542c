import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';

export interface QuorumAddVoterOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve quorum add-voter`. */
export async function addVoter(
  nodeId: number,
  options: QuorumAddVoterOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, options, async (client) => {
    await client.admin().addVoter(nodeId, { signal });
    if (options.json) await output.writeJson({ nodeId });
    else await output.write(`node ${nodeId} is a voter\n`);
  });
}
