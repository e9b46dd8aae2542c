import { beforeEach, describe, expect, it } from 'vitest';
import { findBatch, readSegment } from '../../../src/log/segment-read.ts';
import { offset } from '../../../src/model/ids.ts';
import { flip, type WrittenSegment, writeSegment } from './segment-world.ts';

let written: WrittenSegment;

const open = () => ({ file: written.file, indexes: written.segment.indexes! });

const read = (from: number, maxBytes = 1, endOffset = 99, verifyCrc = true) =>
  readSegment(
    open(),
    written.segment,
    { from: offset(from), maxBytes, endOffset: offset(endOffset) },
    { verifyCrc },
  );

describe('reading a segment', () => {
  beforeEach(async () => {
    written = await writeSegment(12);
  });

  it('begins with the batch that holds the offset, wherever index entries are', async () => {
    for (let at = 10; at < 34; at++) {
      const found = await read(at);
      expect(found.batches).toEqual([written.batches[Math.floor((at - 10) / 2)]]);
      expect(found.nextOffset).toBe(at + 2 - (at % 2));
    }
  });

  it('takes more batches while they fit, and none that reaches the end offset', async () => {
    const size = written.batches[0]!.length;
    expect((await read(14, size * 3)).bytes).toBe(size * 3);
    expect((await read(14, size * 3 - 1)).bytes).toBe(size * 2);
    expect((await read(14, 1e9, 19)).nextOffset).toBe(18);
    expect((await read(14, 1e9, 15)).bytes).toBe(0);
  });

  it('reads nothing that is not written yet', async () => {
    written.segment.writtenBytes = written.positions[3]!;
    expect((await read(10, 1e9)).nextOffset).toBe(16);
    expect((await read(16, 1e9)).bytes).toBe(0);
  });

  it('refuses a batch that fails its checksum, and names the place', async () => {
    await flip(written.file, written.positions[2]! + 70);
    await expect(read(14)).rejects.toThrow(
      `log/00000000000000000010.log at byte ${written.positions[2]}: a batch fails its checksum`,
    );
    expect((await read(14, 1, 99, false)).bytes).toBeGreaterThan(0);
  });

  it('refuses an index entry that is not of the batch that it points to', async () => {
    const { table } = written.segment.indexes!.offsets;
    table.view.setInt32(4, written.positions[1]!);
    await expect(read(16)).rejects.toThrow('the index knows another');
    table.view.setInt32(4, written.positions[1]! + 5);
    await expect(read(16)).rejects.toThrow(`at byte ${written.positions[1]! + 5}`);
  });

  it('finds where a batch begins', async () => {
    expect(await findBatch(open(), written.segment, offset(15))).toEqual({
      position: written.positions[2],
      baseOffset: 14,
    });
    expect(await findBatch(open(), written.segment, offset(99))).toEqual({
      position: written.segment.sizeInBytes,
      baseOffset: 34,
    });
  });
});
