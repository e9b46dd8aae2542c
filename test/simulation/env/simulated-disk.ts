import type { FileTree } from '../../../src/env/file-tree.ts';
import { type Clock, FileError } from '../../../src/env/ports.ts';
import { type DiskFault, DiskFaults, LOOKS } from './disk-faults.ts';
import { DiskState } from './disk-state.ts';
import { type Fate, RandomFate } from './fate.ts';
import type { Incarnation } from './incarnation.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedRandom } from './simulated-random.ts';

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
/** One write in so many takes place in two parts. */
const IN_PARTS_ONE_IN = 4;

export type SyncKind = 'file' | 'directory' | 'store';

/** One operation of a process on the disk. */
export interface DiskAction<T> {
  readonly operation: DiskOperation;
  readonly path: string;
  /** Takes place when the operation completes. */
  effect(): T;
  /** Takes place while it is under way, sometimes. */
  onHalf?(random: SimulatedRandom): void;
  /** What has taken place if it fails in place of completing. */
  onFault?(random: SimulatedRandom, code: string): void;
  /** Stands in the error in place of the code of the fault. */
  readonly faultCode?: string;
  /** What has taken place if the process ends while it is under way. */
  onCrash?(random: SimulatedRandom): void;
}

interface InFlight {
  readonly incarnation: Incarnation;
  readonly action: DiskAction<unknown>;
}

/**
 * The disk of one machine. Operations take effect when they complete, after a time drawn from the
 * seed, so operations that are under way at the same time overtake each other.
 */
export class SimulatedDisk {
  readonly state: DiskState;
  readonly clock: Clock;
  readonly faults: DiskFaults = new DiskFaults();
  /**
   * Asked at every sync; `drop` makes it succeed without doing anything. The call stack says which
   * line of the program asked for it, so that a test can prove each sync to be needed.
   */
  onSync: ((kind: SyncKind, path: string, stack: string) => 'drop' | undefined) | undefined;
  /** Called before anything changes: a moment at which a crash would find the disk as it is now. */
  onChange: (() => void) | undefined;
  /** Operations take no time: faster, but nothing overtakes anything. */
  isInstant = false;
  readonly #scheduler: Scheduler;
  readonly #random: SimulatedRandom;
  readonly #inFlight: Set<InFlight> = new Set();

  constructor(
    clock: Clock,
    scheduler: Scheduler,
    random: SimulatedRandom,
    state: DiskState = new DiskState(),
  ) {
    this.state = state;
    this.clock = clock;
    this.#scheduler = scheduler;
    this.#random = random.fork('disk');
  }

  /** What processes see. */
  get tree(): FileTree {
    return this.state.tree;
  }

  /** Plans a fault. Of several that match, the first planned is met first. */
  plan(fault: DiskFault): void {
    this.faults.plan(fault);
  }

  clearFaults(): void {
    this.faults.clear();
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
  powerCut(incarnation: Incarnation, fate: Fate = new RandomFate(this.#random)): void {
    this.processCrash(incarnation);
    this.state.cut(fate);
  }

  /** Begins an operation. Its promise never settles if the process dies before. */
  perform<T>(incarnation: Incarnation, action: DiskAction<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // A dead process does not act; some of its code may still run to its next `await`.
      if (!incarnation.isAlive) return;
      const { operation, path } = action;
      const fault = this.faults.next(operation, path);
      const finish = (): void => {
        if (!LOOKS.has(operation)) this.onChange?.();
        try {
          if (fault?.code !== undefined) {
            action.onFault?.(this.#random, fault.code);
            throw new FileError(action.faultCode ?? fault.code, path, operation);
          }
          const result = action.effect();
          incarnation.deliver(() => resolve(result));
        } catch (error) {
          incarnation.deliver(() => reject(error));
        }
      };
      if (this.isInstant) return finish();
      const inFlight = { incarnation, action };
      this.#inFlight.add(inFlight);
      if (fault?.isStuck === true) return;
      const durationMs = this.#drawDurationMs(operation) + (fault?.delayMs ?? 0);
      this.#beginWith(inFlight, durationMs);
      this.#scheduler.after(durationMs, () => {
        if (this.#inFlight.delete(inFlight)) finish();
      });
    });
  }

  isSyncDropped(kind: SyncKind, path: string): boolean {
    if (this.onSync === undefined) return false;
    return this.onSync(kind, path, new Error('sync').stack ?? '') === 'drop';
  }

  /** Part of some operations takes place before the rest. */
  #beginWith(inFlight: InFlight, durationMs: number): void {
    const { onHalf } = inFlight.action;
    if (onHalf === undefined || this.#random.below(IN_PARTS_ONE_IN) > 0) return;
    this.#scheduler.after(durationMs / 2, () => {
      if (!this.#inFlight.has(inFlight)) return;
      this.onChange?.();
      onHalf(this.#random);
    });
  }

  #drawDurationMs(operation: DiskOperation): number {
    const [low, high] = durationsUs[operation];
    const isSlow = this.#random.below(SLOW_ONE_IN) === 0;
    return (this.#random.between(low, high) * (isSlow ? SLOWNESS : 1)) / 1000;
  }
}
