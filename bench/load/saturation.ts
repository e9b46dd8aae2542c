import { sleep, type TimedPart, timedPart } from './clock.ts';

/** What was acknowledged in the timed part. */
export interface SteadyRun extends TimedPart {
  readonly records: number;
}

/**
 * Keeps up to `outstanding` sends open, and never more, in bursts that leave the event loop time
 * for its I/O. The first send that fails ends the run with its error. One run per instance.
 */
export class Saturation {
  readonly #send: () => Promise<unknown>;
  readonly #outstanding: number;
  readonly #failed = Promise.withResolvers<never>();
  #sent = 0;
  #acknowledged = 0;
  /** Sends nothing beyond this many. */
  #limit = Number.POSITIVE_INFINITY;
  #isPumping = false;

  constructor(send: () => Promise<unknown>, outstanding: number) {
    this.#send = send;
    this.#outstanding = outstanding;
  }

  /** Runs for a time and counts the acknowledgements after the warm-up. */
  async runFor(warmupSeconds: number, seconds: number): Promise<SteadyRun> {
    this.#resume();
    await this.#orFailure(sleep(warmupSeconds * 1_000));
    const [first, end] = [this.#acknowledged, timedPart()];
    await this.#orFailure(sleep(seconds * 1_000));
    const run: SteadyRun = { records: this.#acknowledged - first, ...end() };
    this.#limit = this.#sent;
    await this.#orFailure(this.#drained());
    return run;
  }

  /** Sends `count` and waits until all are acknowledged. */
  async runThrough(count: number): Promise<SteadyRun> {
    const end = timedPart();
    this.#limit = count;
    this.#resume();
    await this.#orFailure(this.#drained());
    return { records: this.#acknowledged, ...end() };
  }

  #resume(): void {
    this.#isPumping = true;
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    const room = this.#outstanding - (this.#sent - this.#acknowledged);
    const burst = Math.min(room, this.#limit - this.#sent, BURST);
    this.#sent += burst;
    for (let i = 0; i < burst; i++) this.#send().then(this.#onResult, this.#failed.reject);
    this.#isPumping = false;
    if (burst === BURST) this.#resume();
  }

  readonly #onResult = (): void => {
    this.#acknowledged++;
    // Waits until half of the room is free: results that come one by one would cost a turn each.
    const open = this.#sent - this.#acknowledged;
    if (!this.#isPumping && open <= this.#outstanding / 2) this.#resume();
  };

  async #drained(): Promise<void> {
    while (this.#acknowledged < this.#limit) await sleep(5);
  }

  async #orFailure(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.#failed.promise]);
  }
}

const BURST = 512;
