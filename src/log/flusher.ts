import type { Timers } from '../env/ports.ts';
import type { DiskHealth } from './disk-health.ts';

/** A log that has something to write. */
export interface Flushable {
  /** Whether what is queued now may be committed by the journal. */
  readonly isForJournal: boolean;
  /**
   * Makes what is queued now as durable as the topic asks, in its files or in the journal. Not called
   * while it runs.
   */
  flushCycle(to: 'files' | 'journal'): Promise<void>;
}

export interface FlusherSettings {
  /** How many logs are written at a time. */
  readonly concurrency: number;
  /** When so many logs have something to write, they use the journal. */
  readonly journalFrom: number;
  /** A cycle that takes longer is reported, in ms. */
  readonly stallMs: number;
  /** How many bytes may wait to be written, of all logs together. */
  readonly maxQueuedBytes: number;
}

/**
 * The one place that decides durability in a data directory (DESIGN D8). Each log has one cycle at a
 * time; what is appended while it runs shares the next one (group commit). Logs run beside each
 * other, but never so many that the last threads of the pool are taken (4b rule 6). When many have
 * something to write, the journal writes it for all of them at once (4b rule 8).
 */
export class Flusher {
  readonly #settings: FlusherSettings;
  readonly #timers: Timers;
  readonly #health: DiskHealth;
  readonly #onStall: (stalledMs: number) => void;
  /** Logs that wait for a cycle, in the order in which they asked. */
  readonly #waiting = new Set<Flushable>();
  readonly #running = new Set<Flushable>();
  /** How many of the running write their files. */
  #writing = 0;
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
    this.#startLater();
  }

  /** Not at once: what else is appended, or done, in this turn is for the same start. */
  #startLater(): void {
    if (this.#startIsDue) return;
    this.#startIsDue = true;
    this.#timers.nextTurn(() => {
      this.#startIsDue = false;
      this.#start();
    });
  }

  #start(): void {
    const { concurrency, journalFrom } = this.#settings;
    const isCrowded = this.#waiting.size + this.#running.size >= journalFrom;
    for (const log of this.#waiting) {
      if (this.#running.has(log)) continue;
      const to = isCrowded && log.isForJournal ? 'journal' : 'files';
      if (to === 'files' && this.#writing >= concurrency) {
        if (isCrowded) continue;
        return;
      }
      this.#waiting.delete(log);
      this.#run(log, to);
    }
  }

  #run(log: Flushable, to: 'files' | 'journal'): void {
    this.#running.add(log);
    if (to === 'files') this.#writing++;
    const { stallMs } = this.#settings;
    const watch = this.#timers.after(stallMs, () => this.#onStall(stallMs));
    const done = (): void => {
      watch.cancel();
      this.#running.delete(log);
      if (to === 'files') this.#writing--;
      if (this.#waiting.size === 0) return;
      // A thread is free at once; those that shared a frame end together.
      if (to === 'files') this.#start();
      else this.#startLater();
    };
    log.flushCycle(to).then(done, (error: unknown) => {
      this.#health.fail(error);
      done();
    });
  }
}
