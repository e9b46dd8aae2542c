import { formatColumns } from '../columns.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';

export interface QuorumDescribeOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** `varve quorum describe`: who keeps the metadata, and how far each is. */
export async function describeQuorum(
  options: QuorumDescribeOptions,
  context: CommandContext,
): Promise<void> {
  const { output, signal } = context;
  await withClient(context, options, async (client) => {
    const quorum = await client.admin().describeQuorum({ signal });
    const { leaderId, leaderEpoch, commitIndex, appliedIndex, members } = quorum;
    if (options.json) {
      const about = { leaderId, leaderEpoch, commitIndex, appliedIndex };
      await output.writeJson({ ...about, members: members.map(memberJson) });
      return;
    }
    const leader = leaderId < 0 ? 'no leader answers' : `leader ${leaderId}`;
    const rows = members.map(({ nodeId, role, matchIndex, lag, heardOf, directoryId }) => [
      nodeId,
      role,
      ...(lag < 0 ? ['?', '?', '?'] : [matchIndex, lag, heardOf ? 'yes' : 'no']),
      directoryId,
    ]);
    await output.write(
      [
        `${leader}, epoch ${leaderEpoch}, committed ${commitIndex}, applied ${appliedIndex}\n`,
        formatColumns(['NODE', 'ROLE', 'MATCH', 'LAG', 'HEARD', 'DIRECTORY'], rows),
      ].join(''),
    );
  });
}

/** Numbers that are not known are null. */
const memberJson = (member: {
  readonly nodeId: number;
  readonly directoryId: string;
  readonly role: string;
  readonly matchIndex: number;
  readonly lag: number;
  readonly heardOf: boolean;
}) => ({
  nodeId: member.nodeId,
  role: member.role,
  directoryId: member.directoryId,
  matchIndex: member.matchIndex < 0 ? null : member.matchIndex,
  lag: member.lag < 0 ? null : member.lag,
  heardOf: member.lag < 0 ? null : member.heardOf,
});
