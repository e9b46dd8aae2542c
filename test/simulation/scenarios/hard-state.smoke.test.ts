import { expect, test } from 'vitest';
import type { Env } from '../../../src/env/ports.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { LoneQuorum } from '../../support/lone-quorum.ts';
import type { DiskState } from '../env/disk-state.ts';
import { EveryFate } from '../env/fate.ts';
import { SimulatedMachine, simulatedEnv } from '../env/simulated-env.ts';

const open = (env: Env): Promise<LoneQuorum> =>
  LoneQuorum.open(
    {
      dataDirectory: '/data',
      nodeId: nodeId(1),
      snapshotIntervalEntries: 1000,
      onFatal: () => {},
    },
    env,
    silentLogger,
  );

// Crash states of "appends of metadata": the process died between the write of a slot and its sync, the
// next one believed that slot and wrote the other, and the power failed: the first had never become
// durable, the second was torn, and the node refused to start.
test('a slot of the hard state that was only in the page cache is durable before the other one is written', async () => {
  const machine = simulatedEnv({ seed: 1 });
  const { scheduler, disk } = machine;
  const begin = async (): Promise<void> => {
    await machine.env.files.makeDirectory('/data');
    await machine.env.files.syncDirectory('/');
    const quorum = await open(machine.env);
    await quorum.form('c', 'd');
    disk.plan({ operation: 'sync', path: /hard-state$/, isStuck: true });
    quorum.append([new Uint8Array(4)]);
  };
  await scheduler.complete(begin());
  await scheduler.run(1000);
  machine.crash('process');
  disk.clearFaults();
  const moments: DiskState[] = [];
  disk.onChange = () => moments.push(disk.state.clone());
  await scheduler.complete(open(machine.restart()));
  expect(moments.length).toBeGreaterThan(4);
  for (const moment of moments) {
    const fate = new EveryFate();
    while (fate.next()) {
      const left = moment.clone();
      left.cut(fate);
      const next = new SimulatedMachine({ seed: 1, disk: left });
      const quorum = await next.scheduler.complete(open(next.env));
      expect(quorum.isFormed).toBe(true);
    }
  }
});
