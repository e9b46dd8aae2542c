/** A point on the clock that all threads and processes of the machine share. */
export type Instant = bigint;

export function now(): Instant {
  return process.hrtime.bigint();
}

export function msSince(instant: Instant): number {
  return Number(process.hrtime.bigint() - instant) / 1e6;
}

export function plusMs(instant: Instant, ms: number): Instant {
  return instant + BigInt(Math.round(ms * 1e6));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
