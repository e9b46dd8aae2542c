import { beforeEach, describe, expect, it } from 'vitest';
import { offset, topicId } from '../../../src/model/ids.ts';
import { countOpen } from './count-open.ts';
import { epoch0, LogWorld, makeBatch, orders, topicPartition } from './log-world.ts';

const payments = topicId('AAAAAAAAAAAAAAAAAAAAAg');

let world: LogWorld;

/** Twenty batches of three records, a second apart, in several segments; the cache holds few or none. */
async function fill(tailCacheBytes: number): Promise<void> {
  world = new LogWorld(4);
  world.config = { ...world.config, tailCacheBytes, openSegmentsMax: 1 };
  world.topicConfig = { ...world.topicConfig, segmentBytes: 1200 };
  await world.start();
  for (let i = 0; i < 20; i++) {
    await world.appendDurably(
      makeBatch({ count: 3, valueBytes: 40, tag: i, timestampMs: 10_000 + i * 1000 }),
    );
  }
  expect(world.log.segmentCount).toBeGreaterThan(3);
}

const read = (from: number, maxBytes: number, end: number) =>
  world.run(Promise.resolve(world.log.read(offset(from), maxBytes, offset(end))));

const timeOf = async (timestampMs: number, end = 60) => {
  const found = await world.run(world.log.offsetForTime(timestampMs, offset(end)));
  return found === undefined ? undefined : [found.offset, found.timestampMs];
};

describe('reading a log', () => {
  it('answers in the same turn what is recent, and what is not from the segments', async () => {
    await fill(2000);
    expect(world.log.read(offset(57), 1000, offset(60))).not.toBeInstanceOf(Promise);
    expect(world.log.read(offset(0), 1000, offset(60))).toBeInstanceOf(Promise);
  });

  it('gives the same from memory and from disk, for every start, size and end', async () => {
    await fill(1_000_000);
    const fromMemory = world.log;
    const wanted = async (from: number, end: number): Promise<Buffer> => {
      const outcome = await Promise.resolve(fromMemory.read(offset(from), 1e6, offset(end)));
      if (!outcome.ok) throw new Error(outcome.detail);
      return Buffer.concat(outcome.batches);
    };
    const expected = new Map<string, Buffer>();
    for (let from = 0; from <= 60; from += 7) {
      for (let end = from; end <= 60; end += 11) {
        expected.set(`${from} ${end}`, await wanted(from, end));
      }
    }
    world.config = { ...world.config, tailCacheBytes: 0 };
    await world.restartCleanly();
    for (const [key, bytes] of expected) {
      const [from, end] = key.split(' ').map(Number) as [number, number];
      for (const maxBytes of [1, 500, 1e6]) {
        const outcome = await read(from, maxBytes, end);
        if (!outcome.ok) throw new Error(outcome.detail);
        const found = Buffer.concat(outcome.batches);
        expect(bytes.subarray(0, found.length).equals(found)).toBe(true);
        if (bytes.length > 0) expect(found.length).toBeGreaterThan(0);
      }
    }
  });

  it('is out of range before the start and after the end, and empty at the end', async () => {
    await fill(0);
    expect(await read(61, 100, 61)).toMatchObject({ row: { name: 'OFFSET_OUT_OF_RANGE' } });
    expect(await read(60, 100, 99)).toMatchObject({ ok: true, bytes: 0, nextOffset: 60 });
    expect(await read(30, 100, 30)).toMatchObject({ ok: true, bytes: 0, nextOffset: 30 });
    expect(await read(30, 100, 31)).toMatchObject({ ok: true, bytes: 0, nextOffset: 30 });
  });

  it('never serves a batch that rotted on the disk; the rest stays readable', async () => {
    await fill(0);
    await world.flip('00000000000000000000.log', 100);
    // Where its files are is nobody's business outside.
    const detail = expect.stringMatching(
      /^[^/]* from 3 on they can; the log of the broker says why$/,
    );
    expect(await read(0, 100, 60)).toMatchObject({ row: { name: 'CORRUPT_MESSAGE' }, detail });
    expect(await read(3, 100, 60)).toMatchObject({ ok: true });
  });

  it('answers a storage error if the disk cannot be read, and goes on when it can', async () => {
    await fill(0);
    world.machine.disk.plan({ operation: 'read', path: /0000\.log/, code: 'EIO' });
    const refused = await read(0, 100, 60);
    expect(refused).toMatchObject({ row: { name: 'KAFKA_STORAGE_ERROR' } });
    expect(JSON.stringify(refused)).not.toContain('.log');
    expect(await read(0, 100, 60)).toMatchObject({ ok: true });
    expect(world.failures).toEqual([]);
  });

  it('reads much into memory that was given back, and never into any that was not', async () => {
    world = new LogWorld(4);
    world.config = { ...world.config, tailCacheBytes: 0 };
    world.topicConfig = { ...world.topicConfig, segmentBytes: 1024 * 1024 };
    await world.start();
    const batches = [1, 2, 3].map((tag) => makeBatch({ valueBytes: 300_000, tag }));
    for (const batch of batches) await world.appendDurably(batch);
    const readOne = async (from: number, end: number) => {
      const outcome = await read(from, 1024 * 1024, end);
      if (!outcome.ok) throw new Error(outcome.detail);
      return { ...outcome, value: outcome.batches[0]![200] };
    };
    const kept = await readOne(0, 3);
    const lent = await readOne(0, 3);
    lent.release!();
    // Two of three batches come to more than half of the memory that was lent, one does not.
    const again = await readOne(1, 3);
    expect(again.batches[0]!.buffer).toBe(lent.batches[0]!.buffer);
    expect([kept.value, again.value]).toEqual([1, 2]);
    const little = await readOne(2, 3);
    expect([little.value, little.release]).toEqual([3, undefined]);
    expect(little.batches[0]!.buffer.byteLength).toBe(little.bytes);
    expect(kept.batches[0]![200]).toBe(1);
  });
});

