import { beforeEach, describe, expect, it } from 'vitest';
import { MisledError } from '../../../src/log/disk-health.ts';
import { LeaderEpochs } from '../../../src/log/leader-epochs.ts';
import { ReadEnds } from '../../../src/log/read-ends.ts';
import { findBatch, readSegment } from '../../../src/log/segment-read.ts';
import { DamagedError } from '../../../src/log/segment-survey.ts';
import { leaderEpoch, offset } from '../../../src/model/ids.ts';
import { flip, type WrittenSegment, writeSegment } from './segment-world.ts';

let written: WrittenSegment;

const open = () => ({
  file: written.file,
  indexes: written.segment.indexes!,
  ends: new ReadEnds(),
});

const read = (from: number, maxBytes = 1, endOffset = 99) =>
  readSegment(
    open(),
    written.segment,
    { from: offset(from), maxBytes, endOffset: offset(endOffset) },
    null,
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

  it('goes on where a read ended without looking for the place, and checks what lies there', async () => {
    const { file, segment, positions, batches } = written;
    const at: number[] = [];
    const watched = {
      ...open(),
      file: {
        ...file,
        read: (position: number, length: number) => {
          at.push(position);
          return file.read(position, length);
        },
      },
    };
    const goOn = (from: number) => {
      const range = { from: offset(from), maxBytes: 1, endOffset: offset(99) };
      return readSegment(watched, segment, range, null);
    };
    for (let from = 10; from < 34; from += 2) {
      expect((await goOn(from)).batches).toEqual([batches[(from - 10) / 2]]);
    }
    expect(at).toEqual(positions.slice(0, 12));
    watched.ends.add(offset(20), positions[4]!);
    expect((await goOn(20)).batches).toEqual([batches[5]]);
    await flip(file, positions[4]! + 70);
    await expect(goOn(18)).rejects.toThrow(DamagedError);
  });

  it('reads nothing that is not written yet', async () => {
    written.segment.writtenBytes = written.positions[3]!;
    expect((await read(10, 1e9)).nextOffset).toBe(16);
    expect((await read(16, 1e9)).bytes).toBe(0);
  });

  it('refuses a batch that fails its checksum, and names the place and what can be read', async () => {
    await flip(written.file, written.positions[2]! + 70);
    const problem = `log/00000000000000000010.log at byte ${written.positions[2]}: a batch fails its checksum`;
    const rest = 'offsets from 14 to 15 cannot be read, from 16 on they can';
    await expect(read(14)).rejects.toThrow(`${problem}; ${rest}`);
    await expect(read(15)).rejects.toThrow(`${problem}; ${rest}`);
  });

  it('serves everything but the batch in which a bit has flipped, whichever bit', async () => {
    const { file, positions, batches } = written;
    for (const damaged of [0, 3, 4, 11]) {
      const size = batches[damaged]!.length;
      for (let byte = 0; byte < size; byte++) {
        await flip(file, positions[damaged]! + byte);
        for (let at = 10; at < 34; at++) {
          const number = Math.floor((at - 10) / 2);
          const outcome = await read(at).catch((error: unknown) => error);
          // Nothing here knows leader epochs.
          if (number !== damaged || (byte >= 12 && byte < 16)) {
            expect(outcome, `byte ${byte}, offset ${at}`).toMatchObject({
              nextOffset: number * 2 + 12,
            });
          } else expect(outcome, `byte ${byte}, offset ${at}`).toBeInstanceOf(DamagedError);
        }
        const many = await read(10, 1e9).catch(() => undefined);
        if (damaged > 0 && (byte < 12 || byte >= 16)) {
          expect(many, `byte ${byte}`).toMatchObject({ nextOffset: 10 + damaged * 2 });
        }
        await flip(file, positions[damaged]! + byte);
      }
    }
  });

  it('refuses a batch whose leader epoch is not the one that the log knows', async () => {
    await flip(written.file, written.positions[2]! + 15);
    const epochs = new LeaderEpochs([{ epoch: leaderEpoch(0), startOffset: offset(0) }]);
    const range = { from: offset(14), maxBytes: 1, endOffset: offset(99) };
    await expect(readSegment(open(), written.segment, range, epochs)).rejects.toThrow(
      'a batch of leader epoch 1 where 0 is known',
    );
  });

  it('refuses an index entry that is not of the batch that it points to', async () => {
    const { segment, file, positions } = written;
    const indexes = segment.indexes!;
    segment.indexes = null;
    const range = { from: offset(16), maxBytes: 1, endOffset: offset(99) };
    const attempt = () =>
      readSegment({ file, indexes, ends: new ReadEnds() }, segment, range, null);
    indexes.offsets.table.view.setInt32(4, positions[1]!);
    await expect(attempt()).rejects.toThrow('the index knows another');
    await expect(attempt()).rejects.toBeInstanceOf(MisledError);
    indexes.offsets.table.view.setInt32(4, positions[1]! + 5);
    await expect(attempt()).rejects.toThrow(`at byte ${positions[1]! + 5}`);
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
