import type { FileNode, FileTree } from './file-tree.ts';
import { OpenHandle } from './open-handle.ts';
import {
  type Clock,
  type File,
  FileError,
  type FileStat,
  type FileSystem,
  type OpenMode,
} from './ports.ts';

/** A file system in memory. Everything is "durable" as long as the process lives. */
export class MemoryFiles implements FileSystem {
  readonly #clock: Clock;
  readonly #tree: FileTree;

  constructor(clock: Clock, tree: FileTree) {
    this.#clock = clock;
    this.#tree = tree;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    const { node } = this.#tree.open(path, mode, this.#clock.wallMs());
    return new MemoryFile(path, mode, this.#clock, node);
  }

  async readFile(path: string): Promise<Uint8Array> {
    return this.#tree.read(path);
  }

  async list(path: string): Promise<string[]> {
    return this.#tree.list(path);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return this.#tree.stat(path);
  }

  async makeDirectory(path: string): Promise<void> {
    this.#tree.makeDirectory(path, this.#clock.wallMs());
  }

  async rename(from: string, to: string): Promise<void> {
    this.#tree.rename(from, to);
  }

  async removeFile(path: string): Promise<void> {
    this.#tree.removeFile(path);
  }

  async removeDirectory(path: string): Promise<void> {
    this.#tree.removeDirectory(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#tree.folder(path, 'sync folder');
  }
}

class MemoryFile implements File {
  readonly path: string;
  readonly #mode: OpenMode;
  readonly #clock: Clock;
  readonly #node: FileNode;
  readonly #handle: OpenHandle;

  constructor(path: string, mode: OpenMode, clock: Clock, node: FileNode) {
    this.path = path;
    this.#mode = mode;
    this.#clock = clock;
    this.#node = node;
    this.#handle = new OpenHandle(path);
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    return this.#handle.use('write', async () => {
      if (this.#mode === 'read') throw new FileError('EBADF', this.path, 'write');
      let at = position;
      for (const buffer of buffers) {
        this.#node.content.write(at, buffer);
        at += buffer.length;
      }
      this.#node.modifiedMs = this.#clock.wallMs();
    });
  }

  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#handle.use('read', async () => this.#node.content.read(position, length, into));
  }

  size(): Promise<number> {
    return this.#handle.use('stat', async () => this.#node.content.size);
  }

  truncate(size: number): Promise<void> {
    return this.#handle.use('truncate', async () => {
      if (this.#mode === 'read') throw new FileError('EINVAL', this.path, 'truncate');
      this.#node.content.truncate(size);
      this.#node.modifiedMs = this.#clock.wallMs();
    });
  }

  sync(): Promise<void> {
    return this.#handle.use('sync', async () => {});
  }

  close(): Promise<void> {
    return this.#handle.close(async () => {});
  }
}
