import { describe, expect, test } from 'vitest';
import type { FileSystem } from '../../../src/env/ports.ts';
import { twins } from './twins.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (read: Uint8Array): string => Buffer.from(read).toString();

async function put(files: FileSystem, path: string, content: string): Promise<void> {
  const file = await files.open(path, 'create');
  await file.write(0, [bytes(content)]);
  await file.close();
}

const failure = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
    return 'no failure';
  } catch (error) {
    return error;
  }
};

describe.each(twins)('the $name file system', ({ run }) => {
  test('gives back what was written, by position', () =>
    run(async ({ files }, folder) => {
      const file = await files.open(`${folder}/a`, 'create');
      await file.write(0, [bytes('hello '), bytes(''), bytes('world')]);
      await file.write(6, [bytes('W')]);
      expect(text(await file.read(4, 5))).toBe('o Wor');
      expect(await file.size()).toBe(11);
      await file.close();
      expect(text(await files.readFile(`${folder}/a`))).toBe('hello World');
    }));

  test('gives plain Uint8Arrays, fewer bytes at the end of a file and none beyond', () =>
    run(async ({ files }, folder) => {
      await put(files, `${folder}/a`, 'abc');
      const file = await files.open(`${folder}/a`, 'read');
      const read = await file.read(1, 100);
      expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype);
      expect(Object.getPrototypeOf(await files.readFile(`${folder}/a`))).toBe(Uint8Array.prototype);
      expect(text(read)).toBe('bc');
      expect(await file.read(3, 5)).toHaveLength(0);
      const memory = new Uint8Array(8).fill(1);
      const into = await file.read(1, 4, memory.subarray(2));
      expect([into.buffer === memory.buffer, text(into)]).toEqual([true, 'bc']);
      expect([...memory]).toEqual([1, 1, 98, 99, 1, 1, 1, 1]);
      expect(await file.read(1000, 5)).toHaveLength(0);
      await file.close();
    }));

  test('writes any number of buffers in one go', () =>
    run(async ({ files }, folder) => {
      const buffers = Array.from({ length: 2500 }, (_, i) => Uint8Array.of(i & 255, i >> 8));
      const file = await files.open(`${folder}/a`, 'create');
      await file.write(3, buffers);
      expect(Buffer.from(await file.read(3, 5000))).toEqual(Buffer.concat(buffers));
      await file.close();
    }));

  test('fills a gap, and what truncation adds, with zeros', () =>
    run(async ({ files }, folder) => {
      const file = await files.open(`${folder}/a`, 'create');
      await file.write(3, [bytes('x')]);
      await file.truncate(6);
      expect([...(await file.read(0, 100))]).toEqual([0, 0, 0, 120, 0, 0]);
      await file.close();
    }));

  test('does not show again what truncation cut off', () =>
    run(async ({ files }, folder) => {
      const file = await files.open(`${folder}/a`, 'create');
      await file.write(0, [bytes('secret')]);
      await file.truncate(2);
      await file.truncate(4);
      expect([...(await file.read(0, 100))]).toEqual([115, 101, 0, 0]);
      await file.close();
    }));

  test('says what went wrong with code, path and action', () =>
    run(async ({ files }, folder) => {
      const error = await failure(files.open(`${folder}/missing`, 'write'));
      expect(error).toMatchObject({
        name: 'FileError',
        code: 'ENOENT',
        path: `${folder}/missing`,
        message: `cannot open ${folder}/missing: ENOENT`,
      });
    }));

  test('opens for reading and writing only what is there, and creates without emptying', () =>
    run(async ({ files }, folder) => {
      await put(files, `${folder}/a`, 'abc');
      const again = await files.open(`${folder}/a`, 'create');
      expect(await again.size()).toBe(3);
      await again.close();
      for (const mode of ['read', 'write'] as const) {
        expect(await failure(files.open(`${folder}/b`, mode))).toMatchObject({ code: 'ENOENT' });
      }
      expect(await failure(files.open(`${folder}/a/b`, 'create'))).toMatchObject({
        code: 'ENOTDIR',
      });
      expect(await failure(files.open(folder, 'write'))).toMatchObject({ code: 'EISDIR' });
    }));

  test('refuses to change a file that was opened for reading', () =>
    run(async ({ files }, folder) => {
      await put(files, `${folder}/a`, 'abc');
      const file = await files.open(`${folder}/a`, 'read');
      expect(await failure(file.write(0, [bytes('x')]))).toMatchObject({ code: 'EBADF' });
      expect(await failure(file.truncate(0))).toMatchObject({ code: 'EINVAL' });
      await file.sync();
      await file.close();
      expect(text(await files.readFile(`${folder}/a`))).toBe('abc');
    }));

  test('fails every operation on a closed file with EBADF, and closes twice without harm', () =>
    run(async ({ files }, folder) => {
      const file = await files.open(`${folder}/a`, 'create');
      await file.close();
      await file.close();
      const operations = [
        file.write(0, [bytes('x')]),
        file.read(0, 1),
        file.size(),
        file.truncate(0),
        file.sync(),
      ];
      for (const operation of await Promise.all(operations.map(failure))) {
        expect(operation).toMatchObject({ code: 'EBADF' });
      }
    }));

  test('lets what is under way finish before a file is closed', () =>
    run(async ({ files }, folder) => {
      const file = await files.open(`${folder}/a`, 'create');
      let isWritten = false;
      const written = file.write(0, [new Uint8Array(1 << 20)]).then(() => {
        isWritten = true;
      });
      await file.close();
      expect(isWritten).toBe(true);
      await written;
    }));

  test('lists names sorted, files and folders alike', () =>
    run(async ({ files }, folder) => {
      await put(files, `${folder}/b`, '');
      await files.makeDirectory(`${folder}/c`);
      await put(files, `${folder}/a`, '');
      expect(await files.list(folder)).toEqual(['a', 'b', 'c']);
      expect(await failure(files.list(`${folder}/a`))).toMatchObject({ code: 'ENOTDIR' });
      expect(await failure(files.list(`${folder}/d`))).toMatchObject({ code: 'ENOENT' });
    }));

  test('tells files, folders and nothing apart', () =>
    run(async ({ clock, files }, folder) => {
      await put(files, `${folder}/a`, 'abc');
      const stat = await files.stat(`${folder}/a`);
      expect(stat).toMatchObject({ kind: 'file', size: 3 });
      expect(Number.isInteger(stat?.modifiedMs)).toBe(true);
      expect(Math.abs(clock.wallMs() - (stat?.modifiedMs ?? 0))).toBeLessThan(60_000);
      expect(await files.stat(folder)).toMatchObject({ kind: 'directory', size: 0 });
      expect(await files.stat(`${folder}/b`)).toBeUndefined();
    }));

  test('makes a folder once, in a folder that is there', () =>
    run(async ({ files }, folder) => {
      await files.makeDirectory(`${folder}/a`);
      await put(files, `${folder}/a/x`, 'x');
      await files.makeDirectory(`${folder}/a`);
      expect(await files.list(`${folder}/a`)).toEqual(['x']);
      expect(await failure(files.makeDirectory(`${folder}/b/c`))).toMatchObject({ code: 'ENOENT' });
      expect(await failure(files.makeDirectory(`${folder}/a/x`))).toMatchObject({ code: 'EEXIST' });
    }));

  test('renames over a file, and a folder to a free name', () =>
    run(async ({ files }, folder) => {
      await put(files, `${folder}/a`, 'new');
      await put(files, `${folder}/b`, 'old');
      await files.rename(`${folder}/a`, `${folder}/b`);
      expect(text(await files.readFile(`${folder}/b`))).toBe('new');
      await files.makeDirectory(`${folder}/c`);
      await put(files, `${folder}/c/x`, 'x');
      await files.rename(`${folder}/c`, `${folder}/d`);
      expect(await files.list(folder)).toEqual(['b', 'd']);
      expect(text(await files.readFile(`${folder}/d/x`))).toBe('x');
    }));

  test('keeps an open file usable when its name is moved or removed', () =>
    run(async ({ files }, folder) => {
      const file = await files.open(`${folder}/a`, 'create');
      await files.rename(`${folder}/a`, `${folder}/b`);
      await file.write(0, [bytes('abc')]);
      expect(text(await files.readFile(`${folder}/b`))).toBe('abc');
      await files.removeFile(`${folder}/b`);
      await file.write(3, [bytes('d')]);
      expect(text(await file.read(0, 9))).toBe('abcd');
      expect(await files.stat(`${folder}/b`)).toBeUndefined();
      await file.close();
    }));

  test('removes files and empty folders, each by its own operation', () =>
    run(async ({ files }, folder) => {
      await files.makeDirectory(`${folder}/a`);
      await put(files, `${folder}/a/x`, 'x');
      expect(await failure(files.removeDirectory(`${folder}/a`))).toMatchObject({
        code: 'ENOTEMPTY',
      });
      expect(await failure(files.removeDirectory(`${folder}/a/x`))).toMatchObject({
        code: 'ENOTDIR',
      });
      await files.removeFile(`${folder}/a/x`);
      expect(await failure(files.removeFile(`${folder}/a/x`))).toMatchObject({ code: 'ENOENT' });
      await files.removeDirectory(`${folder}/a`);
      expect(await files.list(folder)).toEqual([]);
    }));

  test('syncs folders that are there', () =>
    run(async ({ files }, folder) => {
      await files.syncDirectory(folder);
      expect(await failure(files.syncDirectory(`${folder}/a`))).toMatchObject({ code: 'ENOENT' });
      await put(files, `${folder}/a`, '');
      expect(await failure(files.syncDirectory(`${folder}/a`))).toMatchObject({ code: 'ENOTDIR' });
    }));
});
