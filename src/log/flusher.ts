import type { Timers } from '../env/ports.ts';
import type { DiskHealth } from './disk-health.ts';

/** A log that has something to write. */
export interface Flushable {
  /** Writes what is queued now, and makes it as durable as the topic asks. Not called while it runs. */
  flushCycle(): Promise<void>;
}

export interface FlusherSettings {
  /** How many logs are written at a time. */
  readonly concurrency: number;
  /** A cycle that takes longer is reported, in ms. */
  readonly stallMs: number;
  /** How many bytes may wait to be written, of all logs together. */
  readonly maxQueuedBytes: number;
}

/**
 * The one place that decides durability in a data directory (DESIGN D8). Each log has one cycle at a
 * time; what is appended while it runs shares the next one (group commit). Logs run beside each
 * other, but never so many that the last threads of the pool are taken (4b rule 6).
 */
export class Flusher {
  readonly #settings: FlusherSettings;
  readonly #timers: Timers;
  readonly #health: DiskHealth;
  readonly #onStall: (stalledMs: number) => void;
  /** Logs that wait for a cycle, in the order in which they asked. */
  readonly #waiting = new Set<Flushable>();
  readonly #running = new Set<Flushable>();
  #startIsDue = false;
  #queuedBytes = 0;

  constructor(
    settings: FlusherSettings,
    timers: Timers,
    health: DiskHealth,
    onStall: (stalledMs: number) => void,
  ) {
    this.#settings = settings;
    this.#timers = timers;
    this.#health = health;
    this.#onStall = onStall;
  }

  /** Bytes of all logs that wait to be written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Nothing more may be queued until something is written. */
  get isFull(): boolean {
    return this.#queuedBytes >= this.#settings.maxQueuedBytes;
  }

  queued(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  /** Bytes that were queued are written, or given up. */
  settled(bytes: number): void {
    this.#queuedBytes -= bytes;
  }

  /** Asks for a cycle of a log; asking again before it begins changes nothing. */
  schedule(log: Flushable): void {
    this.#waiting.add(log);
    if (this.#startIsDue) return;
    this.#startIsDue = true;
    // Not at once: what else is appended in this turn goes into the same cycle.
    this.#timers.nextTurn(() => {
      this.#startIsDue = false;
      this.#start();
    });
  }

  #start(): void {
    for (const log of this.#waiting) {
      if (this.#running.size >= this.#settings.concurrency) return;
      if (this.#running.has(log)) continue;
      this.#waiting.delete(log);
      this.#run(log);
    }
  }

  #run(log: Flushable): void {
    this.#running.add(log);
    const { stallMs } = this.#settings;
    const watch = this.#timers.after(stallMs, () => this.#onStall(stallMs));
    const done = (): void => {
      watch.cancel();
      this.#running.delete(log);
      this.#start();
    };
    log.flushCycle().then(done, (error: unknown) => {
      this.#health.fail(error);
      done();
    });
  }
}
