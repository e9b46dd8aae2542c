import { beforeEach, describe, expect, it } from 'vitest';
import { MisledError } from '../../../src/log/disk-health.ts';
import { loadIndexes, saveIndexes } from '../../../src/log/index-files.ts';
import { ReadEnds } from '../../../src/log/read-ends.ts';
import type { OpenSegment } from '../../../src/log/segment-readers.ts';
import { maxTimestampOf, provedSearchFrom } from '../../../src/log/time-proof.ts';
import { flip, INTERVAL_BYTES, type WrittenSegment, writeSegment } from './segment-world.ts';

let written: WrittenSegment;

/** The segment as a reader opens it after it was closed. */
async function open(): Promise<OpenSegment> {
  const { files, segment, file } = written;
  segment.indexes = null;
  const { indexes } = await loadIndexes(files, segment, file, INTERVAL_BYTES);
  return { file, indexes, ends: new ReadEnds() };
}

const damage = async (position: number): Promise<void> => {
  const file = await written.files.open(written.segment.path('.timeindex'), 'write');
  await flip(file, position);
  await file.close();
};

describe('the time index of a closed segment', () => {
  beforeEach(async () => {
    written = await writeSegment(12);
    written.segment.indexes!.finish();
    await saveIndexes(written.files, written.segment, written.segment.indexes!, { sync: true });
  });

  it('is believed if the batches say the same', async () => {
    const segment = await open();
    expect(await maxTimestampOf(segment, written.segment)).toBe(1012);
    expect(segment.indexes.isTimeProved).toBe(true);
    expect(await provedSearchFrom(segment, written.segment, 1013)).toBe(undefined);
    const first = segment.indexes.times.offsetAt(0);
    expect(await provedSearchFrom(segment, written.segment, 0)).toBe(10);
    expect(await provedSearchFrom(segment, written.segment, 1005)).toBeGreaterThanOrEqual(first);
  });

  it('is refused if its last entry is not true, or is not the last', async () => {
    const { times } = written.segment.indexes!;
    const last = (times.count - 1) * 12;
    for (const position of [last + 7, last + 11]) {
      await damage(position);
      const segment = await open();
      // Offsets and times that do not rise are found when it is loaded.
      if (written.segment.indexes === null) {
        await expect(maxTimestampOf(segment, written.segment)).rejects.toThrow(MisledError);
      }
      await damage(position);
    }
    for (const count of [times.count - 1, 1, 0]) {
      const file = await written.files.open(written.segment.path('.timeindex'), 'write');
      await file.truncate(count * 12);
      await file.close();
      await expect(maxTimestampOf(await open(), written.segment)).rejects.toThrow('its end');
    }
  });

  it('is refused if the entry that is used is not true', async () => {
    const { times } = written.segment.indexes!;
    // The second entry, a little later than it was.
    const timestampMs = times.timestampAt(1);
    expect(times.timestampAt(2)).toBeGreaterThan(timestampMs + 1);
    await damage(1 * 12 + 7);
    const segment = await open();
    expect(segment.indexes.times.timestampAt(1)).toBe(timestampMs ^ 1);
    await expect(provedSearchFrom(segment, written.segment, (timestampMs ^ 1) + 1)).rejects.toThrow(
      'entry 1 does not agree with the batches',
    );
  });
});
