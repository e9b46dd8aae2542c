import type { FileTree, FolderNode } from './file-tree.ts';
import { OpenHandle } from './open-handle.ts';
import {
  type Clock,
  type KeyValueStore,
  type KeyValueStores,
  StoreLockedError,
  type StoreOperation,
  type StoreRange,
} from './ports.ts';
import { SortedBytes } from './sorted-bytes.ts';

/** What a folder holds when it is a store. */
interface StoreContent {
  readonly entries: SortedBytes;
  isLocked: boolean;
}

/** Stores in memory. A store lives in its folder: it moves and goes with it. */
export class MemoryStores implements KeyValueStores {
  readonly #clock: Clock;
  readonly #tree: FileTree;
  readonly #contents: WeakMap<FolderNode, StoreContent> = new WeakMap();

  constructor(clock: Clock, tree: FileTree) {
    this.#clock = clock;
    this.#tree = tree;
  }

  async open(path: string): Promise<KeyValueStore> {
    this.#tree.makeDirectory(path, this.#clock.wallMs());
    const folder = this.#tree.folder(path, 'open store');
    const content = this.#contents.get(folder) ?? { entries: new SortedBytes(), isLocked: false };
    if (content.isLocked) throw new StoreLockedError(`the store ${path} is in use`);
    content.isLocked = true;
    this.#contents.set(folder, content);
    return new MemoryStore(path, content);
  }
}

class MemoryStore implements KeyValueStore {
  readonly #content: StoreContent;
  readonly #handle: OpenHandle;

  constructor(path: string, content: StoreContent) {
    this.#content = content;
    this.#handle = new OpenHandle(path);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#handle.use('read store', async () => this.#content.entries.get(key));
  }

  batch(
    operations: readonly StoreOperation[],
    _options: { readonly sync: boolean },
  ): Promise<void> {
    return this.#handle.use('write store', async () => this.#content.entries.apply(operations));
  }

  async *entries(
    range: StoreRange,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array], void> {
    yield* await this.#handle.use('read store', async () => this.#content.entries.range(range));
  }

  close(): Promise<void> {
    return this.#handle.close(async () => {
      this.#content.isLocked = false;
    });
  }
}
