import { verifyFolder } from '../../../src/log/inspect.ts';
import { offsetsOf } from '../../../src/log/producer-files.ts';
import { leaderEpoch, type Offset, offset, producerId, topicId } from '../../../src/model/ids.ts';
import { epoch0, FOLDER, LogWorld, makeBatch, ROOT } from '../../unit/log/log-world.ts';
import { MetadataSession } from '../crash-states/metadata-session.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import { type SyncTrigger, SyncWatch } from '../sync-watch.ts';

/**
 * A short story of one log, for syncs that matter only if crashes come at just the right places, or
 * that the broker does not come to by itself. Under every seed all is well, unless a sync is taken out.
 */
export interface SyncScenario {
  readonly name: string;
  /** Says or throws what is wrong; `undefined` if all is well. */
  play(stage: Stage): Promise<string | undefined>;
}

export interface ScenarioResult {
  readonly problem: string | undefined;
  /** Sync sites that were reached, with how often. */
  readonly sites: ReadonlyMap<string, number>;
}

/** Plays a scenario on a machine of its own, without the syncs of the site `drop`. */
export async function playScenario(
  scenario: SyncScenario,
  settings: { readonly seed: number; readonly drop?: string },
): Promise<ScenarioResult> {
  const stage = new Stage(settings.seed, settings.drop);
  let problem: string | undefined;
  try {
    problem = await scenario.play(stage);
    const [failure] = stage.world.failures;
    problem ??= failure?.message;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  return { problem, sites: stage.syncs.counts };
}

class Stage {
  readonly world: LogWorld;
  readonly syncs: SyncWatch;
  readonly random: SimulatedRandom;

  constructor(seed: number, drop: string | undefined) {
    this.world = new LogWorld(seed);
    this.syncs = new SyncWatch(this.world.machine.disk, ROOT, drop);
    this.random = new SimulatedRandom(seed).fork('scenario');
  }

  /** Begins work and ends the process where a sync begins, or after the work if none such comes. */
  async crashAt(
    kind: 'process' | 'power',
    trigger: SyncTrigger,
    begin: () => Promise<unknown>,
  ): Promise<void> {
    const { world } = this;
    const { scheduler } = world.machine;
    let isDue = false;
    const due = (): void => {
      isDue = true;
    };
    this.syncs.arm(trigger, due);
    begin().then(due, due);
    await scheduler.run(() => isDue);
    this.syncs.disarm();
    world.crash(kind);
  }

  /** Twelve batches of one record, in segments of three: bases 0, 3, 6 and 9. The marks know all. */
  async twelveBatches(): Promise<void> {
    const { world } = this;
    world.topicConfig = { ...world.topicConfig, segmentBytes: 700 };
    await world.start();
    for (let tag = 0; tag < 12; tag++) {
      await world.appendDurably(makeBatch({ valueBytes: 150, tag }));
    }
    await world.settle(2000);
  }

  /** What is wrong with a log that must end at `end`, or anywhere between. */
  async check(end: { readonly least: number; readonly most: number }): Promise<string | undefined> {
    const { log } = this.world;
    if (log.corruption !== null) return log.corruption;
    const { logEndOffset } = log;
    if (logEndOffset < end.least || logEndOffset > end.most) {
      return `the log ends at ${logEndOffset}, not at ${end.least} to ${end.most}`;
    }
    const batches = await this.world.readAll();
    const expected = logEndOffset - log.logStartOffset;
    return batches.length >= expected
      ? undefined
      : `${batches.length} batches of ${expected} can be read`;
  }

  async appendAndCut(tag: number): Promise<Offset> {
    await this.world.appendDurably(makeBatch({ valueBytes: 150, tag }));
    const end = this.world.log.logEndOffset;
    await this.world.crashAndOpen('power');
    return end;
  }
}

const from = (id: number, baseSequence: number): Uint8Array =>
  makeBatch({ producer: { id: producerId(id), epoch: 0, baseSequence } });

const marksFile = /durable-marks\.tmp$/;
const dataDirectory = new RegExp(`^${ROOT}$`);
const logFolder = new RegExp(`^${FOLDER}$`);

/** One partition has bytes in the first part of the journal, and a void in the second; then it was written anew. */
async function voidInSecondPart(
  stage: Stage,
  options: { readonly isFirstStuck: boolean },
): Promise<() => Promise<void>> {
  const { world } = stage;
  const { disk } = world.machine;
  world.config = { ...world.config, journalPartitionsMin: 1, journalBytes: 2000 };
  await world.start();
  const other = world.directory.openLog(
    { topic: 'other', partition: 0 },
    topicId('BBBBBBBBBBBBBBBBBBBBBQ'),
    world.topicConfig,
  );
  const append = async (valueBytes: number): Promise<void> => {
    other.append(makeBatch({ valueBytes }), epoch0, 'client');
    await world.machine.scheduler.run(() => other.flushedOffset === other.logEndOffset);
  };
  await world.appendDurably(makeBatch({ tag: 0 }));
  await append(1);
  await world.appendDurably(makeBatch({ tag: 1 }));
  // The first part is full then, and its partitions are settled.
  const path = /other-0.*\.log/;
  if (options.isFirstStuck) disk.plan({ operation: 'write', path, isStuck: true });
  await append(900);
  await world.run(world.log.truncateTo(offset(1)));
  await world.appendDurably(makeBatch({ tag: 2 }), leaderEpoch(1));
  return () => append(900);
}

export const syncScenarios: readonly SyncScenario[] = [
  {
    name: 'the first entry of a cluster',
    async play({ world }) {
      const { machine } = world;
      const session = new MetadataSession(machine, 1000);
      await world.run(session.begin());
      await world.run(session.append(1));
      world.crash('power');
      await world.run(session.reopen(machine, session.expected()));
      return undefined;
    },
  },
  {
    name: 'two parts of the journal that go one after the other',
    async play(stage) {
      const fill = await voidInSecondPart(stage, { isFirstStuck: false });
      await fill();
      await stage.world.settle(20);
      await stage.world.crashAndOpen('power');
      return await stage.check({ least: 2, most: 2 });
    },
  },
  {
    name: 'two parts of the journal that an earlier process has left',
    async play(stage) {
      await voidInSecondPart(stage, { isFirstStuck: true });
      stage.world.machine.disk.clearFaults();
      await stage.world.crashAndOpen('process');
      await stage.world.crashAndOpen('power');
      return await stage.check({ least: 2, most: 2 });
    },
  },
  {
    name: 'a folder that is set aside with what the journal holds of it',
    async play(stage) {
      const { world } = stage;
      world.config = { ...world.config, journalPartitionsMin: 1 };
      await world.start();
      for (let tag = 0; tag < 3; tag++) await world.appendDurably(makeBatch({ tag }));
      world.crash('power');
      world.describe = () => 'unknown';
      await world.open();
      await world.crashAndOpen('power');
      const { files } = world.env;
      const names = await world.run(files.list(ROOT));
      const stray = names.find((name) => name.endsWith('-stray'));
      const path = `${ROOT}/${stray}/00000000000000000000.log`;
      const bytes = await world.run(files.readFile(path));
      const { length } = makeBatch({});
      if (bytes.length !== 3 * length) return `${bytes.length} of ${3 * length} bytes are there`;
      return bytes.every((byte) => byte === 0) ? 'only zeros are there' : undefined;
    },
  },
  {
    name: 'the first append',
    async play(stage) {
      const { world, random } = stage;
      await world.start();
      await stage.crashAt('power', { count: random.between(1, 5) }, () => {
        world.append(makeBatch());
        return new Promise<void>((resolve) => {
          world.log.onFlushed = () => resolve();
        });
      });
      await world.open();
      const found = await stage.check({ least: 0, most: 1 });
      if (found !== undefined) return found;
      const end = await stage.appendAndCut(1);
      return await stage.check({ least: end, most: end });
    },
  },
  {
    // The process dies between the rename of the marks and the sync of their folder; the next one
    // reads them and removes segments by what they say, and then the power fails.
    name: 'marks whose name is not durable yet',
    async play(stage) {
      const { world } = stage;
      await stage.twelveBatches();
      await stage.crashAt('process', { path: dataDirectory, count: 1 }, () =>
        world.log.advanceLogStart(offset(8)),
      );
      await stage.crashAt('power', { path: marksFile, count: 1 }, () => world.beginOpening());
      await world.open();
      return await stage.check({ least: 12, most: 12 });
    },
  },
  {
    name: 'a truncation that is cut down',
    async play(stage) {
      const { world, random } = stage;
      await stage.twelveBatches();
      const target = random.between(1, 5);
      await stage.crashAt('power', { path: logFolder, count: random.between(1, 4) }, () =>
        world.log.truncateTo(offset(target)),
      );
      await world.open();
      const found = await stage.check({ least: target, most: 12 });
      if (found !== undefined) return found;
      const end = await stage.appendAndCut(1);
      return await stage.check({ least: end, most: end });
    },
  },
  {
    name: 'a truncation that is done',
    async play(stage) {
      const { world, random } = stage;
      await stage.twelveBatches();
      const target = random.between(1, 11);
      await world.run(world.log.truncateTo(offset(target)));
      if (random.chance(0.5)) await world.settle(2000);
      await world.crashAndOpen('power');
      const found = await stage.check({ least: target, most: target });
      if (found !== undefined) return found;
      const end = await stage.appendAndCut(1);
      return await stage.check({ least: end, most: end });
    },
  },
  {
    name: 'a producer snapshot from beyond a truncation',
    async play({ world }) {
      world.topicConfig = { ...world.topicConfig, segmentBytes: 100_000 };
      await world.start();
      for (let i = 0; i < 4; i++) await world.appendDurably(from(1, i));
      // Leaves a snapshot of producer 1 at offset 4.
      await world.restartCleanly();
      await world.run(world.log.truncateTo(offset(1)));
      for (let i = 0; i < 6; i++) await world.appendDurably(from(2, i));
      await world.settle(1500);
      await world.crashAndOpen('power');
      const again = world.append(from(2, 1));
      if (!again.ok || !again.duplicate) return 'a batch of producer 2 is not known again';
      const next = world.append(from(1, 1));
      return next.ok && !next.duplicate ? undefined : 'a batch that was cut is taken for known';
    },
  },
  {
    name: 'a producer snapshot inside a segment',
    async play({ world }) {
      // So that after a crash no more than this is read for the producers.
      world.config = { ...world.config, producerSnapshotBytes: 1, marksIntervalMs: 5 };
      world.topicConfig = { ...world.topicConfig, segmentBytes: 100_000 };
      await world.start();
      for (let i = 0; i < 3; i++) await world.appendDurably(from(1, i));
      await world.settle(200);
      world.crash('power');
      const names = await world.names();
      for (const suffix of ['.producers', '.snapshot'] as const) {
        const newest = offsetsOf(names, suffix).at(-1);
        if (newest !== 3) return `the newest ${suffix} is of offset ${newest}, not 3`;
      }
      const findings = verifyFolder(world.env.files, FOLDER);
      const first = await world.run(findings.next());
      return first.done ? undefined : `${first.value.file}: ${first.value.problem}`;
    },
  },
];
