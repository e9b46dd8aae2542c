/** Bits of the hash that one level of branches uses up. */
const BITS = 5;
const WIDTH = 1 << BITS;
const MASK = WIDTH - 1;
/** A leaf with more entries becomes a branch, while there are bits of the hash left to tell them apart. */
const LEAF_ENTRIES = 8;

type Entry<K, V> = readonly [key: K, value: V];

interface Leaf<K, V> {
  readonly children: null;
  readonly entries: readonly Entry<K, V>[];
}

interface Branch<K, V> {
  readonly children: readonly (Node<K, V> | undefined)[];
}

type Node<K, V> = Leaf<K, V> | Branch<K, V>;

/**
 * An immutable map (a hash trie with buckets at the leaves). A change copies the path to one leaf,
 * so it costs the logarithm of the size and shares everything else with the map it came from; two
 * versions are compared by what differs, because shared parts are the same objects.
 *
 * The order of iteration is fixed by the keys and by how the map came about; whoever shows it sorts.
 */
export class PersistentMap<K extends string | number, V> implements Iterable<Entry<K, V>> {
  readonly size: number;
  readonly #root: Node<K, V> | undefined;

  /** The empty map; the arguments are for this class itself. */
  constructor(root?: Node<K, V>, size = 0) {
    this.#root = root;
    this.size = size;
  }

  get(key: K): V | undefined {
    return this.#find(key)?.[1];
  }

  has(key: K): boolean {
    return this.#find(key) !== undefined;
  }

  /** This map with `key` at `value`; this map itself if it is there already. */
  set(key: K, value: V): PersistentMap<K, V> {
    const root = setIn(this.#root, 0, hashOf(key), [key, value]);
    if (root === this.#root) return this;
    return new PersistentMap(root, this.has(key) ? this.size : this.size + 1);
  }

  /** This map without `key`; this map itself if it has none. */
  delete(key: K): PersistentMap<K, V> {
    if (!this.has(key)) return this;
    return new PersistentMap(deleteIn(this.#root, 0, hashOf(key), key), this.size - 1);
  }

  *[Symbol.iterator](): Iterator<Entry<K, V>> {
    yield* entriesOf(this.#root);
  }

  *keys(): Iterable<K> {
    for (const [key] of this) yield key;
  }

  *values(): Iterable<V> {
    for (const [, value] of this) yield value;
  }

  /**
   * Calls `visit` for every key whose value is not the same (`Object.is`) as in `before`. What the
   * two maps share is skipped without being looked at.
   */
  forEachChange(
    before: PersistentMap<K, V>,
    visit: (key: K, before: V | undefined, after: V | undefined) => void,
  ): void {
    visitChanges(before.#root, this.#root, visit);
  }

  #find(key: K): Entry<K, V> | undefined {
    const hash = hashOf(key);
    let node = this.#root;
    for (let shift = 0; node !== undefined && node.children !== null; shift += BITS) {
      node = node.children[(hash >>> shift) & MASK];
    }
    return node?.entries.find((entry) => entry[0] === key);
  }
}

function setIn<K extends string | number, V>(
  node: Node<K, V> | undefined,
  shift: number,
  hash: number,
  entry: Entry<K, V>,
): Node<K, V> {
  if (node === undefined) return { children: null, entries: [entry] };
  if (node.children !== null) {
    const at = (hash >>> shift) & MASK;
    const child = setIn(node.children[at], shift + BITS, hash, entry);
    return child === node.children[at] ? node : { children: node.children.with(at, child) };
  }
  const at = node.entries.findIndex((each) => each[0] === entry[0]);
  if (at >= 0) {
    const same = Object.is(node.entries[at]![1], entry[1]);
    return same ? node : { children: null, entries: node.entries.with(at, entry) };
  }
  const entries = [...node.entries, entry];
  // Keys with the same hash share a leaf of any size.
  if (entries.length <= LEAF_ENTRIES || shift >= 32) return { children: null, entries };
  return split(entries, shift);
}

function split<K extends string | number, V>(
  entries: readonly Entry<K, V>[],
  shift: number,
): Branch<K, V> {
  const children = new Array<Node<K, V> | undefined>(WIDTH).fill(undefined);
  for (const entry of entries) {
    const hash = hashOf(entry[0]);
    const at = (hash >>> shift) & MASK;
    children[at] = setIn(children[at], shift + BITS, hash, entry);
  }
  return { children };
}

function deleteIn<K extends string | number, V>(
  node: Node<K, V> | undefined,
  shift: number,
  hash: number,
  key: K,
): Node<K, V> | undefined {
  if (node === undefined) return undefined;
  if (node.children === null) {
    const entries = node.entries.filter((entry) => entry[0] !== key);
    return entries.length === 0 ? undefined : { children: null, entries };
  }
  const at = (hash >>> shift) & MASK;
  const children = node.children.with(at, deleteIn(node.children[at], shift + BITS, hash, key));
  return children.every((child) => child === undefined) ? undefined : { children };
}

function* entriesOf<K, V>(node: Node<K, V> | undefined): Iterable<Entry<K, V>> {
  if (node === undefined) return;
  if (node.children === null) yield* node.entries;
  else for (const child of node.children) yield* entriesOf(child);
}

function visitChanges<K, V>(
  before: Node<K, V> | undefined,
  after: Node<K, V> | undefined,
  visit: (key: K, before: V | undefined, after: V | undefined) => void,
): void {
  if (before === after) return;
  if (before?.children && after?.children) {
    for (let at = 0; at < WIDTH; at++) {
      visitChanges(before.children[at], after.children[at], visit);
    }
    return;
  }
  // At least one side is a leaf or nothing: the other is as small, or has grown out of a leaf.
  const old = new Map(entriesOf(before));
  for (const [key, value] of entriesOf(after)) {
    if (!old.has(key) || !Object.is(old.get(key), value)) visit(key, old.get(key), value);
    old.delete(key);
  }
  for (const [key, value] of old) visit(key, value, undefined);
}

/** 32 bits that differ in all places for keys that differ in one (FNV-1a, then Murmur3's last step). */
function hashOf(key: string | number): number {
  let hash = 0x811c9dc5;
  if (typeof key === 'number') {
    hash = Math.imul(hash ^ key, 0x01000193) ^ Math.floor(key / 0x1_0000_0000);
  } else {
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
