import { describe, expect, it } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { File } from '../../../src/env/ports.ts';
import { BatchScanner } from '../../../src/log/batch-scanner.ts';
import { makeBatch } from './log-world.ts';

async function fileOf(...pieces: Uint8Array[]): Promise<{ file: File; size: number }> {
  const file = await memoryEnv().files.open('x.log', 'create');
  await file.write(0, pieces);
  return { file, size: await file.size() };
}

async function scan(file: File, from: number, to: number) {
  const scanner = new BatchScanner(file, { from, to });
  let count = 0;
  while (await scanner.fill()) {
    for (let batch = scanner.next(); batch !== null; batch = scanner.next()) count++;
  }
  return { count, position: scanner.position, problem: scanner.problem };
}

describe('a batch scanner', () => {
  it('walks all batches, also those larger than what it reads at a time', async () => {
    const large = makeBatch({ valueBytes: 2_500_000 });
    const { file, size } = await fileOf(makeBatch(), large, makeBatch(), large, makeBatch());
    expect(await scan(file, 0, size)).toEqual({ count: 5, position: size, problem: null });
  });

  it('walks batches that lie across the borders of what it reads', async () => {
    const many = Array.from({ length: 40 }, (_, i) => makeBatch({ valueBytes: 70_000 + i }));
    const { file, size } = await fileOf(...many);
    expect(await scan(file, 0, size)).toEqual({ count: 40, position: size, problem: null });
  });

  it('stops before the first batch that is not sound, and says why', async () => {
    const good = makeBatch();
    const bad = makeBatch();
    bad[70]! ^= 1;
    const cases: [Uint8Array, string][] = [
      [bad, 'fails its checksum'],
      [good.subarray(0, good.length - 1), 'claims'],
      [good.subarray(0, 11), 'too few'],
      [new Uint8Array(200), 'format 0'],
      [good.map((byte, i) => (i === 16 ? 1 : byte)), 'format 1'],
      [good.map((byte, i) => (i === 8 ? 0x7f : byte)), 'claims'],
    ];
    for (const [tail, problem] of cases) {
      const { file, size } = await fileOf(good, tail);
      const found = await scan(file, 0, size);
      expect(found).toMatchObject({ count: 1, position: good.length });
      expect(found.problem).toContain(problem);
    }
  });

  it('begins where it is told and looks at nothing after the end', async () => {
    const batch = makeBatch();
    const { file } = await fileOf(batch, batch, batch, batch);
    const { length } = batch;
    expect(await scan(file, length, length * 3)).toMatchObject({ count: 2, problem: null });
    expect((await scan(file, 0, length * 2 - 5)).count).toBe(1);
  });
});
