import { describe, expect, it } from 'vitest';
import { NO_JOURNAL } from '../../../src/log/journal-format.ts';
import { readJournal } from '../../../src/log/journal-replay.ts';
import { offset, topicId } from '../../../src/model/ids.ts';
import { epoch0, LogWorld, makeBatch, ROOT } from './log-world.ts';

const PART = 'commit-journal.00000000000000000001';
const SEGMENT = '00000000000000000000.log';

/** One batch in the files, three in the journal alone; the marks know up to the first of those. */
async function journaled(journalBytes = 1_000_000): Promise<LogWorld> {
  const world = new LogWorld(1);
  world.config = { ...world.config, journalPartitionsMin: 1, journalBytes };
  await world.start();
  await world.appendDurably(makeBatch({ tag: 0 }));
  await world.appendDurably(makeBatch({ tag: 1 }));
  await world.settle(1500);
  await world.appendDurably(makeBatch({ tag: 2 }));
  await world.appendDurably(makeBatch({ tag: 3 }));
  return world;
}

async function change(
  world: LogWorld,
  name: string,
  edit: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const { files } = world.env;
  const bytes = edit(await world.run(files.readFile(`${ROOT}/${name}`)));
  const file = await world.run(files.open(`${ROOT}/${name}`, 'write'));
  await world.run(file.truncate(0));
  await world.run(file.write(0, [bytes]));
  await world.run(file.sync());
  await world.run(file.close());
}

const rootOf = (world: LogWorld) => world.run(world.env.files.list(ROOT));

describe('a directory with a journal', () => {
  it('brings what is only in the journal into the files when it is opened, and drops the journal', async () => {
    const world = await journaled();
    const size = await world.sizeOf(SEGMENT);
    const { log } = world;
    expect([log.flushedOffset, log.durableOffset]).toEqual([4, 4]);
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(4);
    expect(await world.readAll()).toHaveLength(4);
    expect(await world.sizeOf(SEGMENT)).toBe(4 * size);
    expect(await rootOf(world)).not.toContain(PART);
  });

  it('reads what is only in the journal from memory, and keeps it there', async () => {
    const world = await journaled();
    expect(world.config.tailCacheBytes).toBeLessThan(4000);
    for (let tag = 4; tag < 40; tag++) await world.appendDurably(makeBatch({ tag }));
    expect(await world.readAll()).toHaveLength(40);
  });

  it('numbers the parts on, in the next process, too', async () => {
    const world = await journaled();
    await world.crashAndOpen('process');
    await world.appendDurably(makeBatch({ tag: 4 }));
    expect(await rootOf(world)).toContain('commit-journal.00000000000000000002');
  });

  it('keeps no more of other partitions in memory because one is only in the journal', async () => {
    const world = await journaled();
    const id = topicId('BBBBBBBBBBBBBBBBBBBBBQ');
    const hot = world.directory.openLog({ topic: 'hot', partition: 0 }, id, {
      ...world.topicConfig,
      segmentBytes: 2 ** 30,
    });
    const last = async () => {
      await world.machine.scheduler.run(() => hot.flushedOffset === hot.logEndOffset);
      await world.settle(50);
    };
    // More than may be in the journal alone, so that it goes into the files.
    for (let tag = 0; tag < 4; tag++) {
      hot.append(makeBatch({ tag, valueBytes: 300_000 }), epoch0, 'client');
      await last();
    }
    world.machine.disk.plan({ operation: 'read', path: /hot-0.*\.log/, code: 'EIO' });
    const read = await world.run(Promise.resolve(hot.read(offset(1), 1, offset(4))));
    expect(read.ok, 'it comes from the disk').toBe(false);
  });

  it('takes appends although more is in the journal than may wait to be written', async () => {
    const world = new LogWorld(1);
    world.config = { ...world.config, journalPartitionsMin: 1, unwrittenMaxBytes: 500 };
    await world.start();
    for (let tag = 0; tag < 20; tag++) await world.appendDurably(makeBatch({ tag }));
    expect(await world.readAll()).toHaveLength(20);
  });

  it('is as always after a clean stop', async () => {
    const world = await journaled();
    await world.restartCleanly();
    expect(await rootOf(world)).not.toContain(PART);
    expect(await world.readAll()).toHaveLength(4);
    expect(world.reports.some(({ message }) => message === 'recovering a log')).toBe(false);
  });

  it('does not bring back what was cut off', async () => {
    const world = await journaled();
    await world.run(world.log.truncateTo(world.log.logStartOffset));
    await world.appendDurably(makeBatch({ tag: 9 }));
    await world.crashAndOpen('power');
    expect(world.log.logEndOffset).toBe(1);
    expect(await world.readAll()).toHaveLength(1);
  });

  it('completes a folder that it sets aside', async () => {
    const world = await journaled();
    const size = await world.sizeOf(SEGMENT);
    world.describe = () => 'unknown';
    await world.crashAndOpen('power');
    const stray = (await rootOf(world)).find((name) => name.endsWith('-stray'))!;
    const stat = await world.run(world.env.files.stat(`${ROOT}/${stray}/${SEGMENT}`));
    expect(stat?.size).toBe(4 * size);
  });

  it('stops a partition that lost what the journal builds on', async () => {
    const world = await journaled();
    world.crash('process');
    await world.cutFile(SEGMENT, 10);
    await world.open();
    expect(world.log.corruption).toMatch(/has 10 bytes/);
    // There is no journal any more; what it held is where it belongs, and the mark tells of it.
    await world.crashAndOpen('power');
    expect(world.log.corruption).not.toBeNull();
    expect(await world.sizeOf(SEGMENT)).toBe(4 * makeBatch().length);
  });

  it('stops a partition that lost a segment which the journal continues', async () => {
    const world = await journaled();
    world.crash('process');
    await world.remove(SEGMENT);
    await world.open();
    expect(world.log.corruption).toMatch(/00000\.log is missing/);
    await world.crashAndOpen('power');
    expect(world.log.corruption).not.toBeNull();
  });

  it('knows rot below what was journaled from a torn tail', async () => {
    const world = await journaled();
    const size = await world.sizeOf(SEGMENT);
    world.crash('process');
    await world.run(world.env.files.removeFile(`${ROOT}/durable-marks`));
    await world.flip(SEGMENT, size - 1);
    await world.open();
    expect(world.log.corruption).toMatch(/at byte 0/);
    await world.crashAndOpen('power');
    expect(world.log.corruption).toMatch(/at byte 0/);
  });
});

