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
  /** Those of the running that ask for another cycle. */
  readonly #again = new Set<Flushable>();
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
    if (this.#running.has(log)) {
      this.#again.add(log);
      return;
    }
    this.#waiting.add(log);
    this.#startLater();
  }

  /** Not at once: what else is appended, or done, in this turn is for the same start. */
  #startLater(): void {
    if (this.#startIsDue) return;
    this.#startIsDue = true;
    this.#timers.nextTurn(() => {
      this.#startIsDue = false;
      const isCrowded = this.#waiting.size + this.#running.size >= this.#settings.journalFrom;
      if (isCrowded) this.#startJournal();
      this.#startFiles();
    });
  }

  #startJournal(): void {
    for (const log of this.#waiting) if (log.isForJournal) this.#run(log, 'journal');
  }

  #startFiles(): void {
    for (const log of this.#waiting) {
      if (this.#writing >= this.#settings.concurrency) return;
      this.#run(log, 'files');
    }
  }

  #run(log: Flushable, to: 'files' | 'journal'): void {
    this.#waiting.delete(log);
    this.#running.add(log);
    const done = to === 'files' ? this.#watchFiles(log) : () => this.#done(log);
    log.flushCycle(to).then(done, (error: unknown) => {
      this.#health.fail(error);
      done();
    });
  }

  /** Returns what to call when the cycle of a log that writes its files is over. */
  #watchFiles(log: Flushable): () => void {
    this.#writing++;
    const { stallMs } = this.#settings;
    const watch = this.#timers.after(stallMs, () => this.#onStall(stallMs));
    return () => {
      watch.cancel();
      this.#writing--;
      this.#done(log);
      // A thread is free at once; those that share a frame of the journal end together.
      this.#startFiles();
    };
  }

  #done(log: Flushable): void {
    this.#running.delete(log);
    if (this.#again.delete(log)) this.#waiting.add(log);
    if (this.#waiting.size > 0) this.#startLater();
  }
}
