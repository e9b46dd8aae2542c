import type { Random } from './ports.ts';

/** How the waits between attempts grow. */
export interface Backoff {
  /** Milliseconds before the second attempt. */
  readonly firstMs: number;
  /** No wait is longer. */
  readonly mostMs: number;
  /** From one wait to the next; 2 if absent. */
  readonly factor?: number;
}

/** Beyond it no wait grows: a factor to a high power is no number any more. */
const MAX_EXPONENT = 20;

/**
 * How long to wait before attempt `attempt` + 1, where 0 was the first: longer each time, less up to half
 * by chance, so that those who failed together do not come back together.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: Random): number {
  const { firstMs, mostMs, factor = 2 } = backoff;
  const full = Math.min(firstMs * factor ** Math.min(attempt, MAX_EXPONENT), mostMs);
  return full * (1 - random.uint32() / 2 ** 33);
}
