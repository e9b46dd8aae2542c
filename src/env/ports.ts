/**
 * Everything nondeterministic enters the program through these ports (DESIGN D11). Each has a Node
 * and a memory twin in this room and a simulated one in `test/simulation`; the contracts below are
 * what all three keep, and what the rest of the code may lean on.
 */
export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly files: FileSystem;
  readonly stores: KeyValueStores;
}

export interface Clock {
  /** Milliseconds that never step back; for durations and deadlines. */
  monotonicMs(): number;
  /** Milliseconds since 1970, whole; may jump. For timestamps that people and records carry. */
  wallMs(): number;
}

export interface Timers {
  /**
   * Calls `fn` once, `ms` from now or later. Delays beyond 2^31-1 ms are waited for in steps.
   * Whether it keeps the process alive meanwhile is for who makes the timers: a broker's do not, its
   * listener does; a client's do, as somebody waits for what they are for.
   */
  after(ms: number, fn: () => void): Timer;
  /**
   * Calls `fn` in a later turn of the event loop, after the I/O that is already there. Calls are
   * made in the order in which they were asked for.
   */
  nextTurn(fn: () => void): void;
}

export interface Timer {
  /** Does nothing if the timer has fired. */
  cancel(): void;
  /** From now on it does not keep the process alive: nobody waits for it. */
  unref(): void;
}

export interface Random {
  /** A whole number from 0 to 2^32-1. */
  uint32(): number;
  /** `count` unpredictable bytes (predictable under a seed in simulation). */
  bytes(count: number): Uint8Array;
}

/** A file that is not there, is there already, or cannot be used; `code` is the errno name. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: string;
  readonly path: string;

  constructor(code: string, path: string, action: string, options?: ErrorOptions) {
    super(`cannot ${action} ${path}: ${code}`, options);
    this.code = code;
    this.path = path;
  }
}

/**
 * - `read`: an existing file, read only.
 * - `write`: an existing file, read and write.
 * - `create`: read and write, made if it is not there.
 */
export type OpenMode = 'read' | 'write' | 'create';

/**
 * Durability contract: bytes written are visible to every reader at once and survive the death of
 * the process, but outlive a power cut only after `File.sync`. A name made, renamed or removed
 * outlives a power cut only after `syncDirectory` of the folder that holds it. Until then any
 * subset of the unsynced changes may survive. All failures are `FileError`s.
 *
 * Operations that are under way at the same time take effect in any order: what must come later is
 * called after the earlier one resolved.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<File>;
  /** The whole content of a file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Names in a folder, sorted. */
  list(path: string): Promise<string[]>;
  /** `undefined` if nothing is there. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Makes one folder; its parent exists. No error if the folder is there already. */
  makeDirectory(path: string): Promise<void>;
  /** Atomic; replaces a file at `to`, or moves a folder to a free name. */
  rename(from: string, to: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeDirectory(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface FileStat {
  readonly kind: 'file' | 'directory';
  /** In bytes; 0 for a directory. */
  readonly size: number;
  /** Wall clock time of the last change of content, in whole ms. */
  readonly modifiedMs: number;
}

export interface File {
  readonly path: string;
  /**
   * Writes all buffers one after another at `position`; resolves only when all is written. The
   * buffers must not change before. After an error any part may be written.
   */
  write(position: number, buffers: readonly Uint8Array[]): Promise<void>;
  /**
   * Up to `length` bytes from `position`; fewer only at the end of the file. With `into`, of at least
   * `length` bytes, what was read is a view of its beginning; else it is memory of its own.
   */
  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  size(): Promise<number>;
  /** Cuts the file, or extends it with zeros. */
  truncate(size: number): Promise<void>;
  /**
   * Makes durable what was written and truncated before the call (fdatasync): of an operation that
   * is still under way it promises nothing. After an error nothing is known about what is on
   * disk, and a second call may lie: never retry it.
   */
  sync(): Promise<void>;
  /** Waits for what is under way. Later operations fail with `EBADF`; a second close does nothing. */
  close(): Promise<void>;
}

/** One change of a key-value store. */
export type StoreOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array };

/** Keys from `from` (inclusive) to `to` (exclusive), in byte order. */
export interface StoreRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** The folder of a store is in use by another process (or another owner in this one). */
export class StoreLockedError extends Error {
  override readonly name = 'StoreLockedError';
}

export interface KeyValueStores {
  /**
   * Opens or makes a store in a folder; one owner at a time, else `StoreLockedError`. The parent of
   * the folder exists. The folder's own name, as any, is durable only after `syncDirectory` of the
   * parent. What `FileSystem` shows inside the folder is the store's own affair.
   */
  open(path: string): Promise<KeyValueStore>;
}

/**
 * An ordered map of bytes to bytes. Failures are `FileError`s, whose code may be one of level
 * (`LEVEL_CORRUPTION`).
 */
export interface KeyValueStore {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * Applies all or none, in one step that readers see. With `sync` the batch outlives a power cut.
   * Batches without it may be lost, and a later one with it does not vouch for them: LevelDB syncs
   * only the log file that it is writing, and an earlier batch may stand in the one before. Batches
   * that are under way at the same time are applied in any order.
   */
  batch(operations: readonly StoreOperation[], options: { readonly sync: boolean }): Promise<void>;
  /** The entries as they are when the iteration begins. */
  entries(range: StoreRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
  close(): Promise<void>;
}
