// The default import leaves the functions replaceable: the tests make writes short with it.
import fs from 'node:fs';
import { assert } from '../model/assert.ts';
import { assertPosition } from './file-content.ts';
import { renameAction } from './file-tree.ts';
import { OpenHandle } from './open-handle.ts';
import { type File, FileError, type FileStat, type FileSystem, type OpenMode } from './ports.ts';

/** IOV_MAX: the most buffers that Linux and macOS take in one call. */
const MOST_BUFFERS = 1024;
/**
 * The kernel puts what a large write brings into pages of up to 2 MiB. Those are the ones that a virtual
 * machine gives back to its host while they are free; taking them from it again costs up to ten times as much
 * as writing. Smaller ones it keeps.
 */
const MOST_BYTES = 1024 * 1024;
/** How often in a row a call may be interrupted or write nothing before that is an error. */
const MOST_STALLS = 100;

const { O_CREAT, O_RDONLY, O_RDWR } = fs.constants;
const openFlags: { readonly [mode in OpenMode]: number } = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT,
};

/**
 * The file system of the machine. Raw descriptors and callbacks: a `FileHandle` costs about twice
 * as much an operation.
 */
export class NodeFiles implements FileSystem {
  async open(path: string, mode: OpenMode): Promise<File> {
    const fd = await call<number>('open', path, (done) => fs.open(path, openFlags[mode], done));
    return new NodeFile(path, fd);
  }

  async readFile(path: string): Promise<Uint8Array> {
    return plain(await call<Buffer>('read', path, (done) => fs.readFile(path, done)));
  }

  async list(path: string): Promise<string[]> {
    const names = await call<string[]>('list', path, (done) => fs.readdir(path, done));
    return names.sort();
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      const stats = await call<fs.Stats>('stat', path, (done) => fs.stat(path, done));
      const isFolder = stats.isDirectory();
      return {
        kind: isFolder ? 'directory' : 'file',
        size: isFolder ? 0 : stats.size,
        modifiedMs: Math.floor(stats.mtimeMs),
      };
    } catch (error) {
      if (isFileError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async makeDirectory(path: string): Promise<void> {
    try {
      await call<void>('make folder', path, (done) => fs.mkdir(path, done));
    } catch (error) {
      if (!isFileError(error, 'EEXIST')) throw error;
      const found = await this.stat(path);
      if (found?.kind !== 'directory') throw error;
    }
  }

  rename(from: string, to: string): Promise<void> {
    return call<void>(renameAction(to), from, (done) => fs.rename(from, to, done));
  }

  removeFile(path: string): Promise<void> {
    return call<void>('remove', path, (done) => fs.unlink(path, done));
  }

  removeDirectory(path: string): Promise<void> {
    return call<void>('remove folder', path, (done) => fs.rmdir(path, done));
  }

  async syncDirectory(path: string): Promise<void> {
    const flags = O_RDONLY | fs.constants.O_DIRECTORY;
    const fd = await call<number>('sync folder', path, (done) => fs.open(path, flags, done));
    try {
      await call<void>('sync folder', path, (done) => fs.fsync(fd, done));
    } finally {
      await call<void>('close', path, (done) => fs.close(fd, done));
    }
  }
}

class NodeFile implements File {
  readonly path: string;
  readonly #fd: number;
  readonly #handle: OpenHandle;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#handle = new OpenHandle(path);
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    assertPosition(position);
    return this.#handle.use('write', () => this.#writeAll(position, buffers));
  }

  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    assertPosition(position);
    assertPosition(length);
    // Not zeroed and not from the pool: every byte that is handed out has been read.
    const bytes = into?.subarray(0, length) ?? plain(Buffer.allocUnsafeSlow(length));
    assert(bytes.length === length, 'what is read has room');
    return this.#handle.use('read', () => this.#readAll(position, bytes));
  }

