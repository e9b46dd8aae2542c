import { expect, test } from 'vitest';
import { MetadataReplica } from '../../../src/controller/metadata-replica.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { beginStorage } from '../../../src/quorum/begin-storage.ts';
import { DataDirectory } from '../../../src/server/data-directory.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

function onMachine() {
  const machine = simulatedEnv({ seed: 3 });
  const run = <T>(promise: Promise<T>): Promise<T> => machine.scheduler.complete(promise);
  const lead = async (path = '/data', clusterId = '') => {
    const options = { path, nodeId: nodeId(1), clusterId, settings: new Map(), ioThreads: 4 };
    const data = await DataDirectory.open(options, machine.env, silentLogger, () => {});
    const replica = new MetadataReplica(data.quorum, data.identity);
    await data.leadAlone(replica);
    return Object.assign(data, { replica });
  };
  const open = (path?: string, clusterId?: string) => run(lead(path, clusterId));
  return { machine, run, lead, open };
}

test('a new folder is made, with those above it, and becomes a cluster of its own', async () => {
  const { machine, run, open } = onMachine();
  const data = await open('/var/lib/varve');
  expect(data.identity).toMatchObject({
    nodeId: 1,
    clusterId: expect.stringMatching(/^[\w-]{22}$/),
  });
  expect(data.replica.image.cluster?.clusterId).toBe(data.identity.clusterId);
  expect(await run(machine.env.files.list('/var/lib'))).toEqual(['varve']);
  await run(data.close());
});

test.for(['varve-data', './varve-data', 'deep/varve-data'])(
  'a folder named %s is made where the process is, and nothing beside it',
  async (path) => {
    const { machine, run, open } = onMachine();
    await run((await open(path)).close());
    const top = path.includes('deep') ? 'deep' : 'varve-data';
    expect(await run(machine.env.files.list('.'))).toEqual([top]);
  },
);

test('a folder is the same one after a restart', async () => {
  const { run, open } = onMachine();
  const first = await open();
  await run(first.close());
  const second = await open();
  expect(second.identity).toEqual(first.identity);
  expect(second.replica.image.cluster).toEqual(first.replica.image.cluster);
});

test('a file in place of the folder is refused', async () => {
  const { machine, run, open } = onMachine();
  const file = await run(machine.env.files.open('/data', 'create'));
  await run(file.close());
  await expect(open()).rejects.toThrow('/data is a file; give a folder for the data');
});

test('metadata without an identity are refused, and not given a new one', async () => {
  const { machine, run, open } = onMachine();
  await run((await open()).close());
  await run(machine.env.files.removeFile('/data/identity.json'));
  await expect(open()).rejects.toThrow(
    '/data holds the metadata of a cluster, but identity.json is missing; restore it from a backup of this folder',
  );
  expect(await run(machine.env.files.stat('/data/identity.json'))).toBeUndefined();
});

test('what was refused has let the folder go', async () => {
  const { run, open } = onMachine();
  await run((await open('/data', 'mine')).close());
  await expect(open('/data', 'other')).rejects.toThrow('belongs to cluster mine, not other');
  await run((await open('/data', 'mine')).close());
});

test('a crash at any moment of the first start leaves a folder that the next one completes', async () => {
  for (let ms = 0; ms < 60; ms += 3) {
    const { machine, run, lead, open } = onMachine();
    void lead();
    await machine.scheduler.run(ms);
    machine.crash('power');
    machine.restart();
    const data = await open();
    expect(data.replica.image.cluster?.clusterId).toBe(data.identity.clusterId);
    await run(data.close());
  }
});

test('a folder that has begun with others gets no cluster id when it is taken for one that is alone', async () => {
  const { machine, run } = onMachine();
  const open = (hasPeers: boolean) => {
    const options = { path: '/data', nodeId: nodeId(1), clusterId: '', settings: new Map() };
    const opened = { ...options, hasPeers, ioThreads: 4 };
    return run(DataDirectory.open(opened, machine.env, silentLogger, () => {}));
  };
  // A crash right after this leaves a folder that does not know its cluster for good.
  const data = await open(true);
  const { directoryId } = data.identity;
  const voters = [1, 2].map((id) => ({ id: nodeId(id), directoryId: `${directoryId}${id}` }));
  await run(beginStorage(data.quorum.storage, { voters, learners: [] }));
  await run(data.close());
  const alone = await open(false);
  const replica = new MetadataReplica(alone.quorum, alone.identity);
  await expect(run(alone.leadAlone(replica))).rejects.toThrow('is of a cluster with nodes 2');
  await run(alone.close());
  expect((await open(true)).identity).toMatchObject({ clusterId: '', directoryId });
});
