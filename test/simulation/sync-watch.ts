import type { SimulatedDisk } from './env/simulated-disk.ts';
import { syncSite } from './sync-sites.ts';

/**
 * Waits for a sync: the next one of a site, the n-th of any, the n-th that concerns a new folder, or the
 * n-th of a file or folder with such a path.
 */
export type SyncTrigger =
  | { readonly site: string }
  | { readonly count: number }
  | { readonly countInNewFolder: number }
  | { readonly path: RegExp; readonly count: number };

/**
 * Sees every sync of a machine: knows from which places of the program they come, tells when one that
 * is waited for begins, and can let those of one place do nothing.
 */
export class SyncWatch {
  /** How often each site was reached, in the order in which they were first. */
  readonly counts: Map<string, number> = new Map();
  readonly #folders = new Set<string>();
  /** The first folder that was new since a trigger for such was armed. */
  #newFolder: string | undefined;
  #dropped = 0;
  #trigger: SyncTrigger | undefined;
  #onTrigger: () => void = () => {};

  /** @param dropSite the site whose syncs succeed without doing anything */
  constructor(disk: SimulatedDisk, dataDirectory: string, dropSite: string | undefined) {
    disk.onSync = (kind, path, stack) => {
      const site = syncSite(kind, path, stack, dataDirectory);
      if (site === undefined) return undefined;
      this.counts.set(site, (this.counts.get(site) ?? 0) + 1);
      const folder = kind === 'file' ? path.slice(0, path.lastIndexOf('/')) : path;
      if (!this.#folders.has(folder)) this.#newFolder ??= folder;
      this.#folders.add(folder);
      if (this.#isAwaited(site, folder, path)) this.#onTrigger();
      if (site !== dropSite) return undefined;
      this.#dropped++;
      return 'drop';
    };
  }

  get sites(): string[] {
    return [...this.counts.keys()];
  }

  /** How many syncs did nothing. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Calls `fn` once, inside the call of the sync that the trigger is of. */
  arm(trigger: SyncTrigger, fn: () => void): void {
    this.#trigger = trigger;
    this.#onTrigger = fn;
    this.#newFolder = undefined;
  }

  disarm(): void {
    this.#trigger = undefined;
  }

  /** Whether this is the sync that was waited for; then none is any more. */
  #isAwaited(site: string, folder: string, path: string): boolean {
    const trigger = this.#trigger;
    if (trigger === undefined) return false;
    if ('site' in trigger) {
      if (trigger.site !== site) return false;
    } else if ('count' in trigger) {
      if ('path' in trigger && !trigger.path.test(path)) return false;
      this.#trigger = { ...trigger, count: trigger.count - 1 };
      if (trigger.count > 1) return false;
    } else {
      if (folder !== this.#newFolder) return false;
      this.#trigger = { countInNewFolder: trigger.countInNewFolder - 1 };
      if (trigger.countInNewFolder > 1) return false;
    }
    this.#trigger = undefined;
    return true;
  }
}
