import { FileContent } from '../../../src/env/file-content.ts';
import { FileNode, FileTree, FolderNode, type TreeNode } from '../../../src/env/file-tree.ts';
import { SortedBytes } from '../../../src/env/sorted-bytes.ts';
import type { Fate } from './fate.ts';
import type { Incarnation } from './incarnation.ts';
import { UnsyncedBatches } from './unsynced-batches.ts';
import { UnsyncedContent } from './unsynced-content.ts';
import { type TwinOf, UnsyncedNames } from './unsynced-names.ts';

/** What a folder holds when it is a store. */
export interface DiskStore {
  /** What the process sees. */
  entries: SortedBytes;
  readonly unsynced: UnsyncedBatches;
  owner: Incarnation | undefined;
  /** It cannot be opened; the code says why. */
  damage: string | undefined;
}

/**
 * What a disk holds: what its processes see (the page cache) and, beside it, what would be left by a
 * power cut.
 */
export class DiskState {
  readonly tree: FileTree = new FileTree();
  #names = new UnsyncedNames();
  readonly #contents: WeakMap<FileNode, UnsyncedContent> = new WeakMap();
  readonly #stores: WeakMap<FolderNode, DiskStore> = new WeakMap();

  get names(): UnsyncedNames {
    return this.#names;
  }

  contentOf(node: FileNode): UnsyncedContent {
    let content = this.#contents.get(node);
    if (content === undefined) {
      content = new UnsyncedContent(new FileContent());
      this.#contents.set(node, content);
    }
    return content;
  }

  storeOf(folder: FolderNode): DiskStore {
    let store = this.#stores.get(folder);
    if (store === undefined) {
      store = {
        entries: new SortedBytes(),
        unsynced: new UnsyncedBatches(),
        owner: undefined,
        damage: undefined,
      };
      this.#stores.set(folder, store);
    }
    return store;
  }

  /** The store in a folder, if it is one. */
  storeIn(folder: FolderNode): DiskStore | undefined {
    return this.#stores.get(folder);
  }

  /** What a file holds from now on, for good. */
  replaceContent(node: FileNode, content: FileContent): void {
    node.content = content;
    this.#contents.set(node, new UnsyncedContent(content.clone()));
  }

  /** How many changes a power cut may take, each whole or in part. */
  get pendingCount(): number {
    let count = this.#names.pendingCount;
    for (const node of this.#nodes()) {
      if (node.kind === 'file') count += this.#contents.get(node)?.pendingCount ?? 0;
      else count += this.#stores.get(node)?.unsynced.pendingCount ?? 0;
    }
    return count;
  }

  /** Turns everything into what a power cut leaves of it. */
  cut(fate: Fate): void {
    this.#names.cut(fate);
    this.#restore(this.tree.root, fate);
  }

  /** Another disk with the same on it. No process has anything open there. */
  clone(): DiskState {
    const copy = new DiskState();
    const twins = new Map<TreeNode, TreeNode>([[this.tree.root, copy.tree.root]]);
    const twinOf = ((node: TreeNode): TreeNode => {
      let twin = twins.get(node);
      if (twin === undefined) {
        twin =
          node.kind === 'file' ? new FileNode(node.modifiedMs) : new FolderNode(node.modifiedMs);
        twins.set(node, twin);
      }
      return twin;
    }) as TwinOf;
    for (const node of this.#nodes()) {
      if (node.kind === 'file') this.#copyFile(node, twinOf(node), copy);
      else this.#copyFolder(node, twinOf, copy);
    }
    const folders = [...twins.keys()].filter((node) => node.kind === 'directory');
    copy.#names = this.#names.clone(folders, twinOf);
    return copy;
  }

  /** All nodes that are there, or that a power cut may bring back. */
  #nodes(): Set<TreeNode> {
    const nodes = new Set<TreeNode>([this.tree.root, ...this.#names.changedNodes()]);
    // Those that are added meanwhile are visited, too.
    for (const node of nodes) {
      if (node.kind === 'file') continue;
      for (const child of node.entries.values()) nodes.add(child);
      for (const child of this.#names.nodesOf(node)) nodes.add(child);
    }
    return nodes;
  }

  #copyFile(node: FileNode, twin: FileNode, copy: DiskState): void {
    twin.content = node.content.clone();
    const content = this.#contents.get(node);
    if (content !== undefined) copy.#contents.set(twin, content.clone());
  }

  #copyFolder(node: FolderNode, twinOf: TwinOf, copy: DiskState): void {
    const twin = twinOf(node);
    for (const [name, child] of node.entries) twin.entries.set(name, twinOf(child));
    const store = this.#stores.get(node);
    if (store === undefined) return;
    const { entries, unsynced, damage } = store;
    copy.#stores.set(twin, {
      entries: entries.clone(),
      unsynced: unsynced.clone(),
      owner: undefined,
      damage,
    });
  }

  /** Makes a folder, and all below it, what the power cut has left of it. */
  #restore(folder: FolderNode, fate: Fate): void {
    folder.entries = new Map(this.#names.durableEntries(folder));
    const store = this.#stores.get(folder);
    if (store !== undefined) store.entries = store.unsynced.cut(fate);
    for (const node of folder.entries.values()) {
      if (node.kind === 'directory') {
        this.#restore(node, fate);
      } else {
        this.replaceContent(node, this.contentOf(node).survivor(fate));
      }
    }
  }
}
