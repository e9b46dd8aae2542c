import { beforeEach, describe, expect, it } from 'vitest';
import { decodeMarks, encodeMarks, type LogMark } from '../../../src/log/durable-marks.ts';
import { offset, producerId } from '../../../src/model/ids.ts';
import { FOLDER, LogWorld, makeBatch, ROOT } from './log-world.ts';

const file = (at: number, suffix: string): string => `${String(at).padStart(20, '0')}${suffix}`;
const messages = (): string[] => world.reports.map(({ message }) => message);

let world: LogWorld;

/** Ten batches of one record and 150 bytes of value (229 bytes each), in segments of three. */
async function tenBatches(): Promise<void> {
  world.topicConfig = { ...world.topicConfig, segmentBytes: 700 };
  await world.start();
  for (let i = 0; i < 10; i++) {
    const producer = { id: producerId(1), epoch: 0, baseSequence: i };
    await world.appendDurably(makeBatch({ valueBytes: 150, tag: i, producer }));
  }
  // The marks are written within a second.
  await world.settle(2000);
}

async function segments(): Promise<number[]> {
  const names = await world.names();
  return names.filter((name) => name.endsWith('.log')).map((name) => Number(name.slice(0, 20)));
}

describe('recovery', () => {
  beforeEach(() => {
    world = new LogWorld(11);
  });

  it('rule 3: a bad batch below the mark is corruption: the log is out of service, nothing is cut', async () => {
    await tenBatches();
    expect(await segments()).toEqual([0, 3, 6, 9]);
    world.crash('process');
    await world.flip(file(9, '.log'), 100);
    await world.open();
    const { log } = world;
    expect(log.corruption).toContain(
      `${FOLDER}/${file(9, '.log')} at byte 0: a batch fails its checksum`,
    );
    expect(log.append(makeBatch(), 0 as never, 'client')).toMatchObject({
      ok: false,
      row: { name: 'KAFKA_STORAGE_ERROR' },
      detail: 'orders-0 is damaged; the log of the broker says where',
    });
    expect(log.read(offset(0), 100, offset(1))).toMatchObject({
      ok: false,
      row: { name: 'CORRUPT_MESSAGE' },
    });
    expect(await world.sizeOf(file(9, '.log'))).toBeGreaterThan(200);
    // It stays so, also after a stop in order.
    await world.restartCleanly();
    expect(world.log.corruption).toContain('at byte 0');
  });

  it('rule 3: a file that is shorter than the mark is corruption', async () => {
    await tenBatches();
    world.crash('process');
    await world.cutFile(file(9, '.log'), 100);
    await world.open();
    expect(world.log.corruption).toContain('has 100 bytes');
  });

  it('rule 3: bad bytes above the mark are a torn tail and are cut', async () => {
    await tenBatches();
    const whole = await world.sizeOf(file(9, '.log'));
    await world.appendDurably(makeBatch({ valueBytes: 150 }));
    world.crash('process');
    await world.flip(file(9, '.log'), whole + 100);
    await world.open();
    expect(world.log.corruption).toBe(null);
    expect(world.log.logEndOffset).toBe(10);
    expect(await world.sizeOf(file(9, '.log'))).toBe(whole);
    expect(messages()).toContain('cut a torn tail: bytes that were never acknowledged as durable');
  });

  it('rule 3: a mark follows within a second', async () => {
    await tenBatches();
    await world.appendDurably(makeBatch({ valueBytes: 150 }));
    await world.settle(1100);
    const whole = await world.sizeOf(file(9, '.log'));
    world.crash('process');
    await world.flip(file(9, '.log'), whole - 1);
    await world.open();
    expect(world.log.corruption).toContain('fails its checksum');
  });

  it('takes bad bytes in a segment that another follows for corruption, mark or no mark', async () => {
    await tenBatches();
    world.crash('process');
    await world.run(world.env.files.removeFile('data/durable-marks'));
    await world.flip(file(3, '.log'), 300);
    await world.open();
    expect(world.log.corruption).toContain(`${file(3, '.log')} at byte`);
  });

  it('finds that a segment is missing', async () => {
    for (const [base, text] of [
      [9, 'it was durable up to offset 10'],
      [0, 'the log starts at offset 0, but the first segment at 3'],
    ] as const) {
      world = new LogWorld(12);
      await tenBatches();
      world.crash('process');
      await world.remove(file(base, '.log'));
      await world.open();
      expect(world.log.corruption).toContain(text);
    }
  });

  it('answers CORRUPT_MESSAGE for what is missing in the middle, when it is read', async () => {
    await tenBatches();
    world.crash('process');
    await world.remove(file(3, '.log'));
    await world.open();
    for (let at = 0; at < 10; at++) {
      const outcome = await world.run(Promise.resolve(world.log.read(offset(at), 1, offset(10))));
      const isMissing = at >= 3 && at < 6;
      expect(outcome).toMatchObject(
        isMissing ? { row: { name: 'CORRUPT_MESSAGE' } } : { ok: true },
      );
    }
  });

  it('survives any flipped bit in the indexes of the active segment', async () => {
    await tenBatches();
    const last = (await world.names()).filter((name) => name.endsWith('.timeindex')).at(-1)!;
    await world.run(world.directory.close());
    const size = await world.sizeOf(last);
    expect(size).toBeGreaterThan(0);
    for (let byte = 0; byte < size; byte++) {
      world.crash('process');
      const file = await world.run(world.env.files.open(`${FOLDER}/${last}`, 'write'));
      const [value] = await world.run(file.read(byte, 1));
      await world.run(file.write(byte, [Uint8Array.of(value! ^ 0x80)]));
      await world.run(file.close());
      await world.open();
      expect(world.log.corruption).toBe(null);
      expect(await world.readAll()).toHaveLength(10);
      await world.run(world.directory.close());
    }
    expect(world.reports.map(({ message }) => message)).toContain('indexes were made anew');
  });

  it('finds a leader epoch that is not the one the marks know', async () => {
    await tenBatches();
    world.crash('process');
    // The checksum of a batch does not cover its leader epoch.
    await world.flip(file(9, '.log'), 15);
    await world.open();
    expect(world.log.corruption).toContain('leader epoch 1 where 0 is known');
  });

  it('needs no index, no snapshot and no checkpoint: all of them can be derived', async () => {
    await tenBatches();
    world.config = { ...world.config, tailCacheBytes: 0 };
    for (const isClean of [true, false]) {
      const before = await world.readAll();
      if (isClean) await world.run(world.directory.close());
      world.crash('process');
      for (const name of await world.names()) {
        if (!name.endsWith('.log') && name !== 'partition.metadata') await world.remove(name);
      }
      await world.open();
      expect(world.log.corruption).toBe(null);
      expect(await world.readAll()).toEqual(before);
      expect(world.log.leaderEpochs.entries).toEqual([{ epoch: 0, startOffset: 0 }]);
      const producer = { id: producerId(1), epoch: 0, baseSequence: 6 };
      expect(world.append(makeBatch({ valueBytes: 150, tag: 6, producer }))).toMatchObject({
        duplicate: true,
        baseOffset: 6,
      });
    }
  });

  it('restores the topic id of a folder from the marks', async () => {
    await tenBatches();
    world.crash('process');
    await world.cutFile('partition.metadata', 5);
    await world.open();
    expect(world.log.logEndOffset).toBe(10);
    expect(await world.sizeOf('partition.metadata')).toBeGreaterThan(30);
  });

  it('does not believe a clean stop if the files have other sizes since', async () => {
    await tenBatches();
    await world.run(world.directory.close());
    world.crash('process');
    await world.cutFile(file(3, '.log'), 300);
    await world.open();
    expect(messages()).toContain('recovering a log');
  });

  it('forgets a producer snapshot from beyond a cut, also if the power fails right after', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      world = new LogWorld(seed);
      world.topicConfig = { ...world.topicConfig, segmentBytes: 100_000 };
      await world.start();
      const batch = (id: number, baseSequence: number) =>
        makeBatch({ producer: { id: producerId(id), epoch: 0, baseSequence } });
      for (let i = 0; i < 4; i++) await world.appendDurably(batch(1, i));
      // Leaves a snapshot of producer 1 at offset 4.
      await world.restartCleanly();
      await world.run(world.log.truncateTo(offset(1)));
      for (let i = 0; i < 6; i++) await world.appendDurably(batch(2, i));
      await world.settle(1500);
      await world.crashAndOpen('power');
      expect(world.append(batch(2, 1))).toMatchObject({ duplicate: true, baseOffset: 2 });
      expect(world.append(batch(1, 1))).toMatchObject({ ok: true, duplicate: false });
    }
  });

  it('makes the names durable that a dead process has made', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      world = new LogWorld(seed);
      await world.start();
      world.append(makeBatch());
      await world.settle(seed * 0.3);
      await world.crashAndOpen('process');
      await world.appendDurably(makeBatch());
      const end = world.log.flushedOffset;
      await world.crashAndOpen('power');
      expect(world.log.logEndOffset).toBe(end);
    }
  });

  it('forgets a producer snapshot for good that is ahead of what is left', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      world = new LogWorld(seed);
      world.config = { ...world.config, producerSnapshotBytes: 1, marksIntervalMs: 5 };
      world.topicConfig = { ...world.topicConfig, segmentBytes: 100_000 };
      await world.start();
      const batch = (id: number, baseSequence: number) =>
        makeBatch({ producer: { id: producerId(id), epoch: 0, baseSequence } });
      await world.appendDurably(batch(1, 0));
      // What is appended while a batch is fsynced is in the snapshot and not on the disk.
      world.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs: 500 });
      world.append(batch(1, 1));
      await world.settle(20);
      for (let i = 2; i < 4; i++) world.append(batch(1, i));
      await world.settle(482 + seed * 0.5);
      // No later snapshot makes the removal of this one durable by the way.
      world.config = { ...world.config, producerSnapshotBytes: 1e9 };
      await world.crashAndOpen('power');
      const end = world.log.logEndOffset;
      for (let i = 0; i < 5; i++) await world.appendDurably(batch(2, i));
      await world.settle(50);
      await world.crashAndOpen('power');
      expect(world.append(batch(2, 0))).toMatchObject({ duplicate: true, baseOffset: end });
    }
  });

  it('vouches no longer for index entries of batches that are lost', async () => {
    let lost = 0;
    for (let seed = 1; seed <= 30; seed++) {
      world = new LogWorld(seed);
      world.config = { ...world.config, marksIntervalMs: 5 };
      world.topicConfig = { ...world.topicConfig, segmentBytes: 100_000 };
      await world.start();
      for (let i = 0; i < 8; i++) await world.appendDurably(makeBatch({ valueBytes: 150 }));
      // The marks are written between two fsyncs and know index entries of batches that only wait.
      world.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs: 500, times: 2 });
      world.append(makeBatch({ valueBytes: 150 }));
      await world.settle(100);
      for (let i = 0; i < 8; i++) world.append(makeBatch({ valueBytes: 50, count: 3 }));
      await world.settle(700);
      // From now on marks are written only when something waits for them, and prepare nothing.
      world.config = { ...world.config, marksIntervalMs: 3_600_000, tailCacheBytes: 0 };
      await world.crashAndOpen('power');
      if (world.log.logEndOffset < 33) lost++;
      for (let i = 0; i < 8; i++) await world.appendDurably(makeBatch({ valueBytes: 150 }));
      await world.run(world.log.advanceLogStart(offset(1)));
      const end = world.log.logEndOffset;
      await world.crashAndOpen('process');
      expect(world.log.corruption).toBe(null);
      for (let from = 1; from < end; from++) await world.readAll(from, 1);
      expect(world.log.logEndOffset).toBe(end);
    }
    expect(lost).toBeGreaterThan(5);
  });

  it('acts only on marks that are durable', async () => {
    for (let seed = 1; seed <= 80; seed++) {
      world = new LogWorld(seed);
      await tenBatches();
      world.log.advanceLogStart(offset(8)).catch(() => {});
      await world.settle(seed * 0.1);
      world.crash('process');
      world.beginOpening().catch(() => {});
      await world.settle((seed % 9) * 2);
      await world.crashAndOpen('power');
      expect(world.log.corruption).toBe(null);
      expect((await world.readAll()).length).toBeGreaterThan(1);
    }
  });

  it('removes segments whose deletion a crash has interrupted', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      world = new LogWorld(seed);
      await tenBatches();
      const gone = world.log.advanceLogStart(offset(8));
      gone.catch(() => {});
      await world.settle(seed);
      await world.crashAndOpen('power');
      expect(world.log.corruption).toBe(null);
      expect([0, 8]).toContain(world.log.logStartOffset);
      expect((await segments())[0]).toBe(world.log.logStartOffset === 0 ? 0 : 6);
    }
  });
});