describe('a damaged journal', () => {
  it('is refused below the mark', async () => {
    const world = await journaled();
    world.crash('process');
    await change(world, PART, (bytes) => bytes.map((byte, at) => (at === 60 ? byte ^ 1 : byte)));
    await expect(world.open()).rejects.toThrow(/commit-journal.* is damaged.*were durable/);
  });

  it('ends at the first frame that is torn, above the mark', async () => {
    const world = await journaled();
    world.crash('process');
    await change(world, PART, (bytes) => bytes.subarray(0, -1));
    await world.open();
    expect(world.log.logEndOffset).toBe(3);
  });

  it('is refused if another part follows and knows more of it', async () => {
    const world = await journaled(1500);
    const id = topicId('BBBBBBBBBBBBBBBBBBBBBQ');
    const other = world.directory.openLog({ topic: 'other', partition: 0 }, id, world.topicConfig);
    const append = async (tag: number): Promise<void> => {
      other.append(makeBatch({ tag }), epoch0, 'client');
      await world.machine.scheduler.run(() => other.flushedOffset === other.logEndOffset);
    };
    await append(0);
    // The first part is full then, and the log is not settled before the crash.
    world.machine.disk.plan({ operation: 'write', path: /orders-0.*\.log/, isStuck: true });
    await world.appendDurably(makeBatch({ tag: 4, valueBytes: 800 }));
    await append(1);
    world.crash('process');
    await world.run(world.env.files.removeFile(`${ROOT}/durable-marks`));
    const [first, second] = (await rootOf(world)).filter((name) => name.startsWith('commit-j'));
    expect(second).toBeDefined();
    await change(world, first!, (bytes) => bytes.subarray(0, -1));
    await expect(world.open()).rejects.toThrow(/the next part knows more of it/);
  });

  it('is found empty where there is none, numbered on from what the marks know', async () => {
    const world = new LogWorld(1);
    await world.start();
    const { files } = world.env;
    const none = await world.run(readJournal(files, ROOT, NO_JOURNAL));
    expect([none.parts, none.nextNumber]).toEqual([[], 1]);
    const later = await world.run(readJournal(files, ROOT, { part: 8, position: 99 }));
    expect(later.nextNumber).toBe(9);
    const key = { topicId: topicId('AAAAAAAAAAAAAAAAAAAAAQ'), partition: 0 };
    expect(later.writesOf(key)).toEqual([]);
  });
});
