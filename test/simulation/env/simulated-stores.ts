import { OpenHandle } from '../../../src/env/open-handle.ts';
import {
  FileError,
  type KeyValueStore,
  type KeyValueStores,
  StoreLockedError,
  type StoreOperation,
  type StoreRange,
} from '../../../src/env/ports.ts';
import type { DiskStore } from './disk-state.ts';
import type { Incarnation } from './incarnation.ts';
import type { DiskAction, DiskOperation, SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedRandom } from './simulated-random.ts';

/** A store begins a new log file before one batch in so many; LevelDB does so every 4 MiB. */
const NEW_LOG_FILE_ONE_IN = 16;
/** What level makes of every error of the disk. */
const IO_ERROR = 'LEVEL_IO_ERROR';

/** The key-value stores as one process sees them. They share the disk with its files. */
export class SimulatedStores implements KeyValueStores {
  readonly #disk: SimulatedDisk;
  readonly #incarnation: Incarnation;
  readonly #random: SimulatedRandom;

  constructor(disk: SimulatedDisk, incarnation: Incarnation, random: SimulatedRandom) {
    this.#disk = disk;
    this.#incarnation = incarnation;
    this.#random = random.fork('stores');
  }

  async open(path: string): Promise<KeyValueStore> {
    const disk = this.#disk;
    const store = await disk.perform(this.#incarnation, {
      operation: 'openStore',
      path,
      faultCode: IO_ERROR,
      effect: () => {
        disk.state.names.record(disk.tree.makeDirectory(path, disk.clock.wallMs()));
        const found = disk.state.storeOf(disk.tree.folder(path, 'open store'));
        // The lock of a process that died went with it.
        if (found.owner?.isAlive === true) {
          throw new StoreLockedError(`the store ${path} is in use`);
        }
        if (found.damage !== undefined) throw new FileError(found.damage, path, 'open store');
        found.owner = this.#incarnation;
        // Opening reads the log files, and begins a new one.
        found.entries = found.unsynced.content();
        found.unsynced.beginLogFile();
        return found;
      },
    });
    return new SimulatedStore({
      path,
      disk,
      incarnation: this.#incarnation,
      random: this.#random,
      store,
    });
  }
}

interface OpenStore {
  readonly path: string;
  readonly disk: SimulatedDisk;
  readonly incarnation: Incarnation;
  readonly random: SimulatedRandom;
  readonly store: DiskStore;
}

class SimulatedStore implements KeyValueStore {
  readonly #open: OpenStore;
  /** A sync failed: nothing is written any more until the store is opened anew. */
  #hasFailed = false;
  readonly #handle: OpenHandle;

  constructor(open: OpenStore) {
    this.#open = open;
    this.#handle = new OpenHandle(open.path);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#perform('readStore', { effect: () => this.#open.store.entries.get(key) });
  }

  batch(operations: readonly StoreOperation[], options: { readonly sync: boolean }): Promise<void> {
    const { disk, path, random, store } = this.#open;
    // level does nothing for an empty batch, so it is no barrier for those before it.
    const isBarrier = options.sync && operations.length > 0;
    const isSynced = isBarrier && !disk.isSyncDropped('store', path);
    const copies = operations.map(copyOf);
    const record = (): void => {
      if (random.below(NEW_LOG_FILE_ONE_IN) === 0) store.unsynced.beginLogFile();
      store.unsynced.record(copies);
    };
    const hasSpace = (): boolean => {
      const bytes = copies.reduce((sum, copy) => sum + sizeOf(copy), 0);
      return disk.faults.take(bytes) === bytes;
    };
    return this.#perform(options.sync ? 'syncStore' : 'writeStore', {
      effect: () => {
        if (this.#hasFailed || !hasSpace()) throw new FileError(IO_ERROR, path, 'write store');
        record();
        store.entries.apply(copies);
        if (isSynced) store.unsynced.sync();
      },
      // Readers do not see it, who opens the store next perhaps does.
      onFault: (drawn) => {
        this.#hasFailed ||= options.sync;
        if (drawn.chance(0.5)) record();
      },
      onCrash: (drawn) => {
        if (drawn.chance(0.5)) record();
      },
    });
  }

  async *entries(
    range: StoreRange,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array], void> {
    yield* await this.#perform('readStore', {
      effect: () => this.#open.store.entries.range(range),
    });
  }

  close(): Promise<void> {
    const { disk, incarnation, path, store } = this.#open;
    const effect = (): void => {
      store.owner = undefined;
    };
    return this.#handle.close(() =>
      disk.perform(incarnation, { operation: 'close', path, effect }),
    );
  }

  #perform<T>(
    operation: DiskOperation,
    action: Pick<DiskAction<T>, 'effect' | 'onFault' | 'onCrash'>,
  ): Promise<T> {
    const { disk, incarnation, path } = this.#open;
    return this.#handle.use(operation, () =>
      disk.perform(incarnation, { operation, path, faultCode: IO_ERROR, ...action }),
    );
  }
}

const sizeOf = (operation: StoreOperation): number =>
  operation.key.length + (operation.type === 'put' ? operation.value.length : 0);

function copyOf(operation: StoreOperation): StoreOperation {
  const key = operation.key.slice();
  if (operation.type === 'delete') return { type: 'delete', key };
  return { type: 'put', key, value: operation.value.slice() };
}
