import {
  type FolderNode,
  type NameChange,
  setName,
  type TreeChange,
  type TreeNode,
} from '../../../src/env/file-tree.ts';
import type { Fate } from './fate.ts';

const LIKELIHOODS = [0, 0.2, 0.5, 0.5, 0.8, 1];

/**
 * What the disk holds of the names in all folders: the entries that were synced, and the changes
 * since, of which a part may be there too.
 */
export class UnsyncedNames {
  readonly #durable: WeakMap<FolderNode, Map<string, TreeNode>> = new WeakMap();
  /** In the order in which they took effect. */
  #changes: TreeChange[] = [];

  record(change: TreeChange): void {
    if (change.length > 0) this.#changes.push(change);
  }

  /** What a sync of the folder makes durable, if it begins now. */
  capture(folder: FolderNode): ReadonlySet<TreeChange> {
    const captured = new Set<TreeChange>();
    const names = new NameSet();
    const folders = new Set<TreeNode>();
    // Backwards, because a change stands on earlier ones only.
    for (const change of this.#changes.toReversed()) {
      const placesWanted = change.some(({ node }) => node !== undefined && folders.has(node));
      const isWanted = change.some((each) => each.folder === folder || names.has(each));
      if (!placesWanted && !isWanted) continue;
      captured.add(change);
      for (const each of change) {
        names.add(each);
        // A rename that is durable does not lead into a folder that is not there.
        const isTarget = each.node !== undefined && isMove(change);
        if (isTarget || placesWanted) folders.add(each.folder);
      }
    }
    return captured;
  }

  synced(captured: ReadonlySet<TreeChange>): void {
    const rest: TreeChange[] = [];
    for (const change of this.#changes) {
      if (captured.has(change)) this.#makeDurable(change);
      else rest.push(change);
    }
    this.#changes = rest;
  }

  /** How many changes a power cut may take. */
  get pendingCount(): number {
    return this.#changes.length;
  }

  /** The same of another tree, in which `twinOf` gives the node that stands for one of this tree. */
  clone(folders: Iterable<FolderNode>, twinOf: TwinOf): UnsyncedNames {
    const copy = new UnsyncedNames();
    for (const folder of folders) {
      const durable = this.#durable.get(folder);
      if (durable === undefined) continue;
      const entries = [...durable].map(([name, node]) => [name, twinOf(node)] as const);
      copy.#durable.set(twinOf(folder), new Map(entries));
    }
    copy.#changes = this.#changes.map((change) =>
      change.map(({ folder, name, node }) => ({
        folder: twinOf(folder),
        name,
        node: node === undefined ? undefined : twinOf(node),
      })),
    );
    return copy;
  }

  /** Nodes that a power cut may bring back. */
  nodesOf(folder: FolderNode): TreeNode[] {
    const durable = this.#durable.get(folder);
    return durable === undefined ? [] : [...durable.values()];
  }

  /** Folders and nodes that unsynced changes are about. */
  changedNodes(): TreeNode[] {
    return this.#changes.flatMap((change) =>
      change.flatMap(({ folder, node }) => (node === undefined ? [folder] : [folder, node])),
    );
  }

  /**
   * Decides which unsynced changes survive a power cut, makes them durable and forgets the others. Of
   * the changes of one name any number, from the first, has arrived. A rename concerns two names
   * and arrives whole or not at all, and never into a folder whose making did not arrive.
   */
  cut(fate: Fate): void {
    fate.begin(LIKELIHOODS);
    const missingNames = new NameSet();
    const missingFolders = new Set<TreeNode>();
    for (const change of this.#changes) {
      const isPossible = change.every(
        (each) => !missingNames.has(each) && !missingFolders.has(each.folder),
      );
      if (isPossible && fate.arrives()) {
        this.#makeDurable(change);
        continue;
      }
      for (const each of change) missingNames.add(each);
      // A folder whose move did not arrive is still at its old place.
      const [first] = change;
      if (change.length === 1 && first?.node?.kind === 'directory') missingFolders.add(first.node);
    }
    this.#changes = [];
  }

  /** The entries of a folder that are certain to be there after a power cut. */
  durableEntries(folder: FolderNode): Map<string, TreeNode> {
    let entries = this.#durable.get(folder);
    if (entries === undefined) {
      entries = new Map();
      this.#durable.set(folder, entries);
    }
    return entries;
  }

  #makeDurable(change: TreeChange): void {
    for (const each of change) setName(this.durableEntries(each.folder), each);
  }
}

/** Gives the node of a copied tree that stands for a node of the original. */
export type TwinOf = <Node extends TreeNode>(node: Node) => Node;

/** A rename into another folder. */
const isMove = (change: TreeChange): boolean =>
  change.some(({ folder }) => folder !== change[0]!.folder);

class NameSet {
  readonly #names: Map<FolderNode, Set<string>> = new Map();

  has(change: NameChange): boolean {
    return this.#names.get(change.folder)?.has(change.name) ?? false;
  }

  add(change: NameChange): void {
    const names = this.#names.get(change.folder);
    if (names === undefined) this.#names.set(change.folder, new Set([change.name]));
    else names.add(change.name);
  }
}
