import { readFileSync } from 'node:fs';
import { now, type TimedPart } from '../load/clock.ts';

/** How much of the processors a process had used at a moment. */
export interface CpuSample {
  /** On the clock that all processes of the machine share. */
  readonly atUs: number;
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
}

/**
 * Looks ten times a second how much of the processors a process has used: when a load was timed is known
 * only after it. Sees nothing where there is no `/proc`.
 */
export class CpuWatch {
  readonly #samples: CpuSample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#look(pid), INTERVAL_MS);
  }

  /** In cores, of the timed part of a load; undefined if it was seen less than twice in it, or the load does not tell it. */
  coresDuring(part: Partial<TimedPart>): number | undefined {
    return coresDuring(this.#samples, part);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(pid: number): void {
    try {
      const cpuSeconds = cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      this.#samples.push({ atUs: Number(now() / 1_000n), cpuSeconds });
    } catch {
      // It has ended.
      this.stop();
    }
  }
}

/** Seconds of processor time a second, between the first and the last look within the part. */
export function coresDuring(
  samples: readonly CpuSample[],
  { fromUs, seconds }: Partial<TimedPart>,
): number | undefined {
  if (fromUs === undefined || seconds === undefined) return undefined;
  const endUs = fromUs + seconds * 1e6;
  const inside = samples.filter(({ atUs }) => atUs >= fromUs && atUs <= endUs);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  return (last.cpuSeconds - first.cpuSeconds) / ((last.atUs - first.atUs) / 1e6);
}

/** Of the text of `/proc/PID/stat`: its fields 14 and 15. The second is a name in brackets that may hold anything. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (!(user >= 0 && system >= 0)) throw new Error(`not the stat of a process: '${stat}'`);
  return (user + system) / TICKS_PER_SECOND;
}

const INTERVAL_MS = 100;
/** What Linux tells times in, on all that Node runs on. */
const TICKS_PER_SECOND = 100;
