import { type LeaderEpoch, leaderEpoch } from '../model/ids.ts';
import type { Configuration } from '../raft/configuration.ts';
import type { RaftStorage } from './raft-storage.ts';

const NO_EPOCH: LeaderEpoch = leaderEpoch(0);

/**
 * Begins the log of an empty node. The members are durable when it resolves: `RaftStorage.begin` alone
 * keeps them for the first write, which this makes, with nothing in it. May be called again on a log in
 * which nothing else has happened, after a crash before the node knew its cluster for good.
 *
 * @param initial the members the cluster was formed with; `null` on a node that joins
 */
export async function beginStorage(
  storage: RaftStorage,
  initial: Configuration | null,
): Promise<void> {
  const last = { index: 0, epoch: NO_EPOCH };
  await storage.begin(
    initial === null ? null : { last, configuration: initial, configurationIndex: 0 },
  );
  await storage.write({
    hardState: { epoch: NO_EPOCH, votedFor: null },
    ...{ truncateFrom: null, entries: [], snapshot: null },
  });
}
