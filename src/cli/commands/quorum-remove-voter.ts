import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';

export interface QuorumRemoveVoterOptions extends ConnectionOptions {
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `varve quorum remove-voter`. */
export async function removeVoter(
  nodeId: number,
  options: QuorumRemoveVoterOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, options, async (client) => {
    await client.admin().removeVoter(nodeId, { signal, force: options.force ?? false });
    if (options.json) await output.writeJson({ nodeId });
    else await output.write(`node ${nodeId} is out of the quorum\n`);
  });
}
