import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NodeFiles } from '../../../src/env/node-files.ts';
import { FileError } from '../../../src/env/ports.ts';

let folder: string;
const files = new NodeFiles();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'varve-files-'));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

type Done = (error: NodeJS.ErrnoException | null, count?: number) => void;
const errno = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** Makes the kernel take at most `limit` bytes a call, and interrupts every other call. */
function makeIoShort(limit: number, interruption: string): void {
  const { write, writev, read } = fs;
  let calls = 0;
  const isInterrupted = (done: Done): boolean => {
    if (calls++ % 2 === 0) return false;
    setImmediate(() => done(errno(interruption)));
    return true;
  };
  const short = (
    call: typeof write | typeof read,
    [fd, bytes, at, length, position, done]: [number, Uint8Array, number, number, number, Done],
  ): void => {
    if (isInterrupted(done)) return;
    (call as typeof write)(fd, bytes, at, Math.min(length, limit), position, done);
  };
  vi.spyOn(fs, 'write').mockImplementation(((...args: Parameters<typeof short>[1]) =>
    short(write, args)) as never);
  vi.spyOn(fs, 'read').mockImplementation(((...args: Parameters<typeof short>[1]) =>
    short(read, args)) as never);
  vi.spyOn(fs, 'writev').mockImplementation(((
    fd: number,
    buffers: Uint8Array[],
    position: number,
    done: Done,
  ) => {
    if (isInterrupted(done)) return;
    writev(fd, [Buffer.concat(buffers).subarray(0, limit)], position, done);
  }) as never);
}

test.each(['EINTR', 'EAGAIN'])('goes on after short writes, short reads and %s', async (code) => {
  makeIoShort(7, code);
  const file = await files.open(`${folder}/a`, 'create');
  const buffers = [10, 0, 3, 25, 1, 0].map((length, i) => new Uint8Array(length).fill(i + 1));
  await file.write(5, buffers);
  await file.write(44, [new Uint8Array(20).fill(9)]);
  const expected = Buffer.concat([Buffer.alloc(5), ...buffers, Buffer.alloc(20, 9)]);
  expect(Buffer.from(await file.read(0, 100))).toEqual(expected);
  await file.close();
});

test('gives the kernel at most 1024 buffers a call', async () => {
  const writev = vi.spyOn(fs, 'writev');
  const file = await files.open(`${folder}/a`, 'create');
  await file.write(
    0,
    Array.from({ length: 2100 }, () => Uint8Array.of(1)),
  );
  expect(writev.mock.calls.map(([, buffers]) => buffers.length)).toEqual([1024, 1024, 52]);
  await file.close();
});

test('gives the kernel at most a megabyte a call, wherever buffers end', async () => {
  const sizes: number[] = [];
  const { write, writev } = fs;
  vi.spyOn(fs, 'write').mockImplementation(((
    ...args: [number, Uint8Array, number, number, number, Done]
  ) => {
    sizes.push(args[3]);
    write(...args);
  }) as never);
  vi.spyOn(fs, 'writev').mockImplementation(((...args: Parameters<typeof writev>) => {
    sizes.push(args[1].reduce((sum, { byteLength }) => sum + byteLength, 0));
    writev(...args);
  }) as never);
  const file = await files.open(`${folder}/a`, 'create');
  const kib = 1024;
  const buffers = [300, 2500, 0, 1, 900, 123].map((size, i) =>
    Buffer.alloc(size * kib, `${i} and so on`),
  );
  await file.write(7, buffers);
  expect(sizes.map((size) => size / kib)).toEqual([1024, 1024, 1024, 752]);
  const written = await file.read(7, 5_000 * kib);
  expect(Buffer.compare(written, Buffer.concat(buffers))).toBe(0);
  await file.close();
});

test('gives up on a write that never gets on', async () => {
  const write = vi
    .spyOn(fs, 'write')
    .mockImplementation(((...args: unknown[]) => (args.at(-1) as Done)(null, 0)) as never);
  const file = await files.open(`${folder}/a`, 'create');
  await expect(file.write(0, [Uint8Array.of(1)])).rejects.toMatchObject({ code: 'EIO' });
  expect(write.mock.calls.length).toBeLessThan(200);
  await file.close();
});

test('keeps the error of the operating system as the cause', async () => {
  const error = await files.open(`${folder}/a`, 'read').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(FileError);
  expect((error as FileError).cause).toMatchObject({ code: 'ENOENT', syscall: 'open' });
});

test('reports a sync that failed and asks the kernel only once', async () => {
  const fdatasync = vi
    .spyOn(fs, 'fdatasync')
    .mockImplementation((_fd, done) => done(errno('EINTR')));
  const file = await files.open(`${folder}/a`, 'create');
  await expect(file.sync()).rejects.toMatchObject({ code: 'EINTR', path: `${folder}/a` });
  expect(fdatasync).toHaveBeenCalledTimes(1);
  await file.close();
});

test('closes the folder after a sync of it that failed', async () => {
  vi.spyOn(fs, 'fsync').mockImplementation((_fd, done) => done(errno('EIO')));
  const close = vi.spyOn(fs, 'close');
  await expect(files.syncDirectory(folder)).rejects.toMatchObject({ code: 'EIO' });
  expect(close).toHaveBeenCalledTimes(1);
});

test('refuses a negative position, which Node would take for the end of the last operation', async () => {
  const file = await files.open(`${folder}/a`, 'create');
  expect(() => file.write(-1, [Uint8Array.of(1)])).toThrow('safe integers from 0');
  expect(() => file.read(-1, 1)).toThrow('safe integers from 0');
  await file.close();
});
