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

/** What a load counted: a profile is cut to it. */
export interface TimedPart {
  /** On the clock that all processes of the machine share. */
  readonly fromUs: number;
  readonly seconds: number;
}

/** Begins a timed part; call what it returns at its end. */
export function timedPart(): () => TimedPart {
  const from = now();
  return () => ({ fromUs: Number(from / 1_000n), seconds: msSince(from) / 1_000 });
}
