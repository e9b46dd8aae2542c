import type { Configuration } from '../raft/configuration.ts';
import type { RaftStorage } from './raft-storage.ts';

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
  await storage.begin(initial);
  await storage.write({ hardState: null, truncateFrom: null, entries: [], snapshot: null });
}
