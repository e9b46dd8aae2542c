import { FileContent } from '../../../src/env/file-content.ts';
import { type FileNode, FileTree, type FolderNode } from '../../../src/env/file-tree.ts';
import { type Clock, FileError } from '../../../src/env/ports.ts';
import { SortedBytes } from '../../../src/env/sorted-bytes.ts';
import type { Incarnation } from './incarnation.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedRandom } from './simulated-random.ts';
import { UnsyncedBatches } from './unsynced-batches.ts';
import { UnsyncedContent } from './unsynced-content.ts';
import { UnsyncedNames } from './unsynced-names.ts';

/** How long each operation takes: the range of most draws, in microseconds. */
const durationsUs = {
  open: [20, 200],
  read: [10, 200],
  write: [20, 400],
  truncate: [20, 400],
  sync: [200, 4000],
  list: [10, 200],
  stat: [10, 100],
  makeDirectory: [20, 200],
  rename: [20, 200],
  remove: [20, 200],
  syncDirectory: [200, 4000],
  openStore: [200, 4000],
  readStore: [10, 200],
  writeStore: [20, 400],
  syncStore: [200, 4000],
  close: [10, 50],
} as const;

export type DiskOperation = keyof typeof durationsUs;

/** One operation in so many takes `SLOWNESS` times as long. */
const SLOW_ONE_IN = 64;
const SLOWNESS = 20;

export type SyncKind = 'file' | 'directory' | 'store';

/** Something that will go wrong with operations on matching paths. */
export interface DiskFault {
  readonly operation: DiskOperation;
  readonly path: RegExp;
  /** The errno name that it fails with. Without one it is only delayed. */
  readonly code?: string;
  readonly delayMs?: number;
  /** How many operations are met; one if not given. */
  readonly times?: number;
}

/** One operation of a process on the disk. */
export interface DiskAction<T> {
  readonly operation: DiskOperation;
  readonly path: string;
  /** Takes place when the operation completes. */
  effect(): T;
  /** What has taken place if it fails in place of completing. */
  onFault?(random: SimulatedRandom): void;
  /** What has taken place if the process ends while it is under way. */
  onCrash?(random: SimulatedRandom): void;
}

/** What a folder holds when it is a store. */
export interface DiskStore {
  /** What the process sees. */
  entries: SortedBytes;
  readonly unsynced: UnsyncedBatches;
  owner: Incarnation | undefined;
}

interface InFlight {
  readonly incarnation: Incarnation;
  readonly action: DiskAction<unknown>;
}

/**
 * The disk of one machine: what its processes see (the page cache) and, beside it, what would be
 * left by a power cut. Operations take effect when they complete, after a time drawn from the seed,
 * so operations that are under way at the same time overtake each other.
 */
export class SimulatedDisk {
  readonly tree: FileTree = new FileTree();
  readonly names: UnsyncedNames = new UnsyncedNames();
  readonly clock: Clock;
  /**
   * Asked at every sync; `drop` makes it succeed without doing anything. The call stack says which
   * line of the program asked for it, so that a test can prove each sync to be needed.
   */
  onSync: ((kind: SyncKind, path: string, stack: string) => 'drop' | undefined) | undefined;
  readonly #scheduler: Scheduler;
  readonly #random: SimulatedRandom;
  readonly #contents: WeakMap<FileNode, UnsyncedContent> = new WeakMap();
  readonly #stores: WeakMap<FolderNode, DiskStore> = new WeakMap();
  readonly #inFlight: Set<InFlight> = new Set();
  #faults: { readonly fault: DiskFault; left: number }[] = [];

  constructor(clock: Clock, scheduler: Scheduler, random: SimulatedRandom) {
    this.clock = clock;
    this.#scheduler = scheduler;
    this.#random = random.fork('disk');
  }

  /** Plans a fault. Of several that match, the first planned is met first. */
  plan(fault: DiskFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** Ends a process: what it wrote stays; of what was under way, any part has taken place. */
  processCrash(incarnation: Incarnation): void {
    incarnation.kill();
    for (const inFlight of this.#inFlight) {
      if (inFlight.incarnation !== incarnation) continue;
      this.#inFlight.delete(inFlight);
      inFlight.action.onCrash?.(this.#random);
    }
  }

  /** Cuts the power: all processes have ended, and of what was not synced any part is left. */
  powerCut(incarnation: Incarnation): void {
    this.processCrash(incarnation);
    this.names.cut(this.#random);
    this.#restore(this.tree.root);
  }

  /** Begins an operation. Its promise never settles if the process dies before. */
  perform<T>(incarnation: Incarnation, action: DiskAction<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // A dead process does not act; some of its code may still run to its next `await`.
      if (!incarnation.isAlive) return;
      const fault = this.#nextFault(action);
      const inFlight = { incarnation, action };
      this.#inFlight.add(inFlight);
      const durationMs = this.#drawDurationMs(action.operation) + (fault?.delayMs ?? 0);
      this.#scheduler.after(durationMs, () => {
        if (!this.#inFlight.delete(inFlight)) return;
        try {
          if (fault?.code !== undefined) {
            action.onFault?.(this.#random);
            throw new FileError(fault.code, action.path, action.operation);
          }
          const result = action.effect();
          incarnation.deliver(() => resolve(result));
        } catch (error) {
          incarnation.deliver(() => reject(error));
        }
      });
    });
  }

  isSyncDropped(kind: SyncKind, path: string): boolean {
    if (this.onSync === undefined) return false;
    return this.onSync(kind, path, new Error('sync').stack ?? '') === 'drop';
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
      store = { entries: new SortedBytes(), unsynced: new UnsyncedBatches(), owner: undefined };
      this.#stores.set(folder, store);
    }
    return store;
  }

  /** Makes a folder, and all below it, what the power cut has left of it. */
  #restore(folder: FolderNode): void {
    folder.entries = new Map(this.names.durableEntries(folder));
    const store = this.#stores.get(folder);
    if (store !== undefined) store.entries = store.unsynced.cut(this.#random);
    for (const node of folder.entries.values()) {
      if (node.kind === 'directory') {
        this.#restore(node);
      } else {
        const survivor = this.contentOf(node).survivor(this.#random);
        node.content = survivor;
        this.#contents.set(node, new UnsyncedContent(survivor.clone()));
      }
    }
  }

  #nextFault({ operation, path }: DiskAction<unknown>): DiskFault | undefined {
    const planned = this.#faults.find(
      ({ fault, left }) => left > 0 && fault.operation === operation && fault.path.test(path),
    );
    if (planned !== undefined) planned.left--;
    return planned?.fault;
  }

  #drawDurationMs(operation: DiskOperation): number {
    const [low, high] = durationsUs[operation];
    const isSlow = this.#random.below(SLOW_ONE_IN) === 0;
    return (this.#random.between(low, high) * (isSlow ? SLOWNESS : 1)) / 1000;
  }
}
