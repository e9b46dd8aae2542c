import { posix } from 'node:path';
import { FileContent } from './file-content.ts';
import { FileError, type FileStat, type OpenMode } from './ports.ts';

/** NAME_MAX of every common file system. */
const MAX_NAME_BYTES = 255;

/** What a file is, apart from its name: it lives on while a handle or a name holds it. */
export class FileNode {
  readonly kind = 'file';
  content: FileContent = new FileContent();
  modifiedMs: number;

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs;
  }
}

export class FolderNode {
  readonly kind = 'directory';
  entries: Map<string, TreeNode> = new Map();
  readonly modifiedMs: number;

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs;
  }
}

export type TreeNode = FileNode | FolderNode;

/** `name` in `folder` now means `node`, or nothing. */
export interface NameChange {
  readonly folder: FolderNode;
  readonly name: string;
  readonly node: TreeNode | undefined;
}

/** What one operation did to names; all of it or nothing. Two for a rename, else one. */
export type TreeChange = readonly NameChange[];

export function setName(entries: Map<string, TreeNode>, change: NameChange): void {
  if (change.node === undefined) entries.delete(change.name);
  else entries.set(change.name, change.node);
}

/**
 * Folders and files in memory with the outcomes of a POSIX file system, error codes included. The
 * memory and the simulated file system stand on it; the changes that it returns are for the latter.
 * Paths begin at the root, whether they are written so or not.
 */
export class FileTree {
  readonly root: FolderNode = new FolderNode(0);

  /** The node at a path, or undefined. `ENOTDIR` if the path leads through a file. */
  find(path: string, action: string): TreeNode | undefined {
    return this.#walk(namesOf(path), path, action);
  }

  folder(path: string, action: string): FolderNode {
    const node = this.find(path, action);
    if (node === undefined) throw new FileError('ENOENT', path, action);
    if (node.kind === 'file') throw new FileError('ENOTDIR', path, action);
    return node;
  }

  open(path: string, mode: OpenMode, nowMs: number): { node: FileNode; change: TreeChange } {
    const { folder, name, node } = this.#place(path, 'open');
    if (node?.kind === 'directory') throw new FileError('EISDIR', path, 'open');
    if (node !== undefined) return { node, change: [] };
    if (mode !== 'create') throw new FileError('ENOENT', path, 'open');
    const created = new FileNode(nowMs);
    return { node: created, change: this.#apply([{ folder, name, node: created }]) };
  }

  read(path: string): Uint8Array {
    const node = this.find(path, 'read');
    if (node === undefined) throw new FileError('ENOENT', path, 'read');
    if (node.kind === 'directory') throw new FileError('EISDIR', path, 'read');
    return node.content.read(0, node.content.size);
  }

  list(path: string): string[] {
    return [...this.folder(path, 'list').entries.keys()].sort();
  }

  stat(path: string): FileStat | undefined {
    const node = this.find(path, 'stat');
    if (node === undefined) return undefined;
    const size = node.kind === 'file' ? node.content.size : 0;
    return { kind: node.kind, size, modifiedMs: node.modifiedMs };
  }

  makeDirectory(path: string, nowMs: number): TreeChange {
    const { folder, name, node } = this.#place(path, 'make folder');
    if (node?.kind === 'directory') return [];
    if (node !== undefined) throw new FileError('EEXIST', path, 'make folder');
    return this.#apply([{ folder, name, node: new FolderNode(nowMs) }]);
  }

  rename(from: string, to: string): TreeChange {
    const action = renameAction(to);
    // Both folders are looked for before either name is.
    const source = this.#placeOf(from, action);
    const target = this.#placeOf(to, action, from);
    checkLength(source.name, from, action);
    const { node } = source;
    if (node === undefined) throw new FileError('ENOENT', from, action);
    checkLength(target.name, from, action);
    if (node.kind === 'directory' && isInside(to, from)) {
      throw new FileError('EINVAL', from, action);
    }
    if (isInside(from, to)) throw new FileError('ENOTEMPTY', from, action);
    if (target.node === node) return [];
    if (target.node !== undefined && target.node.kind !== node.kind) {
      throw new FileError(node.kind === 'file' ? 'EISDIR' : 'ENOTDIR', from, action);
    }
    if (target.node?.kind === 'directory' && target.node.entries.size > 0) {
      throw new FileError('ENOTEMPTY', from, action);
    }
    return this.#apply([
      { folder: source.folder, name: source.name, node: undefined },
      { folder: target.folder, name: target.name, node },
    ]);
  }

  removeFile(path: string): TreeChange {
    const { folder, name, node } = this.#place(path, 'remove');
    if (node === undefined) throw new FileError('ENOENT', path, 'remove');
    if (node.kind === 'directory') throw new FileError('EISDIR', path, 'remove');
    return this.#apply([{ folder, name, node: undefined }]);
  }

  removeDirectory(path: string): TreeChange {
    const { folder, name, node } = this.#place(path, 'remove folder');
    if (node === undefined) throw new FileError('ENOENT', path, 'remove folder');
    if (node.kind === 'file') throw new FileError('ENOTDIR', path, 'remove folder');
    if (node.entries.size > 0) throw new FileError('ENOTEMPTY', path, 'remove folder');
    return this.#apply([{ folder, name, node: undefined }]);
  }

  #place(path: string, action: string): Place {
    const place = this.#placeOf(path, action);
    checkLength(place.name, path, action);
    return place;
  }

  /** Where a path ends. Errors name `reported`, which is another path in a rename. */
  #placeOf(path: string, action: string, reported: string = path): Place {
    const names = namesOf(path);
    const name = names.pop();
    // The root has a place in no folder. Linux calls that busy.
    if (name === undefined) throw new FileError('EBUSY', reported, action);
    const folder = this.#walk(names, reported, action);
    if (folder === undefined) throw new FileError('ENOENT', reported, action);
    if (folder.kind === 'file') throw new FileError('ENOTDIR', reported, action);
    return { folder, name, node: folder.entries.get(name) };
  }

  /** The node that names lead to from the root. Errors name `path`. */
  #walk(names: readonly string[], path: string, action: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.root;
    for (const name of names) {
      if (node === undefined) return undefined;
      if (node.kind === 'file') throw new FileError('ENOTDIR', path, action);
      checkLength(name, path, action);
      node = node.entries.get(name);
    }
    return node;
  }

  #apply(change: TreeChange): TreeChange {
    for (const each of change) setName(each.folder.entries, each);
    return change;
  }
}

/** A name in a folder that is there, and what it means now. */
interface Place {
  readonly folder: FolderNode;
  readonly name: string;
  readonly node: TreeNode | undefined;
}

/** What `FileError` says of a rename: "cannot give the name /b to /a". */
export const renameAction = (to: string): string => `give the name ${to} to`;

/** Refused where it would be looked up: a folder that is missing before it is the first thing to say. */
function checkLength(name: string, path: string, action: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new FileError('ENAMETOOLONG', path, action);
}

function namesOf(path: string): string[] {
  return posix
    .normalize(`/${path}`)
    .split('/')
    .filter((name) => name !== '');
}

function isInside(path: string, folder: string): boolean {
  const outer = namesOf(folder);
  const inner = namesOf(path);
  return inner.length > outer.length && outer.every((name, i) => name === inner[i]);
}
