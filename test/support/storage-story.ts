import { leaderEpoch, nodeId } from '../../src/model/ids.ts';
import type { LoadedMetadata } from '../../src/quorum/metadata-store.ts';
import type { RaftStorage, StorageBatch } from '../../src/quorum/raft-storage.ts';
import { encodeSnapshot } from '../../src/quorum/snapshot-chunks.ts';
import type { Configuration, Member } from '../../src/raft/configuration.ts';
import type { Entry, HardState, SnapshotMeta } from '../../src/raft/entry.ts';

export const voter = (id: number): Member => ({ id: nodeId(id), directoryId: `directory-${id}` });
export const threeVoters: Configuration = {
  voters: [voter(1), voter(2), voter(3)],
  learners: [],
};

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const command = (index: number, epoch: number): Entry => ({
  ...{ kind: 'command', index, epoch: leaderEpoch(epoch) },
  bytes: bytes(`${index}@${epoch}`),
});

export const metaAt = (index: number, epoch: number): SnapshotMeta => ({
  last: { index, epoch: leaderEpoch(epoch) },
  configuration: threeVoters,
  configurationIndex: 0,
});

export const vote = (epoch: number, votedFor: number | null): HardState => ({
  epoch: leaderEpoch(epoch),
  votedFor: votedFor === null ? null : voter(votedFor),
});

export const batchOf = (parts: Partial<StorageBatch>): StorageBatch => ({
  ...{ hardState: null, truncateFrom: null, entries: [], snapshot: null },
  ...parts,
});

/** As it comes from a leader; its records are the names of the entries. */
export function arrived(index: number, epoch: number, names: readonly string[]) {
  const records = names.map(bytes);
  const chunks = encodeSnapshot({ lastIndex: index, epoch: leaderEpoch(epoch), records });
  return { meta: metaAt(index, epoch), chunks, records };
}

/** All that a node remembers, whatever of it stands in a snapshot: `e2 v1 1@1 2@1`. */
export function memoryOf(loaded: LoadedMetadata | undefined): string {
  if (loaded === undefined) return 'nothing';
  const { hardState, records, entries } = loaded;
  const names = [
    ...records.map((record) => new TextDecoder().decode(record)),
    ...entries.map(({ index, epoch }) => `${index}@${epoch}`),
  ];
  return [`e${hardState.epoch} v${hardState.votedFor?.id ?? '-'}`, ...names].join(' ');
}

/** One thing that happens to a storage, and what is remembered after it. */
export interface Step {
  readonly after: string;
  run(storage: RaftStorage): Promise<void>;
}

const written = (after: string, parts: Partial<StorageBatch>): Step => ({
  after,
  run: (storage) => storage.write(batchOf(parts)),
});

/** Votes, entries, truncations by new leaders, snapshots of this node and of a leader. */
export const story: readonly Step[] = [
  {
    after: 'nothing',
    run: (storage) => storage.begin(threeVoters),
  },
  written('e1 v1', { hardState: vote(1, 1) }),
  written('e1 v1 1@1 2@1 3@1', { entries: [1, 2, 3].map((index) => command(index, 1)) }),
  written('e1 v1 1@1 2@1 3@1 4@1', { entries: [command(4, 1)] }),
  written('e2 v- 1@1 2@1 3@2', {
    ...{ hardState: vote(2, null), truncateFrom: 3, entries: [command(3, 2)] },
  }),
  {
    after: 'e2 v- 1@1 2@1 3@2',
    run: (storage) => storage.saveSnapshot(metaAt(2, 1), ['1@1', '2@1'].map(bytes)),
  },
  written('e2 v- 1@1 2@1 3@2 4@2 5@2', { entries: [4, 5].map((index) => command(index, 2)) }),
  written('e3 v2 1@1 2@1 3@2 4@2 5@2', { hardState: vote(3, 2) }),
  written('e4 v- 1@1 2@1 3@2 4@4', {
    ...{ hardState: vote(4, null), truncateFrom: 4, entries: [command(4, 4)] },
  }),
  written('e5 v- 1@1 2@1 3@3 4@5', {
    ...{ hardState: vote(5, null), snapshot: arrived(4, 5, ['1@1', '2@1', '3@3', '4@5']) },
  }),
  written('e5 v- 1@1 2@1 3@3 4@5 5@5', { entries: [command(5, 5)] }),
  {
    after: 'e5 v- 1@1 2@1 3@3 4@5 5@5',
    run: (storage) =>
      storage.saveSnapshot(metaAt(5, 5), ['1@1', '2@1', '3@3', '4@5', '5@5'].map(bytes)),
  },
  written('e6 v3 1@1 2@1 3@3 4@5 5@5', { hardState: vote(6, 3) }),
];