/** Changes what the marks of a dead process say of `orders-0`. */
async function editMark(world: LogWorld, edit: (mark: LogMark) => Partial<LogMark>): Promise<void> {
  const { files } = world.env;
  const path = `${ROOT}/durable-marks`;
  const { logs, journal } = decodeMarks(await world.run(files.readFile(path)));
  const marks = [...logs.values()].map((mark) => ({ ...mark, ...edit(mark) }));
  const file = await world.run(files.open(path, 'write'));
  await world.run(file.truncate(0));
  await world.run(file.write(0, [encodeMarks(marks, journal)]));
  await world.run(file.sync());
  await world.run(file.close());
}

// Found by the long script of seed 4762: the segment was closed while the start was being raised.
it('remembers the producers of a segment before the log start that was not finished', async () => {
  const world = new LogWorld(1);
  await world.start();
  const sent = makeBatch({ producer: { id: producerId(1), epoch: 0, baseSequence: 0 } });
  await world.appendDurably(sent.slice());
  world.log.roll();
  await world.appendDurably(makeBatch({ tag: 1 }));
  await world.settle(1500);
  world.crash('process');
  for (const name of await world.names()) {
    if (/\.(producers|snapshot)$/.test(name)) await world.remove(name);
  }
  await editMark(world, () => ({ logStartOffset: offset(1), finishedBefore: offset(0) }));
  await world.open();
  expect(world.log.corruption).toBeNull();
  expect(world.append(sent.slice())).toMatchObject({ ok: true, duplicate: true, baseOffset: 0 });
});

// Found by the long script of seed 1257.
it('does not learn leader epochs from records that are deleted', async () => {
  const world = new LogWorld(1);
  await world.start();
  await world.appendDurably(makeBatch());
  await world.settle(1500);
  world.crash('process');
  await editMark(world, ({ endOffset }) => ({ logStartOffset: endOffset, epochs: [] }));
  await world.open();
  expect(world.log.leaderEpochs.entries).toEqual([]);
});
