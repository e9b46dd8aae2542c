import { describe, expect, it } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import type { File } from '../../../src/env/ports.ts';
import { saveIndexes } from '../../../src/log/index-files.ts';
import { LogReports } from '../../../src/log/log-reports.ts';
import { Segment } from '../../../src/log/segment.ts';
import { readSegment } from '../../../src/log/segment-read.ts';
import { SegmentReaders } from '../../../src/log/segment-readers.ts';
import { offset } from '../../../src/model/ids.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';
import { countOpen } from './count-open.ts';
import { flip, INTERVAL_BYTES, writeSegment } from './segment-world.ts';

const quiet = new LogReports({ info: () => {}, warn: () => {}, error: () => {} }, noMetrics);

async function world(limit: number) {
  const written = await writeSegment(5);
  const count = countOpen(written.files);
  const readers = new SegmentReaders({ limit }, written.files, quiet);
  const use = <T>(segment: Segment, work: (file: File) => Promise<T>): Promise<T> =>
    readers.use(segment, INTERVAL_BYTES, ({ file }) => work(file));
  return { ...written, readers, count, use };
}

describe('segments that are open for reading', () => {
  it('stay open for the next reader', async () => {
    const { segment, use, count } = await world(2);
    await use(segment, async () => {});
    await use(segment, async () => {});
    expect(count).toEqual({ open: 1, opened: 1 });
  });

  it('are closed when there are too many, those in use when their last reader has done', async () => {
    const { files, readers, segment, use, count } = await world(1);
    const other = new Segment('log', offset(50));
    await (await files.open(other.path('.log'), 'create')).close();
    expect(count.open).toBe(0);
    let finish = (): void => {};
    const reading = use(segment, (file) =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }).then(async () => {
        expect((await file.read(0, 10)).length).toBe(10);
      }),
    );
    await use(other, async () => {});
    await readers.forget(segment);
    expect(readers.openCount).toBe(1);
    finish();
    await reading;
    await readers.forget(other);
    expect(count.open).toBe(0);
  });

  it('have their indexes made anew if the files are missing, to be saved by the log', async () => {
    const { segment, readers } = await world(1);
    segment.indexes = null;
    segment.isFinished = true;
    const entries = await readers.use(
      segment,
      INTERVAL_BYTES,
      async ({ indexes }) => indexes.offsets.count,
    );
    expect(entries).toBeGreaterThan(0);
    expect(segment.indexes).not.toBe(null);
    expect(segment.isFinished).toBe(false);
  });

  it('have their indexes made anew if an entry leads to the wrong batch', async () => {
    const { files, segment, readers } = await world(1);
    await saveIndexes(files, segment, segment.indexes!, { sync: true });
    segment.indexes = null;
    const index = await files.open(segment.path('.index'), 'write');
    await flip(index, 3);
    await index.close();
    const range = { from: offset(15), endOffset: offset(99), maxBytes: 1 };
    const read = await readers.use(segment, INTERVAL_BYTES, (open) =>
      readSegment(open, segment, range, null),
    );
    expect(read.nextOffset).toBe(16);
    expect(segment.indexes).not.toBe(null);
  });

  it('are closed when handles are short, those in use not', async () => {
    const { files, readers, segment, use, count } = await world(5);
    const other = new Segment('log', offset(50));
    await (await files.open(other.path('.log'), 'create')).close();
    await use(other, async () => {});
    await use(segment, async () => {
      readers.closeIdle();
      expect(readers.openCount).toBe(1);
    });
    await use(segment, async () => {});
    expect(count.open).toBe(1);
  });

  it('are not kept open after they could not be read', async () => {
    const { segment, readers, count } = await world(1);
    const use = (work: () => Promise<void>) => readers.use(segment, INTERVAL_BYTES, work);
    const failing = async () => {
      throw new CorruptError('no batch');
    };
    await expect(use(failing)).rejects.toThrow('no batch');
    expect(count.open).toBe(0);
    await use(async () => {});
    expect(count.open).toBe(1);
  });
});
