import { beforeEach, describe, expect, it } from 'vitest';
import { type Finding, readBatches, verifyFolder } from '../../../src/log/inspect.ts';
import { FOLDER, LogWorld, makeBatch } from './log-world.ts';

let world: LogWorld;

const file = (at: number, suffix: string): string => `${String(at).padStart(20, '0')}${suffix}`;

async function collect<T>(all: AsyncIterable<T>, look: (item: T) => unknown): Promise<unknown[]> {
  const found: unknown[] = [];
  const walk = async (): Promise<void> => {
    for await (const item of all) found.push(look(item));
  };
  await world.run(walk());
  return found;
}

const verify = () =>
  collect(verifyFolder(world.env.files, FOLDER), ({ file: name, position }: Finding) => [
    name,
    position,
  ]);

describe('the inspection of a folder', () => {
  beforeEach(async () => {
    world = new LogWorld(8);
    world.topicConfig = { ...world.topicConfig, segmentBytes: 800, indexIntervalBytes: 100 };
    await world.start();
    for (let i = 0; i < 6; i++) {
      await world.appendDurably(makeBatch({ count: 2, valueBytes: 80, timestampMs: 1000 + i }));
    }
    await world.run(world.directory.close());
    expect(await world.names()).toContain(file(6, '.log'));
  });

  it('lists all batches with file and position', async () => {
    const size = makeBatch({ count: 2, valueBytes: 80 }).length;
    const found = await collect(readBatches(world.env.files, FOLDER), (item) =>
      'batch' in item ? [item.file, item.position, item.batch.baseOffset] : item,
    );
    expect(found.slice(2, 4)).toEqual([
      [file(0, '.log'), size * 2, 4],
      [file(6, '.log'), 0, 6],
    ]);
    expect(found.length).toBe(6);
  });

  it('finds nothing wrong with a sound folder', async () => {
    expect(await verify()).toEqual([]);
  });

  it('finds damage in every kind of file that has a checksum or can be compared', async () => {
    const harms: [name: string, position: number][] = [
      [file(0, '.log'), 100],
      [file(0, '.index'), 7],
      [file(0, '.timeindex'), 7],
      [file(6, '.snapshot'), 7],
      [file(6, '.producers'), 7],
    ];
    for (const [name, position] of harms) {
      await world.flip(name, position);
      const found = (await verify()) as [string, number][];
      expect(found.map(([where]) => where)).toContain(name);
      await world.flip(name, position);
      expect(await verify()).toEqual([]);
    }
  });

  it('takes zeros at the end of an index for the room that Kafka makes in advance', async () => {
    await world.cutFile(file(6, '.index'), 10_000);
    await world.cutFile(file(6, '.timeindex'), 12_000);
    expect(await verify()).toEqual([]);
  });
});
