/** Limits of what a log keeps; -1 is no limit. */
export interface RetentionLimits {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/** What retention needs to know of the oldest segment of a log. */
export interface RetentionCandidate {
  readonly sizeInBytes: number;
  /** Largest timestamp of its records, or the time of its last change if they have none. */
  readonly maxTimestampMs: number;
}

/**
 * Whether the oldest segment of a log of `totalBytes` goes: by time if all its records are older than
 * the limit, by size if what remains is still at least the limit. `null`: it stays.
 */
export function expiryOf(
  candidate: RetentionCandidate,
  totalBytes: number,
  limits: RetentionLimits,
  nowMs: number,
): 'time' | 'size' | null {
  const { retentionMs, retentionBytes } = limits;
  if (retentionMs >= 0 && candidate.maxTimestampMs < nowMs - retentionMs) return 'time';
  if (retentionBytes >= 0 && totalBytes - candidate.sizeInBytes >= retentionBytes) return 'size';
  return null;
}

/**
 * Whether the wall clock has jumped ahead since the last check: more than `toleranceMs` beyond what
 * the monotonic clock says has passed. Then nothing is deleted by time in that round.
 */
export function hasClockJumped(
  elapsed: { readonly wallMs: number; readonly monotonicMs: number },
  toleranceMs: number,
): boolean {
  return elapsed.wallMs - elapsed.monotonicMs > toleranceMs;
}