  async size(): Promise<number> {
    const stats = await this.#handle.use('stat', () =>
      call<fs.Stats>('stat', this.path, (done) => fs.fstat(this.#fd, done)),
    );
    return stats.size;
  }

  truncate(size: number): Promise<void> {
    assertPosition(size);
    return this.#handle.use('truncate', () =>
      call<void>('truncate', this.path, (done) => fs.ftruncate(this.#fd, size, done)),
    );
  }

  sync(): Promise<void> {
    return this.#handle.use('sync', () =>
      call<void>('sync', this.path, (done) => fs.fdatasync(this.#fd, done)),
    );
  }

  close(): Promise<void> {
    return this.#handle.close(() =>
      call<void>('close', this.path, (done) => fs.close(this.#fd, done)),
    );
  }

  async #writeAll(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    let at = position;
    /** The buffer that is next, and how many of its bytes are written. */
    let next = 0;
    let done = 0;
    let stalls = 0;
    while (next < buffers.length) {
      const group = firstOf(buffers, next, done);
      const written = await this.#writeSome(at, group);
      at += written;
      done += written;
      while (next < buffers.length && done >= buffers[next]!.length) {
        done -= buffers[next]!.length;
        next++;
        stalls = 0;
      }
      stalls = written > 0 ? 0 : stalls + 1;
      if (stalls > MOST_STALLS) throw new FileError('EIO', this.path, 'write');
    }
  }

  /** Writes at least one byte of the group, or answers 0 if it was interrupted before that. */
  #writeSome(position: number, group: readonly Uint8Array[]): Promise<number> {
    return orInterrupted(
      call<number>('write', this.path, (done) => {
        if (group.length === 1) {
          const only = group[0]!;
          fs.write(this.#fd, only, 0, only.length, position, done);
        } else {
          fs.writev(this.#fd, group, position, done);
        }
      }),
    );
  }

  async #readAll(position: number, bytes: Uint8Array): Promise<Uint8Array> {
    const { length } = bytes;
    let done = 0;
    let stalls = 0;
    while (done < length) {
      const count = await orInterrupted(
        call<number>('read', this.path, (answer) =>
          fs.read(this.#fd, bytes, done, length - done, position + done, answer),
        ),
        INTERRUPTED,
      );
      if (count === 0) break;
      if (count === INTERRUPTED) {
        stalls++;
        if (stalls > MOST_STALLS) throw new FileError('EIO', this.path, 'read');
        continue;
      }
      stalls = 0;
      done += count;
    }
    return bytes.subarray(0, done);
  }
}

/** What one call is to write: buffers from `next` on, the first of them without its `done` bytes. */
function firstOf(buffers: readonly Uint8Array[], next: number, done: number): Uint8Array[] {
  const group: Uint8Array[] = [];
  let room = MOST_BYTES;
  for (let at = next; at < buffers.length && room > 0 && group.length < MOST_BUFFERS; at++) {
    const from = at === next ? done : 0;
    const piece = buffers[at]!.subarray(from, from + room);
    group.push(piece);
    room -= piece.length;
  }
  return group;
}

const INTERRUPTED = -1;

/** EINTR and EAGAIN say "try again", not that anything is wrong. */
async function orInterrupted(attempt: Promise<number>, answer = 0): Promise<number> {
  try {
    return await attempt;
  } catch (error) {
    if (isFileError(error, 'EINTR') || isFileError(error, 'EAGAIN')) return answer;
    throw error;
  }
}

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

/** Promisified by hand, which is cheaper than `util.promisify`, with errors as `FileError`s. */
function call<T>(action: string, path: string, start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(new FileError(error.code ?? 'UNKNOWN', path, action, { cause: error }));
      else resolve(value as T);
    });
  });
}

function isFileError(error: unknown, code: string): boolean {
  return error instanceof FileError && error.code === code;
}

/** Without `Buffer`'s own methods, some of which (`slice`) differ from those of `Uint8Array`. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
