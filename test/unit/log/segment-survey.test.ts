import { beforeEach, describe, expect, it } from 'vitest';
import { LeaderEpochs } from '../../../src/log/leader-epochs.ts';
import { SegmentSurvey, type SurveyRange } from '../../../src/log/segment-survey.ts';
import { leaderEpoch, offset } from '../../../src/model/ids.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { flip, type WrittenSegment, writeSegment } from './segment-world.ts';

let written: WrittenSegment;

async function survey(range: Partial<SurveyRange> = {}) {
  const { segment, file } = written;
  const walk = new SegmentSurvey(file, {
    ...{ from: 0, to: segment.sizeInBytes, epochs: null },
    ...{ nextOffset: segment.baseOffset, endOffset: segment.endOffset },
    ...range,
  });
  const offsets: number[] = [];
  while (await walk.fill()) {
    for (let batch = walk.next(); batch !== null; batch = walk.next()) {
      offsets.push(batch.baseOffset);
    }
  }
  return { offsets, damages: walk.damages };
}

const overwrite = (position: number, bytes: Uint8Array) => written.file.write(position, [bytes]);

const allBut = (...lost: number[]): number[] =>
  Array.from({ length: 12 }, (_, i) => 10 + i * 2).filter((at) => !lost.includes(at));

describe('a survey of a segment', () => {
  beforeEach(async () => {
    written = await writeSegment(12);
  });

  it('gives all batches of a sound segment', async () => {
    expect(await survey()).toEqual({ offsets: allBut(), damages: [] });
  });

  it('passes over a batch in which any bit has flipped, and over no other', async () => {
    const { file, positions, batches } = written;
    const epochs = new LeaderEpochs([{ epoch: leaderEpoch(0), startOffset: offset(0) }]);
    for (const damaged of [0, 5, 11]) {
      const base = 10 + damaged * 2;
      for (let byte = 0; byte < batches[damaged]!.length; byte++) {
        await flip(file, positions[damaged]! + byte);
        const { offsets, damages } = await survey({ epochs });
        expect(offsets, `byte ${byte}`).toEqual(allBut(base));
        expect(damages, `byte ${byte}`).toMatchObject([
          { position: positions[damaged], fromOffset: base, toOffset: base + 2 },
        ]);
        await flip(file, positions[damaged]! + byte);
      }
    }
  });

  it('finds what follows zeros, and bytes that did not belong there', async () => {
    const { positions, segment } = written;
    const middle = positions[4]! + 30;
    await overwrite(middle, new Uint8Array(positions[7]! - middle));
    expect(await survey()).toMatchObject({
      offsets: allBut(18, 20, 22),
      damages: [{ position: positions[4], end: positions[7], fromOffset: 18, toOffset: 24 }],
    });
    written = await writeSegment(12);
    await overwrite(written.segment.sizeInBytes, new Uint8Array(999).fill(2));
    const to = segment.sizeInBytes + 999;
    const { offsets, damages } = await survey({ to });
    expect(offsets).toEqual(allBut());
    expect(damages).toMatchObject([{ end: to, fromOffset: 34, toOffset: 34 }]);
  });

  it('tells that a file is cut, at every byte', async () => {
    const { file, segment, positions } = written;
    for (let size = segment.sizeInBytes - 1; size >= 0; size -= 7) {
      await file.truncate(size);
      const whole = positions.filter((_, i) => (positions[i + 1] ?? segment.sizeInBytes) <= size);
      const { offsets, damages } = await survey({ to: size });
      expect(offsets).toEqual(allBut().slice(0, whole.length));
      expect(damages).toMatchObject([{ fromOffset: 10 + whole.length * 2, toOffset: 34 }]);
      // Also if it is shorter than the log believes.
      expect(await survey()).toMatchObject({ offsets, damages: [{ toOffset: 34 }] });
    }
  });

  it('goes through chunks that cut batches and damage anywhere', async () => {
    // 40 batches of about 110 kB: four chunks and more.
    written = await writeSegment(40, 55_000);
    const { segment, positions, file } = written;
    expect(segment.sizeInBytes).toBeGreaterThan(4 * 1024 * 1024);
    const random = new SimulatedRandom(5);
    const noise = Uint8Array.from({ length: 300_000 }, () => random.below(256));
    await overwrite(positions[8]! + 40, noise);
    await flip(file, positions[20]! + 8);
    const { offsets, damages } = await survey();
    expect(damages.map(({ position }) => position)).toEqual([positions[8], positions[20]]);
    const lost = [8, 9, 10, 20].map((number) => 10 + number * 2);
    const all = Array.from({ length: 40 }, (_, i) => 10 + i * 2);
    expect(offsets).toEqual(all.filter((at) => !lost.includes(at)));
  });

  it('does not take for a batch what a record holds', async () => {
    const inner = written.batches[3]!;
    const { positions, batches } = written;
    // The payload of batch 5 now holds a batch that is sound by itself, but of another place.
    const room = batches[5]!.length - 61;
    await overwrite(positions[5]! + 61, inner.subarray(0, room));
    expect((await survey()).offsets).toEqual(allBut(20));
  });
});
