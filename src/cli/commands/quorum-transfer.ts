import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';

export interface QuorumTransferOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve quorum transfer`. */
export async function transferLeadership(
  nodeId: number,
  options: QuorumTransferOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, options, async (client) => {
    await client.admin().transferLeadership(nodeId, { signal });
    if (options.json) await output.writeJson({ nodeId });
    else await output.write(`node ${nodeId} leads the quorum\n`);
  });
}
