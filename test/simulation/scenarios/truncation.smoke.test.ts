import { expect, test } from 'vitest';
import { offset, producerId } from '../../../src/model/ids.ts';
import { LogWorld, makeBatch } from '../../unit/log/log-world.ts';
import { Explorer } from '../crash-states/explorer.ts';
import { mixedLogScript } from '../crash-states/mixed-scripts.ts';
import type { DiskState } from '../env/disk-state.ts';
import { SimulatedMachine } from '../env/simulated-env.ts';

const batchOf = (baseSequence: number): Uint8Array =>
  makeBatch({ producer: { id: producerId(1), epoch: 0, baseSequence } });

// Crash states of "mixed logs", seed 48: the marks were prepared between the beginning of a truncation
// and its turn, and the producers of the cut batches were saved as those of the new end.
test('a batch that was cut is taken again, although the producers were saved just before the cut', async () => {
  const world = new LogWorld(1);
  world.config = { ...world.config, producerSnapshotBytes: 1 };
  await world.start();
  for (const sequence of [0, 1]) await world.appendDurably(batchOf(sequence));
  const prepared = world.log.prepareMark();
  const cut = world.log.truncateTo(offset(1));
  await world.run(Promise.all([prepared, cut]));
  expect(world.append(batchOf(0))).toMatchObject({ duplicate: true, baseOffset: 0 });
  expect(world.append(batchOf(1))).toMatchObject({ duplicate: false, baseOffset: 1 });
});

test('a crash while retention and a cut wait for each other leaves a log that is whole', async () => {
  const world = new LogWorld(1);
  world.topicConfig = { ...world.topicConfig, retentionMs: 1 };
  await world.start();
  for (const sequence of [0, 1, 2]) await world.appendDurably(batchOf(sequence));
  const { log } = world;
  const { disk } = world.machine;
  const moments: DiskState[] = [];
  disk.onChange = () => moments.push(disk.state.clone());
  const retained = log.applyRetention(world.env.clock.wallMs(), log.flushedOffset);
  const cut = log.truncateTo(offset(1));
  await world.run(Promise.all([retained, cut]));
  expect([log.logStartOffset, log.logEndOffset]).toEqual([1, 1]);
  expect(moments.length).toBeGreaterThan(5);
  for (const moment of moments) {
    const next = new LogWorld(1, new SimulatedMachine({ seed: 1, disk: moment }));
    await next.open();
    expect(next.log.corruption).toBeNull();
  }
});

// A flush that a truncation overtook had finished two segments, and other marks told of them; the cut
// took files of theirs away, and left the marks, as the durable end was below it.
test('the marks on disk tell of no finished segment that is being cut', async () => {
  const explorer = new Explorer({ seed: 720, mostWays: [0], oneMomentIn: 40, samples: 2 });
  await explorer.explore(mixedLogScript(720));
  expect(explorer.totals.states).toBeGreaterThan(20);
});

// Marks told of segments as finished that such a flush had finished above the durable end. The next start
// removed their producer snapshots as too new, and did not make them again: after retention had taken
// the batches before them, repetitions were stored once more.
test.each([50, 422, 454])(
  'the marks tell of no finished segment above the durable end (seed %i)',
  async (seed) => {
    const explorer = new Explorer({ seed, mostWays: [0], oneMomentIn: 40, samples: 2 });
    await explorer.explore(mixedLogScript(seed));
    expect(explorer.totals.states).toBeGreaterThan(20);
  },
);
