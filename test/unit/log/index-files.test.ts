import { beforeEach, describe, expect, it } from 'vitest';
import { loadIndexes, rebuildIndexes, saveIndexes } from '../../../src/log/index-files.ts';
import { offset } from '../../../src/model/ids.ts';
import { flip, INTERVAL_BYTES, type WrittenSegment, writeSegment } from './segment-world.ts';

let written: WrittenSegment;

const load = () => loadIndexes(written.files, written.segment, written.file, INTERVAL_BYTES);

const bytesOf = ({ indexes }: { indexes: NonNullable<WrittenSegment['segment']['indexes']> }) => [
  indexes.offsets.table.bytesFrom(0),
  indexes.times.table.bytesFrom(0),
];

async function damage(suffix: '.index' | '.timeindex', position: number): Promise<void> {
  const file = await written.files.open(written.segment.path(suffix), 'write');
  await flip(file, position);
  await file.close();
}

describe('index files', () => {
  beforeEach(async () => {
    written = await writeSegment(12);
    written.segment.indexes!.finish();
    await saveIndexes(written.files, written.segment, written.segment.indexes!, { sync: true });
  });

  it('are loaded as they were saved', async () => {
    const loaded = await load();
    expect(loaded.problem).toBe(null);
    expect(bytesOf(loaded)).toEqual(bytesOf({ indexes: written.segment.indexes! }));
    expect(loaded.indexes.maxTimestampMs).toBe(1012);
  });

  it('are made anew from the batches if they are missing or cannot be right', async () => {
    const whole = bytesOf({ indexes: written.segment.indexes! });
    const { files, segment } = written;
    const harms: (() => Promise<void>)[] = [
      () => damage('.index', 1),
      () => damage('.index', (segment.indexes!.offsets.count - 1) * 8 + 7),
      () => damage('.timeindex', 4),
      () => files.removeFile(segment.path('.index')),
      () => files.removeFile(segment.path('.timeindex')),
      async () => {
        const file = await files.open(segment.path('.index'), 'write');
        await file.truncate(9);
      },
    ];
    for (const harm of harms) {
      await harm();
      const loaded = await load();
      expect(loaded.problem).not.toBe(null);
      expect(bytesOf(loaded)).toEqual(whole);
      segment.savedOffsetEntries = 0;
      segment.savedTimeEntries = 0;
      await saveIndexes(files, segment, loaded.indexes, { sync: true });
    }
  });

  it('are saved by what is new, and cut to what is there', async () => {
    const { files, segment } = written;
    const indexes = segment.indexes!;
    indexes.truncateTo(indexes.offsets.positionAt(2), offset(99));
    segment.savedOffsetEntries = 1;
    await saveIndexes(files, segment, indexes, { sync: false });
    expect((await files.stat(segment.path('.index')))?.size).toBe(16);
    expect(segment.indexMark).toMatchObject({ offsetEntries: 2 });
  });

  it('tell of batches that are damaged or missing, and lead to all others', async () => {
    const { file, segment, positions } = written;
    segment.endOffset = offset(segment.endOffset + 1);
    const missing = { position: segment.sizeInBytes, fromOffset: 34, toOffset: 35 };
    expect(await load()).toMatchObject({ problem: null, damages: [missing] });
    segment.endOffset = offset(segment.endOffset - 1);
    await flip(file, positions[11]! + 70);
    const damage = { position: positions[11], problem: 'a batch fails its checksum' };
    expect(await load()).toMatchObject({ problem: null, damages: [damage] });
    await flip(file, positions[3]! + 9);
    const rebuilt = await rebuildIndexes(segment, file, INTERVAL_BYTES);
    expect(rebuilt.damages).toMatchObject([{ position: positions[3], toOffset: 18 }, damage]);
    const entries = Array.from({ length: rebuilt.indexes.offsets.count }, (_, entry) =>
      rebuilt.indexes.offsets.positionAt(entry),
    );
    expect(entries.length).toBeGreaterThan(3);
    expect(entries.every((position) => positions.includes(position))).toBe(true);
  });

  it('are made anew if any bit of them has flipped, or say the same as before', async () => {
    const whole = bytesOf({ indexes: written.segment.indexes! });
    for (const [suffix, [content]] of [
      ['.index', bytesOf({ indexes: written.segment.indexes! })],
      ['.timeindex', bytesOf({ indexes: written.segment.indexes! }).slice(1)],
    ] as const) {
      for (let bit = 0; bit < content!.length * 8; bit++) {
        const file = await written.files.open(written.segment.path(suffix), 'write');
        const harmed = content!.slice();
        harmed[bit >> 3]! ^= 1 << (bit & 7);
        await file.write(0, [harmed]);
        const loaded = await load();
        // Entries between the ends are proved when they are used.
        if (loaded.problem !== null) expect(bytesOf(loaded), `${suffix} ${bit}`).toEqual(whole);
        await file.write(0, [content!]);
        await file.close();
      }
    }
  });

  it('are made anew if they end early', async () => {
    const index = await written.files.open(written.segment.path('.index'), 'write');
    await index.truncate(8);
    await index.close();
    const loaded = await load();
    expect(loaded.problem).toContain('it ends early');
    expect(bytesOf(loaded)).toEqual(bytesOf({ indexes: written.segment.indexes! }));
  });
});
