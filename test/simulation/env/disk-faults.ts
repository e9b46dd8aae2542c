import type { DiskOperation } from './simulated-disk.ts';

/** Something that will go wrong with operations on matching paths. */
export interface DiskFault {
  /** Any that changes the disk, if not given. */
  readonly operation?: DiskOperation;
  readonly path: RegExp;
  /** The errno name that it fails with; a store says `LEVEL_IO_ERROR`, whatever it is. */
  readonly code?: string;
  readonly delayMs?: number;
  /** It never comes to an end; closing what it is an operation of does not, either. */
  readonly isStuck?: boolean;
  /** How many operations are met; one if not given. */
  readonly times?: number;
}

/** Operations that only look; a fault of no particular operation spares them. */
export const LOOKS: ReadonlySet<DiskOperation> = new Set([
  'read',
  'list',
  'stat',
  'readStore',
  'close',
]);

/** What is planned to go wrong on one disk. */
export class DiskFaults {
  /** Called when an operation meets a fault, when it begins. */
  onMet: ((fault: DiskFault) => void) | undefined;
  /** How many bytes can still be added; what is cut off or removed makes room again. */
  spaceLeft: number = Number.POSITIVE_INFINITY;
  #planned: { readonly fault: DiskFault; left: number }[] = [];

  plan(fault: DiskFault): void {
    this.#planned.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#planned = [];
    this.spaceLeft = Number.POSITIVE_INFINITY;
  }

  /** The fault that an operation meets. Of several that match, the first planned is met first. */
  next(operation: DiskOperation, path: string): DiskFault | undefined {
    const planned = this.#planned.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.operation === undefined ? !LOOKS.has(operation) : fault.operation === operation) &&
        fault.path.test(path),
    );
    if (planned === undefined) return undefined;
    planned.left--;
    this.onMet?.(planned.fault);
    return planned.fault;
  }

  /** How many of `count` bytes there is space for; they are taken. A negative count gives back. */
  take(count: number): number {
    const taken = Math.min(count, this.spaceLeft);
    this.spaceLeft -= taken;
    return taken;
  }
}
