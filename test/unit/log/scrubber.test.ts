import { beforeEach, describe, expect, it } from 'vitest';
import { offset } from '../../../src/model/ids.ts';
import { FOLDER, LogWorld, makeBatch } from './log-world.ts';

const PASS = 'scrubbed all logs';
const DAMAGE = 'a segment is damaged: these offsets cannot be read, the others can';

let world: LogWorld;

const messages = (): string[] => world.reports.map(({ message }) => message);
const damages = () => world.reports.filter(({ message }) => message === DAMAGE);

/** Virtual time passes until the scrubber has been through all logs so many times. */
async function passes(count: number): Promise<void> {
  const done = (): number => messages().filter((message) => message === PASS).length;
  const goal = done() + count;
  await world.machine.scheduler.run(() => done() >= goal);
}

/** Twenty batches of three records in some segments. */
async function fill(): Promise<void> {
  world = new LogWorld(6);
  world.config = {
    ...world.config,
    ...{ scrubIntervalMs: 500, scrubBytesPerSecond: 100_000 },
  };
  world.topicConfig = { ...world.topicConfig, segmentBytes: 2000 };
  await world.start();
  for (let i = 0; i < 20; i++) {
    await world.appendDurably(makeBatch({ count: 3, valueBytes: 40, tag: i }));
  }
  expect(world.log.segmentCount).toBeGreaterThan(1);
}

describe('the scrubber', () => {
  beforeEach(fill);

  it('reads all that is durable, again and again, and finds nothing in sound logs', async () => {
    await passes(3);
    const bytes = world.log.sizeInBytes;
    expect(world.reports.filter(({ message }) => message === PASS)).toMatchObject(
      [1, 2, 3].map(() => ({ fields: { bytes } })),
    );
    expect(damages()).toEqual([]);
    const text = await world.metrics.expose();
    expect(text).toContain(`varve_log_scrubbed_bytes_total ${3 * bytes}`);
    expect(text).toContain('varve_log_scrub_passes_total 3');
  });

  it('keeps to its rate', async () => {
    await passes(1);
    const pass = world.reports.find(({ message }) => message === PASS)!;
    const { bytes, ms } = pass.fields as { bytes: number; ms: number };
    expect(ms).toBeGreaterThanOrEqual((bytes * 1000) / 100_000);
  });

  it('finds damage wherever it is, the last batch included, and tells of it once', async () => {
    const names = (await world.names()).filter((name) => name.endsWith('.log'));
    for (const name of names) await world.flip(name, (await world.sizeOf(name)) - 1);
    await passes(3);
    expect(damages().map(({ fields }) => fields)).toMatchObject(
      names.map((name) => ({
        ...{ partition: 'orders-0', file: `${FOLDER}/${name}`, foundBy: 'scrub' },
        problem: 'a batch fails its checksum',
      })),
    );
    expect(await world.metrics.expose()).toContain(
      `varve_log_corrupt_batches_total{found_by="scrub"} ${names.length}`,
    );
  });

  it('repairs nothing: what was damaged is refused, all else is served as before', async () => {
    const [first] = (await world.names()).filter((name) => name.endsWith('.log'));
    const size = await world.sizeOf(first!);
    await world.flip(first!, 100);
    await passes(2);
    expect(await world.sizeOf(first!)).toBe(size);
    const read = (from: number) =>
      world.run(Promise.resolve(world.log.read(offset(from), 1, offset(60))));
    expect(await read(0)).toMatchObject({ row: { name: 'CORRUPT_MESSAGE' } });
    expect(await read(3)).toMatchObject({ ok: true, nextOffset: 6 });
    // The reader came upon what had been told already.
    expect(damages()).toHaveLength(1);
  });

  it('does not look at what is not durable, and not at what is truncated or deleted meanwhile', async () => {
    world.config = { ...world.config, scrubBytesPerSecond: 1000 };
    await world.restartCleanly();
    await world.settle(600);
    await world.run(world.log.truncateTo(offset(33)));
    for (let i = 0; i < 20; i++) world.append(makeBatch({ count: 3, valueBytes: 40, tag: i + 50 }));
    await world.settle(700);
    await world.run(world.log.advanceLogStart(offset(30)));
    await passes(2);
    expect(damages()).toEqual([]);
    expect(world.failures).toEqual([]);
  });

  it('says so and goes on if a segment cannot be read', async () => {
    world.machine.disk.plan({ operation: 'read', path: /00000000\.log/, code: 'EIO' });
    await passes(1);
    expect(messages()).toContain('cannot scrub a segment');
    expect(world.failures).toEqual([]);
  });

  it('stops at once when the directory is closed, and does nothing if it is off', async () => {
    world.config = { ...world.config, scrubBytesPerSecond: 1 };
    await world.restartCleanly();
    await world.settle(1000);
    const { scheduler } = world.machine;
    const beganMs = scheduler.nowMs;
    await world.run(world.directory.close());
    expect(scheduler.nowMs - beganMs).toBeLessThan(5000);
    world.config = { ...world.config, scrubBytesPerSecond: 0 };
    world.crash('process');
    await world.open();
    await world.settle(10_000);
    expect(await world.metrics.expose()).toContain('varve_log_scrubbed_bytes_total 0');
  });
});
