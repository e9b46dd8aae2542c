import { beforeEach, describe, expect, it } from 'vitest';
import { LogCorruptError } from '../../../src/log/disk-health.ts';
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

  it('cannot mend batches: a segment that they do not fill is corrupt', async () => {
    const { file, segment, positions } = written;
    segment.endOffset = offset(segment.endOffset + 1);
    await expect(load()).rejects.toThrow(LogCorruptError);
    segment.endOffset = offset(segment.endOffset - 1);
    await flip(file, positions[11]! + 70);
    await expect(load()).rejects.toThrow('fails its checksum');
    await expect(rebuildIndexes(segment, file, INTERVAL_BYTES)).rejects.toThrow(LogCorruptError);
  });
});
