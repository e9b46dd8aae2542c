import { beforeEach, describe, expect, it } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { FileSystem } from '../../../src/env/ports.ts';
import { offsetFile } from '../../../src/log/file-names.ts';
import { LogReports } from '../../../src/log/log-reports.ts';
import { loadProducers, saveProducers } from '../../../src/log/producer-files.ts';
import { encodeProducers } from '../../../src/log/producer-snapshot.ts';
import { ProducerStates } from '../../../src/log/producer-states.ts';
import { offset, producerId } from '../../../src/model/ids.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';

/** Producer 1 after `count` batches of one record. */
function statesAfter(count: number): ProducerStates {
  const states = new ProducerStates(10);
  for (let i = 0; i < count; i++) {
    const sequence = { baseSequence: i, lastSequence: i };
    const batch = { producerId: producerId(1), producerEpoch: 0, maxTimestamp: 1, ...sequence };
    states.append({ ...batch, isTransactional: false }, offset(i), offset(i), 1);
  }
  return states;
}

let files: FileSystem;
const warnings: string[] = [];
const reporter = new LogReports(
  { info: () => {}, warn: (_: object, message: string) => warnings.push(message), error: () => {} },
  noMetrics,
);

async function load(from: number, to: number) {
  const states = new ProducerStates(10);
  const range = { from: offset(from), to: offset(to) };
  const at = await loadProducers(files, 'log', range, { states, reporter });
  return { at, batches: states.get(producerId(1))?.batches.length ?? 0 };
}

async function damage(name: string): Promise<void> {
  const file = await files.open(`log/${name}`, 'write');
  await file.write(12, [new Uint8Array([0xff])]);
  await file.close();
}

describe('producer snapshots', () => {
  beforeEach(async () => {
    warnings.length = 0;
    ({ files } = memoryEnv());
    await files.makeDirectory('log');
    for (const count of [10, 20, 30]) {
      const snapshot = encodeProducers(statesAfter(count).all());
      await saveProducers(files, 'log', offset(count), snapshot);
    }
  });

  it('are loaded from the newest that is not beyond the end', async () => {
    expect(await load(0, 99)).toEqual({ at: 30, batches: 5 });
    expect(await load(0, 29)).toEqual({ at: 20, batches: 5 });
  });

  it('are passed over if they are damaged', async () => {
    await damage(offsetFile(offset(30), '.producers'));
    expect(await load(0, 99)).toEqual({ at: 20, batches: 5 });
    expect(warnings).toEqual(['a producer snapshot is not used']);
  });

  it('are of no use if what follows them is not in the log any more', async () => {
    await damage(offsetFile(offset(30), '.producers'));
    expect(await load(25, 99)).toEqual({ at: 30, batches: 1 });
  });

  it('of Kafka are used only if the log does not go back to its first record', async () => {
    for (const at of [10, 20, 30])
      await files.removeFile(`log/${offsetFile(offset(at), '.producers')}`);
    expect(await load(10, 99)).toEqual({ at: 30, batches: 1 });
    expect(await load(0, 99)).toEqual({ at: 0, batches: 0 });
  });
});
