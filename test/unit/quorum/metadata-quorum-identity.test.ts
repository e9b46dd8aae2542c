import { expect, test } from 'vitest';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import { MetadataQuorum } from '../../../src/quorum/metadata-quorum.ts';
import type { StorageBatch } from '../../../src/quorum/raft-storage.ts';
import type { Configuration, Member } from '../../../src/raft/configuration.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

const member = (id: number, directoryId: string): Member => ({ id: nodeId(id), directoryId });
const others = [member(1, 'd1'), member(3, 'd3')];
const formed: Configuration = { voters: [...others, member(2, 'd2')], learners: [] };
const epoch = leaderEpoch(1);

/** A directory that was begun, has stored a batch, and whose process was killed; then it is started as `self`. */
async function restarted(begun: Configuration | null, batch: Partial<StorageBatch>, self: Member) {
  const machine = simulatedEnv({ seed: 1 });
  const done = <T>(promise: Promise<T>) => machine.scheduler.complete(promise);
  await done(machine.env.files.makeDirectory('/data'));
  const open = () =>
    done(
      MetadataQuorum.open(
        {
          ...{ dataDirectory: '/data', snapshotIntervalEntries: 1000 },
          onFatal: (error) => expect.unreachable(`${error}`),
        },
        machine.env,
        silentLogger,
      ),
    );
  const first = await open();
  await done(first.begin(begun));
  const nothing = { hardState: null, truncateFrom: null, entries: [], snapshot: null };
  await done(first.storage.write({ ...nothing, ...batch }));
  machine.crash('process');
  machine.restart();
  const quorum = await open();
  quorum.start(
    self,
    { send: () => {} },
    {
      ...{ apply: () => {}, restore: () => {}, became: () => {} },
      snapshot: () => ({ position: 0, records: () => [] }),
    },
  );
  return quorum.status;
}

test('a node that takes the place of one whose disk is gone may crash before its log knows of it (S32)', async () => {
  // The leader sends its log from the beginning, where node 2 has its first disk.
  const entries = [{ index: 1, epoch, kind: 'configuration', configuration: formed } as const];
  const hardState = { epoch, votedFor: null };
  const { role, votedFor } = await restarted(null, { hardState, entries }, member(2, 'd2-2'));
  expect({ role, votedFor }).toEqual({ role: 'follower', votedFor: null });
});

test('the directory that a cluster was formed with is not taken by another one under its id', async () => {
  const batch = { hardState: { epoch, votedFor: null } };
  await expect(restarted(formed, batch, member(2, 'd2-2'))).rejects.toThrow(DamagedMetadataError);
  expect((await restarted(formed, batch, member(2, 'd2'))).role).toBe('follower');
});

test('a directory that has voted for itself is not taken by another one under its id', async () => {
  const entries = [{ index: 1, epoch, kind: 'configuration', configuration: formed } as const];
  const batch = { hardState: { epoch, votedFor: member(2, 'd2') }, entries };
  await expect(restarted(null, batch, member(2, 'd2-2'))).rejects.toThrow(
    'its log knows node 2 with data directory d2, and this one is d2-2',
  );
  expect((await restarted(null, batch, member(2, 'd2'))).role).toBe('follower');
});
