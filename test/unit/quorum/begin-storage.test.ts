import { expect, test } from 'vitest';
import { nodeId } from '../../../src/model/ids.ts';
import { beginStorage } from '../../../src/quorum/begin-storage.ts';
import { RaftStorage, startState } from '../../../src/quorum/raft-storage.ts';
import type { Configuration } from '../../../src/raft/configuration.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

const configurationOf = (...directories: string[]): Configuration => ({
  voters: directories.map((directoryId, i) => ({ id: nodeId(i + 1), directoryId })),
  learners: [],
});

/** A machine on which a storage can be opened, worked on, and lose power. */
async function openMachine() {
  const machine = simulatedEnv({ seed: 1 });
  const { scheduler } = machine;
  const { files } = machine.env;
  await scheduler.complete(files.makeDirectory('/data').then(() => files.syncDirectory('/')));
  const begun = async (initial: Configuration | null): Promise<void> => {
    const work = async (): Promise<void> => {
      const { storage } = await RaftStorage.open(machine.env, '/data');
      await beginStorage(storage, initial);
    };
    await scheduler.complete(work());
    machine.crash('power');
    machine.restart();
  };
  const found = () =>
    scheduler.complete(
      RaftStorage.open(machine.env, '/data').then(({ storage, loaded }) =>
        startState(storage, loaded),
      ),
    );
  return { begun, found };
}

test('the members outlive a power cut that comes right after', async () => {
  const { begun, found } = await openMachine();
  await begun(configurationOf('a', 'b', 'c'));
  const { snapshot, hardState, entries } = await found();
  expect(snapshot!.configuration).toEqual(configurationOf('a', 'b', 'c'));
  expect(hardState).toMatchObject({ epoch: 0, votedFor: null });
  expect(entries).toEqual([]);
});

test('a node that did not come to know its cluster begins again, perhaps with others', async () => {
  const { begun, found } = await openMachine();
  await begun(configurationOf('a', 'b', 'c'));
  await begun(configurationOf('a', 'new', 'c'));
  const { snapshot } = await found();
  expect(snapshot!.configuration).toEqual(configurationOf('a', 'new', 'c'));
});

test('an observer begins without members', async () => {
  const { begun, found } = await openMachine();
  await begun(null);
  expect(await found()).toMatchObject({ snapshot: null, entries: [] });
});
