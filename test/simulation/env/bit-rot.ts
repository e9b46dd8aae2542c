import type { FileContent } from '../../../src/env/file-content.ts';
import type { FileNode } from '../../../src/env/file-tree.ts';
import { SortedBytes } from '../../../src/env/sorted-bytes.ts';
import { assert } from '../../../src/model/assert.ts';
import type { DiskState } from './disk-state.ts';
import type { SimulatedRandom } from './simulated-random.ts';

/** What time, or a bad cable, does to a file at rest. */
export type FileRot =
  | { readonly type: 'flip'; readonly position: number; readonly bit: number }
  | { readonly type: 'zero'; readonly position: number; readonly length: number }
  | { readonly type: 'cut' | 'extend'; readonly size: number }
  /** The whole file is an older one. */
  | { readonly type: 'old'; readonly content: FileContent };

/** Lets a file rot: for who reads it from now on, and for good. */
export function rotFile(state: DiskState, path: string, rot: FileRot): void {
  const node = fileAt(state, path);
  if (rot.type === 'old') {
    state.replaceContent(node, rot.content.clone());
    return;
  }
  const content = node.content.clone();
  if (rot.type === 'flip') {
    const [byte] = content.read(rot.position, 1);
    assert(byte !== undefined, 'only bytes that are there rot');
    content.write(rot.position, Uint8Array.of(byte ^ (1 << rot.bit)));
  } else if (rot.type === 'zero') {
    content.write(rot.position, new Uint8Array(Math.min(rot.length, content.size - rot.position)));
  } else {
    content.truncate(rot.size);
  }
  state.replaceContent(node, content);
}

/**
 * Lets a closed store rot as one of LevelDB does (1.20, tried): from a damaged place in a log file on
 * the batches up to the end of the block are gone without a word, and later ones are there; a damaged
 * table gives changed keys and values, as nobody checks its checksums; a damaged manifest keeps the
 * store from opening.
 */
export function rotStore(state: DiskState, path: string, random: SimulatedRandom): void {
  const store = state.storeOf(state.tree.folder(path, 'rot'));
  const kind = random.pick(['log', 'log', 'value', 'key', 'manifest'] as const);
  if (kind === 'manifest') {
    store.damage = 'LEVEL_CORRUPTION';
  } else if (kind === 'log') {
    store.unsynced.loseRecent((count) => {
      const from = random.below(count);
      return { from, to: random.between(from + 1, count) };
    });
  } else {
    const entries = store.unsynced.content().range(EVERYTHING);
    const rotten = random.below(entries.length);
    const changed = entries.map(([key, value], i) => ({
      type: 'put' as const,
      key: i === rotten && kind === 'key' ? flipped(key, random) : key,
      value: i === rotten && kind === 'value' ? flipped(value, random) : value,
    }));
    const content = new SortedBytes();
    content.apply(changed);
    store.unsynced.replace(content);
  }
}

const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff, 0xff) };

function flipped(bytes: Uint8Array, random: SimulatedRandom): Uint8Array {
  const result = bytes.slice();
  if (result.length > 0) result[random.below(result.length)]! ^= 1 << random.below(8);
  return result;
}

function fileAt(state: DiskState, path: string): FileNode {
  const node = state.tree.find(path, 'rot');
  assert(node?.kind === 'file', 'a file rots');
  return node;
}
