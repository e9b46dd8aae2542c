import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Env, type File, FileError, type OpenMode } from '../../../src/env/ports.ts';
import { replaceFile } from '../../../src/env/replace-file.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { type Twin, twins } from './twins.ts';

/** A name as long as any may be, and one that is too long although it has fewer characters. */
const longest = 'n'.repeat(255);
const tooLong = 'ä'.repeat(128);

/** Few names, so that most operations meet something: files, folders, and files taken for folders. */
const names = [
  ...['a', 'b', 'a/x', 'b/x', 'b/y', 'a/x/deep', 'b/x/deep'],
  ...[longest, tooLong, `a/${tooLong}`, `${tooLong}/x`],
];

/** Runs a random script and writes down every outcome. */
function transcript(twin: Twin, seed: number): Promise<string[]> {
  return twin.run(async (env, folder) => {
    const random = new SimulatedRandom(seed);
    const lines: string[] = [];
    const handles: File[] = [];
    for (let i = 0; i < 80; i++) {
      const [line, operation] = random.chance(0.3)
        ? drawOnHandle(random, handles, env, folder)
        : drawOperation(random, env, folder);
      try {
        lines.push(`${line}: ${JSON.stringify(await operation())}`);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        lines.push(`${line}: ${error.code} ${error.message.replaceAll(folder, '')}`);
      }
    }
    for (const handle of handles) await handle.close();
    return lines.map((line) => line.replaceAll(longest, 'LONG').replaceAll(tooLong, 'TOO-LONG'));
  });
}

function drawOperation(
  random: SimulatedRandom,
  { files }: Env,
  folder: string,
): [string, () => Promise<unknown>] {
  const name = random.pick(names);
  const other = random.pick(names);
  const mode = random.pick<OpenMode>(['read', 'write', 'create', 'create']);
  const position = random.below(1000);
  const size = random.below(1000);
  const content = random.bytes(random.below(1000));
  const path = `${folder}/${name}`;
  const withFile = async (use: (file: Awaited<ReturnType<typeof files.open>>) => unknown) => {
    // POSIX opens a folder for reading and fails later; the contract is about files.
    if (mode === 'read' && (await files.stat(path))?.kind === 'directory') return 'a folder';
    const file = await files.open(path, mode);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  };
  return random.pick<[string, () => Promise<unknown>]>([
    [`write ${name} ${mode}`, () => withFile((file) => file.write(position, [content]))],
    [`truncate ${name} ${mode}`, () => withFile((file) => file.truncate(size))],
    [`read ${name}`, () => withFile(async (file) => digest(await file.read(position, size)))],
    [`readFile ${name}`, async () => digest(await files.readFile(path))],
    [`list ${name}`, () => files.list(path)],
    [`list`, () => files.list(folder)],
    [`stat ${name}`, async () => ({ ...(await files.stat(path)), modifiedMs: 0 })],
    [`makeDirectory ${name}`, () => files.makeDirectory(path)],
    [`makeDirectory ${other}`, () => files.makeDirectory(`${folder}/${other}`)],
    [`rename ${name} ${other}`, () => files.rename(path, `${folder}/${other}`)],
    [`removeFile ${name}`, () => files.removeFile(path)],
    [`removeDirectory ${name}`, () => files.removeDirectory(path)],
    [`syncDirectory ${name}`, () => files.syncDirectory(path)],
    [`replaceFile ${name}`, () => replaceFile(files, folder, name, content)],
  ]);
}

/** Files that stay open while their names are moved, removed and given to others. */
function drawOnHandle(
  random: SimulatedRandom,
  handles: File[],
  { files }: Env,
  folder: string,
): [string, () => Promise<unknown>] {
  const name = random.pick(names);
  const [position, length] = [random.below(1000), random.below(1000)];
  const buffers = Array.from({ length: random.below(4) }, () => random.bytes(random.below(200)));
  const at = random.below(Math.max(1, handles.length));
  const handle = handles[at];
  if (handle === undefined || random.chance(0.2)) {
    const open = async (): Promise<void> => {
      handles.push(await files.open(`${folder}/${name}`, 'create'));
    };
    return [`open ${name}`, open];
  }
  return random.pick<[string, () => Promise<unknown>]>([
    [`${at} write`, () => handle.write(position, buffers)],
    [`${at} read`, async () => digest(await handle.read(position, length))],
    [`${at} size`, () => handle.size()],
    [`${at} truncate`, () => handle.truncate(length)],
    [`${at} sync`, () => handle.sync()],
    [`${at} close`, () => handle.close()],
  ]);
}

const digest = (bytes: Uint8Array): string =>
  `${bytes.length} ${createHash('sha1').update(bytes).digest('hex')}`;

test('the same script has the same outcomes on all twins, down to the error codes', async () => {
  const [node, ...others] = twins;
  for (let seed = 0; seed < 150; seed++) {
    const expected = await transcript(node!, seed);
    for (const twin of others) {
      expect(await transcript(twin, seed), `${twin.name}, seed ${seed}`).toEqual(expected);
    }
  }
});
