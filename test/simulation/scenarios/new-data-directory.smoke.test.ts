import { expect, test } from 'vitest';
import { MetadataReplica } from '../../../src/controller/metadata-replica.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { DataDirectory } from '../../../src/server/data-directory.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { simulatedEnv } from '../env/simulated-env.ts';

// Seed 279: the first start was killed after it had made the folder, the second one found it there and
// did not make its name durable, and a power cut long after took everything.
test('a data directory whose making was interrupted outlives a power cut once it is in use', async () => {
  for (let seed = 0; seed < 100; seed++) {
    const machine = simulatedEnv({ seed });
    const { scheduler } = machine;
    const open = async (): Promise<DataDirectory> => {
      const data = await DataDirectory.open(
        {
          path: '/var/lib/varve',
          nodeId: nodeId(1),
          clusterId: '',
          settings: new Map(),
          ioThreads: 4,
        },
        machine.env,
        silentLogger,
        (error) => {
          throw error;
        },
      );
      await data.leadAlone(new MetadataReplica(data.quorum, data.identity));
      return data;
    };
    void open();
    await scheduler.run((seed % 20) / 4);
    machine.crash('process');
    machine.restart();
    const { identity } = await scheduler.complete(open());
    machine.crash('power');
    machine.restart();
    expect((await scheduler.complete(open())).identity).toEqual(identity);
  }
});
