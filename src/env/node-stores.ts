import type { Level } from 'level';
import { OpenHandle } from './open-handle.ts';
import {
  FileError,
  type FileSystem,
  type KeyValueStore,
  type KeyValueStores,
  StoreLockedError,
  type StoreOperation,
  type StoreRange,
} from './ports.ts';

type Database = Level<Uint8Array, Uint8Array>;

/** Stores of LevelDB. The native library is loaded when the first store is opened. */
export class NodeStores implements KeyValueStores {
  readonly #files: FileSystem;

  constructor(files: FileSystem) {
    this.#files = files;
  }

  async open(path: string): Promise<KeyValueStore> {
    // Left alone, level would make all missing parents too, and nobody would make those durable.
    await this.#files.makeDirectory(path);
    const { Level } = await import('level');
    const database: Database = new Level(path, { keyEncoding: 'view', valueEncoding: 'view' });
    try {
      await database.open();
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'LEVEL_LOCKED') throw storeError(error, path, 'open store');
      throw new StoreLockedError(`the store ${path} is in use`, { cause: error });
    }
    return new NodeStore(path, database);
  }
}

class NodeStore implements KeyValueStore {
  readonly #path: string;
  readonly #database: Database;
  readonly #handle: OpenHandle;

  constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
    this.#handle = new OpenHandle(path);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#run('read store', async () => {
      const value = await this.#database.get(key);
      return value === undefined ? undefined : plain(value);
    });
  }

  batch(operations: readonly StoreOperation[], options: { readonly sync: boolean }): Promise<void> {
    return this.#run('write store', () =>
      this.#database.batch(
        operations.map((operation) =>
          operation.type === 'put' ? operation : { type: 'del' as const, key: operation.key },
        ),
        { sync: options.sync },
      ),
    );
  }

  async *entries(
    range: StoreRange,
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array], void> {
    const { from, to, reverse = false, limit = -1 } = range;
    const iterator = await this.#run('read store', async () =>
      this.#database.iterator({ gte: from, lt: to, reverse, limit }),
    );
    try {
      for (;;) {
        const entry = await this.#run('read store', () => iterator.next());
        if (entry === undefined) return;
        yield [plain(entry[0]), plain(entry[1])];
      }
    } finally {
      await iterator.close();
    }
  }

  close(): Promise<void> {
    return this.#handle.close(async () => {
      try {
        await this.#database.close();
      } catch (error) {
        throw storeError(error, this.#path, 'close store');
      }
    });
  }

  #run<T>(action: string, run: () => Promise<T>): Promise<T> {
    return this.#handle.use(action, async () => {
      try {
        return await run();
      } catch (error) {
        throw storeError(error, this.#path, action);
      }
    });
  }
}

function storeError(error: unknown, path: string, action: string): FileError {
  return new FileError(codeOf(error) ?? 'UNKNOWN', path, action, { cause: error });
}

/** The innermost code: level wraps what LevelDB says into "failed to open". */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return codeOf(error.cause) ?? (error as NodeJS.ErrnoException).code;
}

/** level answers with `Buffer`s, whose `slice` is not that of `Uint8Array`. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
