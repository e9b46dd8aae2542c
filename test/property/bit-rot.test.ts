import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryEnv } from '../../src/env/memory-env.ts';
import { nodeEnv } from '../../src/env/node-env.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { observe } from './rot-observation.ts';
import { document, drawCases, journalRows, type RotCase, rotRows } from './rot-table.ts';
import {
  type Directory,
  makeDirectory,
  makeJournaledDirectory,
  restore,
} from './rotten-directory.ts';

/** How often each cell of the table is tried for each file. */
const SAMPLES = Number(process.env['ROT_SAMPLES'] ?? 2);
const PATH = '/data';

const cellOf = ({ row, end, harm }: RotCase): string => `${row.what}, ${harm}, ${end}`;

/** What is said where something was found to be wrong. */
function expectTold(rotten: RotCase, text: string, metrics: string, reaction: string): void {
  // Indexes go together: which of them it was stands in the problem.
  const [file] = rotten.name
    .replace(/.*\.timeindex$/, '.timeindex')
    .split('/')
    .slice(-1);
  const isNamed = rotten.name.startsWith('metadata/')
    ? /metadata in .* damaged/.test(text)
    : text.includes(file!);
  const isSilent = reaction === 'unharmed' || reaction === 'start moved back';
  if (!isSilent) expect(isNamed, `${rotten.name} is not in: ${text}`).toBe(true);
  if (reaction === 'batches refused') {
    expect(metrics).toMatch(/varve_log_corrupt_batches_total\{found_by="read"\} [1-9]/);
  }
  if (reaction === 'made anew')
    expect(metrics).toMatch(/varve_log_rebuilt_files_total\{.*\} [1-9]/);
  if (reaction === 'partition stopped') expect(metrics).toContain('varve_log_damaged_partitions 1');
}

const directories = [
  { kind: 'a directory', make: makeDirectory, rows: rotRows, leastCells: 80 },
  { kind: 'one with a journal', make: makeJournaledDirectory, rows: journalRows, leastCells: 7 },
];

describe('a data directory in which something rots', () => {
  it.each(directories)(
    'reacts as the table says, in every cell of it: $kind',
    { tags: ['slow'], timeout: 60_000 * SAMPLES },
    async ({ make, rows, leastCells }) => {
      const directory = await make(memoryEnv(), PATH);
      const seen = new Map<string, Set<string>>();
      for (const rotten of drawCases(directory, SAMPLES, rows)) {
        const { row, end, harm, name, bytes, where } = rotten;
        const env = memoryEnv();
        await restore(env, PATH, new Map(directory[end]).set(name, bytes), 'memory');
        const declared = row[end][harm]!;
        try {
          const { reaction, text, metrics } = await observe(env, PATH, directory);
          expect(declared, text).toContain(reaction);
          expectTold(rotten, text, metrics, reaction);
          const cell = seen.get(cellOf(rotten)) ?? new Set();
          seen.set(cellOf(rotten), cell.add(reaction));
        } catch (error) {
          const what = `${cellOf(rotten)}: ${name} at byte ${where}`;
          throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
        }
      }
      // Nothing is declared that was not seen.
      for (const rotten of drawCases(directory, SAMPLES, rows)) {
        const { row, end, harm } = rotten;
        expect([...seen.get(cellOf(rotten))!].sort(), cellOf(rotten)).toEqual(
          [...row[end][harm]!].sort(),
        );
      }
      expect(seen.size).toBeGreaterThan(leastCells);
    },
  );

  /** `npx vitest -u` on this file writes the page anew. */
  it('is documented by the table', async () => {
    await expect(document()).toMatchFileSnapshot('../../src/log/BIT-ROT.md');
  });
});

describe('a data directory on a real disk in which something rots', () => {
  let folder = '';
  let directory: Directory;
  let count = 0;
  const open = async (image: ReadonlyMap<string, Uint8Array>) => {
    const path = `${folder}/${count++}`;
    await restore(nodeEnv(), path, image, 'real');
    const observed = await observe(nodeEnv(), path, directory);
    rmSync(path, { recursive: true });
    return observed;
  };

  beforeAll(async () => {
    folder = mkdtempSync(`${tmpdir()}/varve-rot-`);
    directory = await makeDirectory(nodeEnv(), `${folder}/made`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reacts the same', async () => {
    const tried = new Set<string>();
    for (const rotten of drawCases(directory, 1)) {
      const isDear = !['flip', 'older'].includes(rotten.harm) || rotten.end === 'killed';
      // What the store holds is in files of its own here.
      if (tried.has(cellOf(rotten)) || isDear || rotten.name.startsWith('metadata/')) continue;
      tried.add(cellOf(rotten));
      const { row, end, harm, name, bytes } = rotten;
      const { reaction, text, metrics } = await open(new Map(directory[end]).set(name, bytes));
      expect(row[end][harm], `${cellOf(rotten)}: ${text}`).toContain(reaction);
      expectTold(rotten, text, metrics, reaction);
    }
    expect(tried.size).toBeGreaterThan(10);
  });

  it('refuses to start, or has lost nothing, whatever happens to files of LevelDB', async () => {
    const random = new SimulatedRandom(9);
    let refusals = 0;
    const image = directory.clean;
    for (const name of [...image.keys()].filter((file) => file.startsWith('metadata/'))) {
      const bytes = image.get(name)!;
      for (let i = 0; i < SAMPLES && bytes.length > 0; i++) {
        const where = random.below(bytes.length);
        const harmed = i % 3 === 2 ? bytes.slice(0, where) : bytes.slice();
        if (i % 3 === 0) harmed[where]! ^= 1 << random.below(8);
        if (i % 3 === 1) harmed.fill(0, where);
        const { reaction, text } = await open(new Map(image).set(name, harmed));
        const what = `${name} ${i} at ${where}: ${text}`;
        expect(['start refused', 'unharmed'], what).toContain(reaction);
        if (reaction === 'start refused') refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(0);
  });
});