describe('reading on', () => {
  const MIB = 1024 * 1024;

  /** Six batches of 400 kB, two of which are read at a time. */
  async function fillMuch(): Promise<void> {
    world = new LogWorld(4);
    world.config = { ...world.config, tailCacheBytes: 0 };
    world.topicConfig = { ...world.topicConfig, segmentBytes: 16 * MIB };
    await world.start();
    for (let tag = 0; tag < 6; tag++) {
      await world.appendDurably(makeBatch({ valueBytes: 400_000, tag }));
    }
  }

  const tags = async (from: number, end = 6): Promise<(number | undefined)[]> => {
    const outcome = await read(from, MIB, end);
    if (!outcome.ok) throw new Error(outcome.detail);
    const bytes = Buffer.concat(outcome.batches);
    outcome.release?.();
    const found = [];
    for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
      found.push(bytes[at + 200]);
    }
    return found;
  };

  it('finds what comes next already read', async () => {
    await fillMuch();
    expect(await tags(0)).toEqual([0, 1]);
    await world.settle();
    // What is read from now on is refused.
    world.machine.disk.plan({ operation: 'read', path: /0000\.log/, code: 'EIO' });
    expect(await tags(2)).toEqual([2, 3]);
    await world.settle();
    expect(await tags(4)).toEqual([4, 5]);
  });

  it('says of damage only when it is asked for', async () => {
    await fillMuch();
    await world.flip('00000000000000000000.log', 900_000);
    expect(await tags(0)).toEqual([0, 1]);
    await world.settle();
    expect(world.reports.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await read(2, MIB, 6)).toMatchObject({ row: { name: 'CORRUPT_MESSAGE' } });
  });

  it('never gives what a truncation has taken away', async () => {
    await fillMuch();
    expect(await tags(0)).toEqual([0, 1]);
    await world.settle();
    await world.run(world.log.truncateTo(offset(3)));
    for (let tag = 10; tag < 13; tag++) {
      await world.appendDurably(makeBatch({ valueBytes: 400_000, tag }));
    }
    expect(await tags(2)).toEqual([2, 10]);
  });

  it('remembers no place that a truncation takes away while a read waits for the one ahead', async () => {
    await fillMuch();
    const { disk } = world.machine;
    expect(await tags(0)).toEqual([0, 1]);
    disk.plan({ operation: 'read', path: /0000\.log/, code: 'EIO', delayMs: 1000 });
    disk.plan({ operation: 'truncate', path: /0000\.log/, delayMs: 5000 });
    await world.settle(1);
    const underWay = Promise.resolve(world.log.read(offset(2), MIB, offset(6)));
    await world.run(world.log.truncateTo(offset(3)));
    expect(await world.run(underWay)).toMatchObject({ ok: true, nextOffset: 3 });
    for (let tag = 10; tag < 13; tag++) {
      await world.appendDurably(makeBatch({ valueBytes: 300_000, tag }));
    }
    expect(await tags(4)).toEqual([11, 12]);
  });

  it('opens nothing any more of a log that was closed while it was read', async () => {
    await fillMuch();
    const count = countOpen(world.env.files);
    world.machine.disk.plan({ operation: 'read', path: /0000\.log/, delayMs: 1000 });
    const underWay = Promise.resolve(world.log.read(offset(0), MIB, offset(6)));
    await world.run(world.directory.close());
    expect(await world.run(underWay)).toMatchObject({ ok: true, nextOffset: 2 });
    await world.settle(1000);
    expect(count.open).toBe(0);
  });

  it('gives the memory back that holds what comes next in a log that is deleted', async () => {
    await fillMuch();
    const first = await read(0, MIB, 6);
    if (!first.ok) throw new Error(first.detail);
    const memory = first.batches[0]!.buffer;
    first.release!();
    await world.settle();
    await world.run(world.directory.delete(topicPartition, orders));
    const remade = world.directory.openLog(topicPartition, payments, world.topicConfig);
    for (let tag = 0; tag < 2; tag++) {
      remade.append(makeBatch({ valueBytes: 400_000, tag }), epoch0, 'client');
    }
    await world.machine.scheduler.run(() => remade.flushedOffset === 2);
    const again = await world.run(Promise.resolve(remade.read(offset(0), MIB, offset(2))));
    expect(again.ok && again.batches[0]!.buffer === memory).toBe(true);
  });

  it('reads nothing of a topic for one that had its name before', async () => {
    await fillMuch();
    world.machine.disk.plan({ operation: 'read', path: /0000\.log/, delayMs: 1000 });
    const underWay = Promise.resolve(world.log.read(offset(0), MIB, offset(6)));
    await world.run(world.directory.delete(topicPartition, orders));
    const remade = world.directory.openLog(topicPartition, payments, world.topicConfig);
    remade.append(makeBatch({ valueBytes: 400_000, tag: 7 }), epoch0, 'client');
    await world.machine.scheduler.run(() => remade.flushedOffset === 1);
    const { files } = world.env;
    const opened: string[] = [];
    const open = files.open.bind(files);
    files.open = (path, mode) => {
      opened.push(path);
      return open(path, mode);
    };
    expect(await world.run(underWay)).toMatchObject({ ok: true, nextOffset: 2 });
    await world.settle(1000);
    expect(opened.filter((path) => path.endsWith('.log'))).toEqual([]);
  });
});

describe('looking for an offset by time', () => {
  beforeEach(() => fill(0));

  it('finds the first record that is not older', async () => {
    expect(await timeOf(0)).toEqual([0, 10_000]);
    expect(await timeOf(10_001)).toEqual([1, 10_001]);
    expect(await timeOf(10_003)).toEqual([3, 11_000]);
    expect(await timeOf(29_002)).toEqual([59, 29_002]);
    expect(await timeOf(29_003)).toBe(undefined);
  });

  it('looks neither before the start nor at or after the end', async () => {
    expect(await timeOf(15_000, 15)).toBe(undefined);
    expect(await timeOf(15_000, 18)).toEqual([15, 15_000]);
    await world.run(world.log.advanceLogStart(offset(31)));
    expect(await timeOf(0)).toEqual([31, 20_001]);
  });

  it('finds records whose times do not rise with their offsets', async () => {
    await world.appendDurably(makeBatch({ timestampMs: 90_000 }));
    await world.appendDurably(makeBatch({ timestampMs: 5 }));
    await world.appendDurably(makeBatch({ timestampMs: 95_000 }));
    expect(await timeOf(50_000, 63)).toEqual([60, 90_000]);
    expect(await timeOf(90_001, 63)).toEqual([62, 95_000]);
  });
});
