import { type Backoff, backoffMs } from '../env/backoff.ts';
import type { Random } from '../env/ports.ts';

const BETWEEN_ATTEMPTS: Backoff = { firstMs: 50, mostMs: 1_000 };

/** How long the client waits before attempt `attempt` + 1 of anything, where 0 was the first. */
export const retryMs = (attempt: number, random: Random): number =>
  backoffMs(BETWEEN_ATTEMPTS, attempt, random);
