import type { SimulatedDisk } from './env/simulated-disk.ts';
import { syncSite } from './sync-sites.ts';

/** Waits for a sync: the next one of a site, or the n-th of any. */
export type SyncTrigger = { readonly site: string } | { readonly count: number };

/**
 * Sees every sync of a machine: knows from which places of the program they come, tells when one that
 * is waited for begins, and can let those of one place do nothing.
 */
export class SyncWatch {
  /** How often each site was reached, in the order in which they were first. */
  readonly counts: Map<string, number> = new Map();
  #dropped = 0;
  #trigger: SyncTrigger | undefined;
  #onTrigger: () => void = () => {};

  /** @param dropSite the site whose syncs succeed without doing anything */
  constructor(disk: SimulatedDisk, dropSite: string | undefined) {
    disk.onSync = (kind, path, stack) => {
      const site = syncSite(kind, path, stack);
      this.counts.set(site, (this.counts.get(site) ?? 0) + 1);
      this.#look(site);
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
  }

  disarm(): void {
    this.#trigger = undefined;
  }

  #look(site: string): void {
    const trigger = this.#trigger;
    if (trigger === undefined) return;
    if ('count' in trigger) {
      this.#trigger = { count: trigger.count - 1 };
      if (trigger.count > 1) return;
    } else if (trigger.site !== site) {
      return;
    }
    this.#trigger = undefined;
    this.#onTrigger();
  }
}
