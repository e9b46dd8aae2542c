import type { FileNode, TreeChange } from '../../../src/env/file-tree.ts';
import { OpenHandle } from '../../../src/env/open-handle.ts';
import {
  type File,
  FileError,
  type FileStat,
  type FileSystem,
  type OpenMode,
} from '../../../src/env/ports.ts';
import type { Incarnation } from './incarnation.ts';
import type { DiskAction, DiskOperation, SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedRandom } from './simulated-random.ts';

/** The file system as one process sees it. */
export class SimulatedFiles implements FileSystem {
  readonly #disk: SimulatedDisk;
  readonly #incarnation: Incarnation;

  constructor(disk: SimulatedDisk, incarnation: Incarnation) {
    this.#disk = disk;
    this.#incarnation = incarnation;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    const disk = this.#disk;
    const create = (): FileNode => {
      checkSpace(disk, path, mode);
      const { node, change } = disk.tree.open(path, mode, disk.clock.wallMs());
      disk.state.names.record(change);
      return node;
    };
    const node = await disk.perform(this.#incarnation, {
      operation: 'open',
      path,
      effect: create,
      onFault: (random, code) => perhapsAfter(code, random, create),
      onCrash: (random) => perhaps(random, create),
    });
    return new SimulatedFile({ path, mode, disk, incarnation: this.#incarnation, node });
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#look('read', path, () => this.#disk.tree.read(path));
  }

  list(path: string): Promise<string[]> {
    return this.#look('list', path, () => this.#disk.tree.list(path));
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#look('stat', path, () => this.#disk.tree.stat(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#change('makeDirectory', path, () =>
      this.#disk.tree.makeDirectory(path, this.#disk.clock.wallMs()),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change('rename', from, () => this.#disk.tree.rename(from, to));
  }

  removeFile(path: string): Promise<void> {
    const { faults, tree } = this.#disk;
    return this.#change('remove', path, () => {
      const node = tree.find(path, 'remove');
      const change = tree.removeFile(path);
      if (node?.kind === 'file') faults.take(-node.content.size);
      return change;
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.#change('remove', path, () => this.#disk.tree.removeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    const isDropped = this.#disk.isSyncDropped('directory', path);
    const finish = this.#captureNames(path);
    return this.#look('syncDirectory', path, () => {
      if (!isDropped) finish();
    });
  }

  /** What a sync of the folder does at its end. What it covers is decided at its beginning: now. */
  #captureNames(path: string): () => void {
    const { tree, names } = this.#disk.state;
    try {
      const captured = names.capture(tree.folder(path, 'sync folder'));
      return () => names.synced(captured);
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  #look<T>(operation: DiskOperation, path: string, effect: () => T): Promise<T> {
    return this.#disk.perform(this.#incarnation, { operation, path, effect });
  }

  #change(operation: DiskOperation, path: string, change: () => TreeChange): Promise<void> {
    const effect = (): void => this.#disk.state.names.record(change());
    return this.#disk.perform(this.#incarnation, {
      operation,
      path,
      effect,
      onFault: (random, code) => perhapsAfter(code, random, effect),
      onCrash: (random) => perhaps(random, effect),
    });
  }
}

interface OpenFile {
  readonly path: string;
  readonly mode: OpenMode;
  readonly disk: SimulatedDisk;
  readonly incarnation: Incarnation;
  readonly node: FileNode;
}

class SimulatedFile implements File {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #handle: OpenHandle;

  constructor(file: OpenFile) {
    this.path = file.path;
    this.#file = file;
    this.#handle = new OpenHandle(file.path);
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const total = byteCount(buffers);
    const isPossible = this.#file.mode !== 'read';
    /** An operation that did not complete has written the beginning, or nothing, or all. */
    const writePart = (random: SimulatedRandom): void => {
      if (!isPossible) return;
      this.#write(position, buffers, random.pick([0, random.between(0, total), total]));
    };
    return this.#perform('write', {
      effect: () => {
        if (!isPossible) throw new FileError('EBADF', this.path, 'write');
        if (this.#write(position, buffers, total) < total) {
          throw new FileError('ENOSPC', this.path, 'write');
        }
      },
      onFault: writePart,
      onCrash: writePart,
      ...(isPossible && total > 1
        ? { onHalf: (random) => void this.#write(position, buffers, random.below(total)) }
        : {}),
    });
  }

  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const { node } = this.#file;
    return this.#perform('read', { effect: () => node.content.read(position, length, into) });
  }

  size(): Promise<number> {
    return this.#perform('stat', { effect: () => this.#file.node.content.size });
  }

  truncate(size: number): Promise<void> {
    const effect = (): void => {
      const { disk, mode, node, path } = this.#file;
      if (mode === 'read') throw new FileError('EINVAL', path, 'truncate');
      disk.faults.take(Math.min(0, size - node.content.size));
      node.content.truncate(size);
      node.modifiedMs = disk.clock.wallMs();
      disk.state.contentOf(node).record({ type: 'truncate', size });
    };
    return this.#perform('truncate', {
      effect,
      onFault: (random) => perhaps(random, effect),
      onCrash: (random) => perhaps(random, effect),
    });
  }

  sync(): Promise<void> {
    const { disk, node, path } = this.#file;
    const isDropped = disk.isSyncDropped('file', path);
    const content = disk.state.contentOf(node);
    const { position } = content;
    return this.#perform('sync', {
      effect: () => {
        if (!isDropped) content.synced(position);
      },
      onFault: () => content.syncFailed(position),
    });
  }

  close(): Promise<void> {
    const { disk, incarnation, path } = this.#file;
    return this.#handle.close(() =>
      disk.perform(incarnation, { operation: 'close', path, effect: () => {} }),
    );
  }

  #perform<T>(
    operation: DiskOperation,
    action: Omit<DiskAction<T>, 'operation' | 'path'>,
  ): Promise<T> {
    const { disk, incarnation, path } = this.#file;
    return this.#handle.use(operation, () =>
      disk.perform(incarnation, { operation, path, ...action }),
    );
  }

  /**
   * The buffers are read now: who changed them meanwhile sees it. Returns how many bytes found space.
   */
  #write(position: number, buffers: readonly Uint8Array[], count: number): number {
    const { disk, node } = this.#file;
    node.modifiedMs = disk.clock.wallMs();
    const { size } = node.content;
    const growth = Math.max(0, position + count - size);
    const written = count - growth + disk.faults.take(growth);
    const bytes = new Uint8Array(Buffer.concat(buffers).subarray(0, Math.max(0, written)));
    if (bytes.length > 0) {
      node.content.write(position, bytes);
      disk.state.contentOf(node).record({ type: 'write', position, bytes });
    }
    return bytes.length;
  }
}

const byteCount = (buffers: readonly Uint8Array[]): number =>
  buffers.reduce((sum, { length }) => sum + length, 0);

/** A change that was under way at a crash has taken place or not, and nobody hears how it went. */
function perhaps(random: SimulatedRandom, change: () => unknown): void {
  if (!random.chance(0.5)) return;
  try {
    change();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
}

/** As `perhaps`, after an error; one for want of space says that it has not. */
function perhapsAfter(code: string, random: SimulatedRandom, change: () => unknown): void {
  if (code !== 'ENOSPC') perhaps(random, change);
}

/** A new name takes space in its folder. */
function checkSpace({ faults, tree }: SimulatedDisk, path: string, mode: OpenMode): void {
  if (mode !== 'create' || faults.spaceLeft > 0 || tree.stat(path) !== undefined) return;
  throw new FileError('ENOSPC', path, 'open');
}
