import { formatAddress } from '../../rpc/address.ts';
import { formatColumns } from '../columns.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';

export interface ClusterDescribeOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve cluster describe`: the cluster, its active controller and its brokers. */
export async function describeCluster(
  options: ClusterDescribeOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, options, async (client) => {
    const { clusterId, controllerId, brokers } = await client.admin().describeCluster({ signal });
    if (options.json) {
      const all = brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }));
      await output.writeJson({ clusterId, controllerId, brokers: all });
      return;
    }
    const controller = controllerId < 0 ? 'none' : String(controllerId);
    const rows = brokers.map((broker) => [broker.nodeId, formatAddress(broker), broker.rack]);
    await output.write(
      `cluster ${clusterId}, controller ${controller}\n${formatColumns(['BROKER', 'ADDRESS', 'RACK'], rows)}`,
    );
  });
}
