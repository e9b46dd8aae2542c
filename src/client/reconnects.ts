import type { Random } from '../env/ports.ts';
import { retryMs } from './backoff.ts';

/** When nodes whose stream was lost are tried again: with growing pauses, until one has spoken. */
export class Reconnects {
  readonly #random: Random;
  readonly #waits = new Map<number, { readonly attempts: number; readonly atMs: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Monotonic time in ms before which the node is left alone; in the far past if it need not be. */
  atMs(nodeId: number): number {
    return this.#waits.get(nodeId)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  /** The node could not be reached, or its stream was lost. Returns when it is tried again. */
  postpone(nodeId: number, nowMs: number): number {
    const attempts = this.#waits.get(nodeId)?.attempts ?? 0;
    const atMs = nowMs + retryMs(attempts, this.#random);
    this.#waits.set(nodeId, { attempts: attempts + 1, atMs });
    return atMs;
  }

  /** The node has spoken: the next loss is the first again. */
  reached(nodeId: number): void {
    this.#waits.delete(nodeId);
  }
}
