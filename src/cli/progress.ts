import type { Clock, Timer, Timers } from '../env/ports.ts';
import type { Output } from './output.ts';

const REDRAW_MS = 200;
/** Escape sequence: erase from the cursor to the end of the line. */
const ERASE_LINE = '\u001b[K';

/**
 * One line at the bottom of a terminal that says how far a command is. Where errors go to something
 * else than a terminal nothing is written at all.
 */
export class Progress {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #errors: Output;
  readonly #describe: (elapsedMs: number) => string;
  readonly #startMs: number;
  #timer: Timer | undefined;

  /** @param describe the line; called several times a second and once at the end */
  constructor(
    env: { readonly clock: Clock; readonly timers: Timers },
    errors: Output,
    describe: (elapsedMs: number) => string,
  ) {
    this.#clock = env.clock;
    this.#timers = env.timers;
    this.#errors = errors;
    this.#describe = describe;
    this.#startMs = env.clock.monotonicMs();
    if (errors.isTerminal) this.#draw();
  }

  /** Leaves the last state as a line of its own. */
  stop(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#errors.tell(`${this.#line()}\n`);
  }

  #draw(): void {
    this.#errors.tell(this.#line());
    this.#timer = this.#timers.after(REDRAW_MS, () => this.#draw());
  }

  #line(): string {
    const text = this.#describe(this.#clock.monotonicMs() - this.#startMs);
    return `\r${text.slice(0, this.#errors.columns - 1)}${ERASE_LINE}`;
  }
}

/** `12,345` */
export const formatCount = (count: number): string => Math.floor(count).toLocaleString('en-US');

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `12,345/s`; nothing is known in the first milliseconds. */
export const formatRate = (count: number, elapsedMs: number): string =>
  elapsedMs < 1 ? '-' : `${formatCount((count * 1000) / elapsedMs)}/s`;

/** `[#####-----]  50 %` */
export function formatBar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.floor(share * BAR_WIDTH);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${percent} %`;
}

const BAR_WIDTH = 30;
